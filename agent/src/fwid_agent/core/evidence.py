"""From two periods to a decision: is anything different, and is it the software?

The first question is answered by the most surprising cell of the comparison of whole periods,
against what unchanged devices show (the prior, shrunk towards this device's own units). The
second by the kind of sign and by the twin network. Hedges' g of one similarity score a unit
says how large the difference is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fwid_agent.core.comparison import Comparison, compare_periods
from fwid_agent.core.effect import bootstrap_g, hedges_g
from fwid_agent.core.episode import EPISODE_CHANCE, Episode
from fwid_agent.core.findings import (
    Finding,
    Sign,
    handshake_score,
    list_findings,
    own_score,
    score_of,
    strongest_reasons,
)
from fwid_agent.core.periods import Period, select_units
from fwid_agent.core.prior import Prior
from fwid_agent.types import (
    F8,
    SENT,
    SUM_INDEX,
    Cause,
    Decision,
    Reason,
    Verdict,
)

REASON_COUNT = 3
COMPARE_CHANCE = 0.01  # of calling an unchanged device changed, in one comparison of two periods
SINGLE_CHANCE = 0.001  # the same with one baseline replicate, where nothing of its own calibrates
EPISODE_SHARE = 0.1  # of the accepted chance, for days on which an update seems to be installed
SOFTWARE_LEAST = 0.5  # below, the model takes the signs for those of settings and use
_BOOTSTRAP_SEED = 1  # the same question gets the same answer


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a model says of one comparison."""

    similarity: float  # 1: as always, towards 0: unlike
    software: float  # 0: the signs are of settings and use, 1: of software


@dataclass(frozen=True, slots=True)
class Seen:
    """How a test period compares with its baseline."""

    comparison: Comparison  # of the whole periods
    similarities: F8  # [test units] each unit's similarity to the baseline
    episode: Episode | None = None  # the day of the update itself, where there seems to be one


Model = Callable[[Sequence[Comparison]], Sequence[Likeness]]


@dataclass(frozen=True, slots=True)
class Judge:
    """What every decision rests on."""

    prior: Prior
    model: Model
    chance: float = COMPARE_CHANCE  # accepted, of calling an unchanged device changed


@dataclass(frozen=True, slots=True)
class Own:
    """How the device's own baseline units compare with the others, one element a unit."""

    scores: tuple[float, ...] = ()  # of replaced own values
    similarities: tuple[float, ...] = ()


def decide(device: str, baseline: Period, test: Period, judge: Judge) -> Decision:
    """Decide whether a device's firmware changed between two periods.

    Every baseline unit is compared with the others, to learn how alike the device is to itself.
    """
    missing = missing_traffic(baseline, "baseline") or missing_traffic(test, "test")
    if missing:
        return insufficient(device, missing, (baseline.units, test.units))
    own = _leave_one_out(baseline, judge)
    units = judge.model(_each_unit(baseline, test, judge.prior))
    similarities = np.array([each.similarity for each in units])
    comparison = compare_periods(baseline, test, judge.prior)
    decision = weigh(device, Seen(comparison, similarities), own, judge)
    drawn = bootstrap_g(
        np.array(own.similarities),
        similarities,
        np.random.default_rng(_BOOTSTRAP_SEED),
        spread_floor=judge.prior.score_spread_floor,
    )
    return replace(decision, g_bootstrap=drawn)


def weigh(device: str, seen: Seen, own: Own, judge: Judge) -> Decision:
    """Decide from a comparison that was made, and from what is known of the device itself.

    Args:
        device: MAC of the device, for the answer.
        seen: how the test period compares with the baseline.
        own: the same of the baseline's own units.
        judge: what the decision rests on.

    """
    comparison, similarities, episode = seen.comparison, seen.similarities, seen.episode
    prior = judge.prior
    (whole,) = judge.model([comparison])
    findings = list_findings(comparison)
    score = score_of(findings, Sign.OWN_VALUE)
    single = comparison.replicates_baseline < 2
    if single:
        alarm = prior.single.threshold(SINGLE_CHANCE)
    else:
        tail = prior.once if comparison.replicates_test < 2 else prior.several
        alarm = tail.threshold(_accept(judge.chance, episode), _scores_alike(comparison, own))
    different = prior.anything.threshold(max(judge.chance, COMPARE_CHANCE))
    # What a handshake names needs no picture: the model sees none of it.
    software = max(whole.software, min(handshake_score(findings) / alarm, 1.0))
    verdict, cause = _judge(findings, score / alarm, different, software)
    missing = ""
    if single and verdict is not Verdict.CHANGED:
        verdict, cause = Verdict.INSUFFICIENT, Cause.NONE
        missing = _one_replicate(comparison)
    alike = np.array(own.similarities)
    return Decision(
        device=device,
        verdict=verdict,
        cause=cause,
        effect=hedges_g(alike, similarities, spread_floor=prior.score_spread_floor),
        similarity_baseline=float(alike.mean()) if len(alike) else 1.0,
        similarity_test=float(similarities.mean()),
        score=score / alarm,
        software=software,
        reasons=_reasons(findings, episode),
        units_baseline=comparison.units_baseline,
        units_test=comparison.units_test,
        missing=missing,
    )


def missing_traffic(period: Period, name: str) -> str:
    """Say what a period lacks to be judged at all; "" where it lacks nothing."""
    if period.units == 0:
        return f"the device is not in the {name} captures"
    if not period.observations.sums[:, SENT, SUM_INDEX["packets"]].any():
        return f"the device sends nothing in the {name} captures"
    return ""


def insufficient(device: str, missing: str, units: tuple[int, int] = (0, 0)) -> Decision:
    """Return the decision that there is too little to decide."""
    return Decision(
        device=device,
        verdict=Verdict.INSUFFICIENT,
        cause=Cause.NONE,
        effect=None,
        similarity_baseline=float("nan"),
        similarity_test=float("nan"),
        score=0.0,
        software=0.0,
        reasons=(),
        units_baseline=units[0],
        units_test=units[1],
        missing=missing,
    )


def _judge(
    findings: tuple[Finding, ...], score: float, different: float, software: float
) -> tuple[Verdict, Cause]:
    if score >= 1:
        if software >= SOFTWARE_LEAST:
            return Verdict.CHANGED, Cause.SOFTWARE
        return Verdict.DIFFERENT, Cause.SETTINGS
    if score_of(findings) >= different:
        return Verdict.DIFFERENT, Cause.SETTINGS
    return Verdict.STABLE, Cause.NONE


def _accept(chance: float, episode: Episode | None) -> float:
    """Share the accepted chance between days like that of an update and all others.

    An unchanged device has one such day in a hundred at the most, so on it a hundred times that
    share can be accepted, and both together are no more than the whole.
    """
    if episode is None:
        return chance * (1 - EPISODE_SHARE)
    return chance * EPISODE_SHARE / EPISODE_CHANCE


def _reasons(findings: tuple[Finding, ...], episode: Episode | None) -> tuple[Reason, ...]:
    told = list(strongest_reasons(findings, REASON_COUNT))
    if episode is not None:
        told.append(episode.reason())
        told.sort(key=lambda reason: -reason.surprise)
    return tuple(told[:REASON_COUNT])


def _scores_alike(comparison: Comparison, own: Own) -> tuple[float, ...]:
    """The own scores, where they are of the same kind as the question.

    Units of one visit are more alike than visits are, and fewer than three units leave a single
    one to compare with: both are another kind of chance.
    """
    if comparison.replicates_baseline < comparison.units_baseline or len(own.scores) < 3:
        return ()
    return own.scores


def _leave_one_out(baseline: Period, judge: Judge) -> Own:
    """Compare each baseline unit with the others."""
    everyone = range(baseline.units)
    if baseline.units < 2:
        return Own()
    comparisons = [
        compare_periods(
            select_units(baseline, [u for u in everyone if u != left]),
            select_units(baseline, [left]),
            judge.prior,
        )
        for left in everyone
    ]
    return Own(
        tuple(own_score(each) for each in comparisons),
        tuple(each.similarity for each in judge.model(comparisons)),
    )


def _each_unit(baseline: Period, test: Period, prior: Prior) -> list[Comparison]:
    """Each test unit against as many baseline units as a left-out baseline unit meets.

    A baseline of one unit more would make test units look less alike for its size alone.
    """
    everyone = range(baseline.units)
    result = []
    for unit in range(test.units):
        left = unit % baseline.units if baseline.units > 1 else -1
        kept = select_units(baseline, [u for u in everyone if u != left])
        result.append(compare_periods(kept, select_units(test, [unit]), prior))
    return result


def _one_replicate(comparison: Comparison) -> str:
    rests = "rests on what other devices show, and the difference is not beyond that"
    if comparison.units_baseline == 1:
        spread = "a single one says nothing of day-to-day spread"
        return f"one more baseline unit: {spread}, so this {rests}"
    return f"baseline units of another date: with those at hand, of one date, this {rests}"

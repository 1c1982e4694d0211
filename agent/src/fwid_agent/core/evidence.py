"""From two periods to a decision: is anything different, and is it the software?

The first question is answered by the most surprising cell of the comparison of whole periods,
against what unchanged devices show (the prior, shrunk towards this device's own units). The
second by the kind of sign and by the twin network. Hedges' g of one similarity score a unit
says how large the difference is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fwid_agent.core.comparison import Comparison, compare_periods
from fwid_agent.core.effect import hedges_g
from fwid_agent.core.findings import (
    Finding,
    Sign,
    list_findings,
    score_of,
    strongest_reasons,
)
from fwid_agent.core.periods import Period, select_units
from fwid_agent.core.prior import Prior
from fwid_agent.types import (
    F8,
    ROWS,
    SUM_INDEX,
    Cause,
    Decision,
    Effect,
    Verdict,
)

REASON_COUNT = 3
COMPARE_CHANCE = 0.01  # of calling an unchanged device changed, in one comparison of two periods
SINGLE_CHANCE = 0.001  # the same with one baseline replicate, where nothing of its own calibrates
_SENT = np.array([row.direction == "sent" for row in ROWS])


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a model says of one comparison."""

    similarity: float  # 1: as always, towards 0: unlike
    software: float  # 0: the signs are of settings and use, 1: of software


Model = Callable[[Sequence[Comparison]], Sequence[Likeness]]


def decide(
    device: str,
    baseline: Period,
    test: Period,
    prior: Prior,
    model: Model,
    *,
    chance: float = COMPARE_CHANCE,
) -> Decision:
    """Decide whether the device's firmware changed between two periods.

    Args:
        device: MAC of the device, for the answer.
        baseline: what is known as the same version.
        test: what is asked about.
        prior: what the training devices teach.
        model: twin network over comparisons.
        chance: accepted chance of calling an unchanged device changed.

    """
    missing = _missing_traffic(baseline, "baseline") or _missing_traffic(test, "test")
    if missing:
        return _insufficient(device, missing)
    comparison = compare_periods(baseline, test, prior)
    own_comparisons = _leave_one_out(baseline, prior)
    unit_comparisons = _each_unit(baseline, test, prior)
    whole, *likeness = model([comparison, *own_comparisons, *unit_comparisons])
    similarity = np.array([each.similarity for each in likeness])
    alike, unlike = similarity[: len(own_comparisons)], similarity[len(own_comparisons) :]
    findings = list_findings(comparison)
    score = score_of(findings, Sign.OWN_VALUE)
    single = comparison.replicates_baseline < 2
    if single:
        alarm = prior.single.threshold(SINGLE_CHANCE)
    else:
        tail = prior.once if comparison.replicates_test < 2 else prior.several
        alarm = tail.threshold(chance, _own_scores(comparison, own_comparisons))
    verdict, cause = _judge(
        findings, score, alarm, prior.anything.threshold(chance), whole.software
    )
    missing = ""
    if single and verdict is not Verdict.CHANGED:
        verdict, cause = Verdict.INSUFFICIENT, Cause.NONE
        missing = _one_replicate(comparison)
    return Decision(
        device=device,
        verdict=verdict,
        cause=cause,
        effect=_effect(alike, unlike, prior),
        similarity_baseline=float(alike.mean()) if len(alike) else 1.0,
        similarity_test=float(unlike.mean()),
        score=score / alarm,
        software=whole.software,
        reasons=strongest_reasons(findings, REASON_COUNT),
        missing=missing,
    )


def _judge(
    findings: tuple[Finding, ...], score: float, alarm: float, different: float, software: float
) -> tuple[Verdict, Cause]:
    if score >= alarm:
        if software >= 0.5:
            return Verdict.CHANGED, Cause.SOFTWARE
        return Verdict.DIFFERENT, Cause.SETTINGS
    if score_of(findings) >= different:
        return Verdict.DIFFERENT, Cause.SETTINGS
    return Verdict.STABLE, Cause.NONE


def _own_scores(comparison: Comparison, own_comparisons: Sequence[Comparison]) -> list[float]:
    """Scores of the baseline's own units, where they are of the same kind as the question.

    Units of one visit are more alike than visits are, and fewer than three units leave a single
    one to compare with: both are another kind of chance.
    """
    if comparison.replicates_baseline < comparison.units_baseline or len(own_comparisons) < 3:
        return []
    return [score_of(list_findings(each), Sign.OWN_VALUE) for each in own_comparisons]


def _effect(alike: F8, unlike: F8, prior: Prior) -> Effect | None:
    return hedges_g(alike, unlike, spread_floor=prior.score_spread_floor)


def _leave_one_out(baseline: Period, prior: Prior) -> list[Comparison]:
    """Each baseline unit against the others."""
    everyone = range(baseline.units)
    return [
        compare_periods(
            select_units(baseline, [u for u in everyone if u != left]),
            select_units(baseline, [left]),
            prior,
        )
        for left in everyone
        if baseline.units > 1
    ]


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


def _missing_traffic(period: Period, name: str) -> str:
    if period.units == 0:
        return f"the device is not in the {name} captures"
    if not period.observations.sums[:, _SENT, SUM_INDEX["packets"]].any():
        return f"the device sends nothing in the {name} captures"
    return ""


def _one_replicate(comparison: Comparison) -> str:
    if comparison.units_baseline == 1:
        return "one more baseline unit: a single one says nothing of day-to-day spread"
    return (
        "baseline units of another date: those at hand lie on one, "
        "which says nothing of how the device differs between dates"
    )


def _insufficient(device: str, missing: str) -> Decision:
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
        missing=missing,
    )

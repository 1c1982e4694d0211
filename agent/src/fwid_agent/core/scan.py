"""What a unit is compared with, and what that says: the newest units against the running version.

Units of the running version are the baseline; a suspicious unit waits beside it until the next
units say whether it was the first of a new version. While units wait, a change is looked for from
each of them on (a window-limited scan: Lai, IEEE Trans. Inf. Theory 44 (1998) 2917), so that a
suspicion that lingers does not hide the change behind it. The unit before the first of a change may
be the day of the update, half of it old software and half new, so it is part of neither side.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fwid_agent.core.comparison import Comparison, compare_periods
from fwid_agent.core.episode import Episode, find_episode
from fwid_agent.core.evidence import SOFTWARE_LEAST, Judge, Own, Seen, insufficient, weigh
from fwid_agent.core.findings import own_score
from fwid_agent.core.periods import Period, UnitKind, make_period, select_units
from fwid_agent.core.stability import DeviceState, Level, Rules
from fwid_agent.tables import merge_tables
from fwid_agent.types import Cause, Decision, State, UnitTable, Verdict, format_mac

BASELINE_UNITS = 28  # four weeks: older habits say less than they cost
SUSPECT_SHARE = 0.5  # of the alarm's evidence: the lower threshold
# A rare variant of the same version is seen once; new software stays. A day before that looks like
# that of an update confirms as well.
CONFIRMING_UNITS = 2
FIRST_SHARE = 0.9  # of the accepted chance: a change mostly begins where the suspicion did


@dataclass(frozen=True, slots=True)
class Method:
    """How units are judged: the same for every device of an agent."""

    judge: Judge  # its chance is that of a false alarm in one unit of one device
    kind: UnitKind
    unit_ns: int
    rules: Rules


@dataclass(frozen=True, slots=True)
class Watch:
    """All that is known of one device; tables hold observations (see core.periods)."""

    state: DeviceState
    baseline: UnitTable | None = None  # the running version
    newest: UnitTable | None = None  # its newest units, not in the baseline yet
    waiting: UnitTable | None = None  # suspicious units since
    earlier: Mapping[int, UnitTable] = field(default_factory=dict)  # version -> its units
    own: Own = field(
        default_factory=Own
    )  # how the baseline's units compared with those before them


@dataclass(frozen=True, slots=True)
class Answer:
    """What the newest units say, compared with those before them."""

    watch: Watch  # with the units before the change in their places
    after: Period  # the units that may be of another version
    decision: Decision
    own: Own  # the device's own record, with the newest unit in it
    level: Level
    installing: Episode | None = None  # the newest unit looks like the day of an update


def scan(watch: Watch, unit: UnitTable, method: Method) -> Answer:
    """Look for a change from each unit that waits on; the strongest answer counts.

    The accepted chance is shared among the starts, so that however many are looked at, an unchanged
    device alarms no more often: chances add up, whether or not they depend on one another.
    """
    starts = _starts(watch, method)
    later = len(starts) - 1
    shares = [FIRST_SHARE if later else 1.0, *[(1 - FIRST_SHARE) / max(later, 1)] * later]
    answers = []
    for start, share in zip(starts, shares, strict=True):
        judge = replace(method.judge, chance=method.judge.chance * share)
        answers.append(_answer(start, unit, replace(method, judge=judge)))
    first, strongest = answers[0], max(answers, key=_strength)
    if strongest.level is Level.ALARM:
        return strongest
    if strongest.level is Level.NONE:
        return first
    # Nothing is settled, so everything goes on waiting.
    return replace(strongest, watch=first.watch, after=first.after)


def is_learning(watch: Watch) -> bool:
    """Whether the next unit that speaks is learnt, also when it ends a silence."""
    return State.LEARNING in (watch.state.state, watch.state.before_quiet)


def join_waiting(waiting: UnitTable | None, unit: UnitTable, method: Method) -> Period:
    """Return the units that wait and the newest one as one period."""
    test = unit if waiting is None else merge_tables([waiting, unit])
    return make_period(test, method.kind, method.unit_ns)


def take_newest(table: UnitTable, method: Method) -> UnitTable:
    """Leave out what is too old to be of the baseline."""
    if len(table) <= BASELINE_UNITS:  # a unit has one observation at the least
        return table
    period = make_period(table, method.kind, method.unit_ns)
    if period.units <= BASELINE_UNITS:
        return period.observations
    return select_units(period, range(period.units - BASELINE_UNITS, period.units)).observations


def pass_first(watch: Watch, waiting: UnitTable, method: Method) -> Watch:
    """Let the first unit that waits be the newest before the change, and that one be as usual."""
    period = make_period(waiting, method.kind, method.unit_ns)
    first, rest = select_units(period, [0]), select_units(period, range(1, period.units))
    older = [table for table in (watch.baseline, watch.newest) if table is not None]
    return replace(
        watch,
        baseline=take_newest(merge_tables(older), method) if older else None,
        newest=first.observations,
        waiting=rest.observations if rest.units else None,
    )


def _strength(answer: Answer) -> tuple[Level, bool, float]:
    decision = answer.decision
    return answer.level, decision.cause is Cause.SOFTWARE, decision.score


def _starts(watch: Watch, method: Method) -> list[Watch]:
    """Return the watch, and the same with a later unit as the first that waits, or none."""
    starts = [watch]
    while (waiting := starts[-1].waiting) is not None:
        starts.append(pass_first(starts[-1], waiting, method))
    return starts


def _answer(watch: Watch, unit: UnitTable, method: Method) -> Answer:
    """Decide on the units; the device's own record gets the newest unit.

    The record is kept in the order of time, each unit against those before it, so a unit costs one
    comparison and not one for every unit of the baseline.
    """
    device = format_mac(watch.state.device)
    after = join_waiting(watch.waiting, unit, method)
    if watch.baseline is None:
        missing = insufficient(device, "this is the first unit")
        return Answer(watch, after, missing, watch.own, Level.NONE)
    before = make_period(watch.baseline, method.kind, method.unit_ns)
    comparison = compare_periods(before, after, method.judge.prior)
    units = [comparison] if after.units == 1 else _each_unit(before, after, method)
    similarities = np.array([each.similarity for each in method.judge.model(units)])
    episode, confirming = _find_episode(watch, before, after, method)
    decision = weigh(device, Seen(comparison, similarities, episode), watch.own, method.judge)
    own = watch.own
    if before.units == 1:
        # One unit says nothing of how alike the device is to itself, so the figure would mislead.
        decision = replace(decision, similarity_test=math.nan)
    else:
        score = own_score(units[-1])
        own = Own(
            (*own.scores, score)[-BASELINE_UNITS:],
            (*own.similarities, float(similarities[-1]))[-BASELINE_UNITS:],
        )
    if is_learning(watch):
        missing_units = (
            f"{watch.state.learned_units + 1} of {method.rules.learning_units} units learnt"
        )
        decision = replace(
            decision, verdict=Verdict.INSUFFICIENT, cause=Cause.NONE, missing=missing_units
        )
    newest = select_units(after, [after.units - 1])
    installing = find_episode(before, newest, method.judge.prior)
    level = _level(decision, after.units + confirming)
    return Answer(watch, after, decision, own, level, installing)


def _find_episode(
    watch: Watch, before: Period, after: Period, method: Method
) -> tuple[Episode | None, int]:
    """Look for the update itself: on the day before those that look changed, or on their first.

    Returns:
        The episode, and how many units it is that confirm the change besides those after it.

    """
    prior = method.judge.prior
    if watch.newest is not None:
        newest = make_period(watch.newest, method.kind, method.unit_ns)
        if (episode := find_episode(before, newest, prior)) is not None:
            return episode, 1
    return find_episode(before, select_units(after, [0]), prior), 0


def _each_unit(before: Period, after: Period, method: Method) -> list[Comparison]:
    return [
        compare_periods(before, select_units(after, [unit]), method.judge.prior)
        for unit in range(after.units)
    ]


def _level(decision: Decision, units: int) -> Level:
    if decision.verdict is Verdict.CHANGED:
        return Level.ALARM if units >= CONFIRMING_UNITS else Level.SUSPECT
    judged = decision.verdict in (Verdict.STABLE, Verdict.DIFFERENT)
    if judged and decision.score >= SUSPECT_SHARE and decision.software >= SOFTWARE_LEAST:
        # Taken as usual, it would hide in the baseline what the next units would show.
        return Level.SUSPECT
    if decision.verdict is not Verdict.DIFFERENT:
        return Level.NONE
    # As much as an alarm differs, and it looks like settings: another unit may say otherwise, so
    # that it is not usual at once.
    waits = decision.score >= 1 and units < CONFIRMING_UNITS
    return Level.SUSPECT if waits else Level.ALARM

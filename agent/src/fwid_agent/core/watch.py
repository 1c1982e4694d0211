"""One device over time: which units are the baseline, what a new unit says, what follows.

The state machine decides what may follow from what; this module decides what each unit is compared
with. Units of the running version are the baseline; a suspicious unit waits beside it until the
next units say whether it was the first of a new version. While units wait, a change is looked for
from each of them on (a window-limited scan: Lai, IEEE Trans. Inf. Theory 44 (1998) 2917), so that a
suspicion that lingers does not hide the change behind it. The unit before the first of a change may
be the day of the update, half of it old software and half new, so it is part of neither side.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fwid_agent.core.comparison import Comparison, compare_periods
from fwid_agent.core.episode import Episode, find_episode
from fwid_agent.core.evidence import SOFTWARE_LEAST, Judge, Own, Seen, decide, insufficient, weigh
from fwid_agent.core.findings import own_score
from fwid_agent.core.periods import Period, UnitKind, make_period, select_units
from fwid_agent.core.stability import (
    DeviceState,
    Level,
    Rules,
    UnitJudged,
    enrol,
    step,
)
from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    ROWS,
    SUM_INDEX,
    Cause,
    Decision,
    Event,
    EventType,
    State,
    UnitTable,
    Vantage,
    Verdict,
    format_mac,
)

BASELINE_UNITS = 28  # four weeks: older habits say less than they cost
SUSPECT_SHARE = 0.5  # of the alarm's evidence: the lower threshold
CONFIRMING_UNITS = 2  # a rare variant of the same version is seen once; new software stays
FIRST_SHARE = 0.9  # of the accepted chance: a change mostly begins where the suspicion did
# Calm in the little that is seen would not mean that nothing has changed.
_UNSEEN = {
    Vantage.MULTICAST: "only what the device sends to everybody is seen from here",
    Vantage.RECEIVED: "only what is sent to the device is seen from here",
}
QUIET_SHARE = 0.05  # of the usual packets sent: below, a unit says nothing
_SENT = np.array([row.direction == "sent" for row in ROWS])


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


def begin(device: int, now_ns: int, rules: Rules) -> tuple[Watch, tuple[Event, ...]]:
    """Enrol a device."""
    state, events = enrol(device, now_ns, rules)
    return Watch(state), events


def judge_unit(
    watch: Watch, unit: UnitTable, now_ns: int, method: Method, vantage: Vantage = Vantage.ALL
) -> tuple[Watch, Decision, tuple[Event, ...]]:
    """Take the observations of one unit that has ended, and what was seen of the device in it.

    Returns:
        The next watch, what was decided of this unit, and the events that follow.

    """
    start_ns = int(unit.start_ns.min())
    device = format_mac(watch.state.device)
    missing = _UNSEEN.get(vantage, "" if _speaks(watch, unit) else "too few packets in this unit")
    enough = not missing
    learning = _is_learning(watch)
    if enough:
        watch, after, decision, own, level = _scan(device, watch, unit, method)
    else:
        after = _period(watch.waiting, unit, method)
        decision, own, level = insufficient(device, missing), watch.own, Level.NONE
    matched = _recognise(device, watch, after, method) if level is Level.ALARM else None
    given = UnitJudged(decision, start_ns, enough, level, matched)
    state, events = step(watch.state, given, now_ns, method.rules)
    watch = replace(watch, state=state)
    if enough and learning:
        watch = _learn(watch, after, own, method)
    elif enough:
        own = own if level is Level.NONE else watch.own
        watch = _file(watch, after, own, events, method)
    return watch, decision, events


def _period(waiting: UnitTable | None, unit: UnitTable, method: Method) -> Period:
    test = unit if waiting is None else merge_tables([waiting, unit])
    return make_period(test, method.kind, method.unit_ns)


def _scan(
    device: str, watch: Watch, unit: UnitTable, method: Method
) -> tuple[Watch, Period, Decision, Own, Level]:
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
        after = _period(start.waiting, unit, method)
        decision, own = _decide(device, start, after, replace(method, judge=judge))
        answers.append((start, after, decision, own, _level(decision, after.units)))
    strongest = max(answers, key=lambda answer: _strength(answer[2], answer[4]))
    if strongest[4] is Level.ALARM:
        return strongest
    # Nothing is settled, so everything goes on waiting.
    return (*answers[0][:2], *strongest[2:]) if strongest[4] is Level.SUSPECT else answers[0]


def _strength(decision: Decision, level: Level) -> tuple[Level, bool, float]:
    return level, decision.cause is Cause.SOFTWARE, decision.score


def _starts(watch: Watch, method: Method) -> list[Watch]:
    """Return the watch, and the same with a later unit as the first that waits, or none."""
    starts = [watch]
    while (waiting := starts[-1].waiting) is not None:
        starts.append(_pass_first(starts[-1], waiting, method))
    return starts


def _pass_first(watch: Watch, waiting: UnitTable, method: Method) -> Watch:
    """Let the first unit that waits be the newest before the change, and that one be as usual."""
    period = make_period(waiting, method.kind, method.unit_ns)
    first, rest = select_units(period, [0]), select_units(period, range(1, period.units))
    older = [table for table in (watch.baseline, watch.newest) if table is not None]
    return replace(
        watch,
        baseline=_newest(merge_tables(older), method) if older else None,
        newest=first.observations,
        waiting=rest.observations if rest.units else None,
    )


def _learn(watch: Watch, after: Period, own: Own, method: Method) -> Watch:
    """Take the unit as usual at once: there is nothing yet to hold it against."""
    known = [] if watch.baseline is None else [watch.baseline]
    baseline = merge_tables([*known, after.observations])
    return replace(watch, baseline=_newest(baseline, method), own=own)


def _file(
    watch: Watch, after: Period, own: Own, events: tuple[Event, ...], method: Method
) -> Watch:
    """Put the unit, and those that waited with it, where they belong after the step."""
    test = after.observations
    kinds = {event.type: event for event in events}
    if EventType.VERSION_CHANGED in kinds or EventType.RETURNED_TO_KNOWN_VERSION in kinds:
        event = next(iter(kinds.values()))
        earlier = dict(watch.earlier)
        if watch.baseline is not None and event.from_version is not None:
            earlier[event.from_version] = watch.baseline
        known = earlier.pop(event.to_version, None) if event.to_version is not None else None
        baseline = test if known is None else merge_tables([known, test])
        # The newest unit before may be of both versions: it is of none.
        return Watch(watch.state, baseline, earlier=earlier)
    if watch.state.state is State.SUSPECTED:
        waits = replace(watch, waiting=test)
        # A suspicion that lingers is taken as usual, a unit at a time from the front.
        long = after.units >= method.rules.settle_units
        return _pass_first(waits, test, method) if long else waits
    older = [table for table in (watch.baseline, watch.newest) if table is not None]
    before = select_units(after, range(after.units - 1)).observations
    baseline = merge_tables([*older, before])
    newest = select_units(after, [after.units - 1]).observations
    return replace(watch, baseline=_newest(baseline, method), newest=newest, waiting=None, own=own)


def _decide(device: str, watch: Watch, after: Period, method: Method) -> tuple[Decision, Own]:
    """Decide on the units; also returns the device's own record with the newest unit in it.

    The record is kept in the order of time, each unit against those before it, so a unit costs one
    comparison and not one for every unit of the baseline.
    """
    if watch.baseline is None:
        return insufficient(device, "this is the first unit"), watch.own
    before = make_period(watch.baseline, method.kind, method.unit_ns)
    comparison = compare_periods(before, after, method.judge.prior)
    units = [comparison] if after.units == 1 else _each_unit(before, after, method)
    similarities = np.array([each.similarity for each in method.judge.model(units)])
    seen = Seen(comparison, similarities, _find_episode(watch, before, after, method))
    decision = weigh(device, seen, watch.own, method.judge)
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
    if _is_learning(watch):
        missing = f"{watch.state.learned_units + 1} of {method.rules.learning_units} units learnt"
        decision = replace(
            decision, verdict=Verdict.INSUFFICIENT, cause=Cause.NONE, missing=missing
        )
    return decision, own


def _find_episode(watch: Watch, before: Period, after: Period, method: Method) -> Episode | None:
    """Look for the update itself: on the day before those that look changed, or on their first."""
    days = [select_units(after, [0])]
    if watch.newest is not None:
        days.insert(0, make_period(watch.newest, method.kind, method.unit_ns))
    found = (find_episode(before, day, method.judge.prior) for day in days)
    return next((episode for episode in found if episode is not None), None)


def _is_learning(watch: Watch) -> bool:
    """Whether the next unit that speaks is learnt, also when it ends a silence."""
    return State.LEARNING in (watch.state.state, watch.state.before_quiet)


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
    return Level.ALARM if decision.verdict is Verdict.DIFFERENT else Level.NONE


def _recognise(device: str, watch: Watch, after: Period, method: Method) -> int | None:
    """Return the newest earlier version that the units are like, or None."""
    for version in sorted(watch.earlier, reverse=True):
        before = make_period(watch.earlier[version], method.kind, method.unit_ns)
        answer = decide(device, before, after, method.judge)
        if answer.verdict is Verdict.STABLE and answer.score < SUSPECT_SHARE:
            return version
    return None


def _speaks(watch: Watch, unit: UnitTable) -> bool:
    """Say whether the unit has enough of the device's own packets to judge it by."""
    sent = _sent(unit)
    if watch.baseline is None:
        return sent > 0
    usual = _sent(watch.baseline) / max(len(np.unique(watch.baseline.start_ns)), 1)
    return sent > QUIET_SHARE * usual


def _sent(table: UnitTable) -> float:
    return float(table.sums[:, _SENT, SUM_INDEX["packets"]].sum())


def _newest(table: UnitTable, method: Method) -> UnitTable:
    if len(table) <= BASELINE_UNITS:  # a unit has one observation at the least
        return table
    period = make_period(table, method.kind, method.unit_ns)
    if period.units <= BASELINE_UNITS:
        return period.observations
    return select_units(period, range(period.units - BASELINE_UNITS, period.units)).observations

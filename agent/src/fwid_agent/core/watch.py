"""One device over time: which units are the baseline, what a new unit says, what follows.

The state machine decides what may follow from what, `core.scan` what a unit says; this module puts
each unit where it belongs: to the baseline, to those that wait, or to a version of its own.
"""

from dataclasses import replace

import numpy as np

from fwid_agent.core.evidence import Own, decide, insufficient
from fwid_agent.core.periods import Period, make_period, select_units
from fwid_agent.core.scan import (
    SUSPECT_SHARE,
    Answer,
    Method,
    Watch,
    is_learning,
    join_waiting,
    pass_first,
    scan,
    take_newest,
)
from fwid_agent.core.stability import (
    Level,
    Rules,
    UnitJudged,
    enrol,
    step,
)
from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    SENT,
    SUM_INDEX,
    Decision,
    Event,
    EventType,
    State,
    UnitTable,
    Vantage,
    Verdict,
    format_mac,
)

# Calm in the little that is seen would not mean that nothing has changed.
_UNSEEN = {
    Vantage.MULTICAST: "only what the device sends to everybody is seen from here",
    Vantage.RECEIVED: "only what is sent to the device is seen from here",
}
QUIET_SHARE = 0.05  # of the usual packets sent: below, a unit says nothing


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
    learning = is_learning(watch)
    if enough:
        answer = scan(watch, unit, method)
    else:
        nothing = insufficient(device, missing)
        after = join_waiting(watch.waiting, unit, method)
        answer = Answer(watch, after, nothing, watch.own, Level.NONE)
    decision, level = answer.decision, answer.level
    matched = _recognise(device, watch, answer.after, method) if level is Level.ALARM else None
    episode = None if answer.installing is None else answer.installing.reason()
    given = UnitJudged(decision, start_ns, enough, level, matched, episode)
    state, events = step(watch.state, given, now_ns, method.rules)
    watch = replace(answer.watch, state=state)
    if enough and learning:
        watch = _learn(watch, answer.after, answer.own, method)
    elif enough:
        own = answer.own if level is Level.NONE else watch.own
        watch = _file(watch, answer.after, own, events, method)
    return watch, decision, events


def _learn(watch: Watch, after: Period, own: Own, method: Method) -> Watch:
    """Take the unit as usual at once: there is nothing yet to hold it against."""
    known = [] if watch.baseline is None else [watch.baseline]
    baseline = merge_tables([*known, after.observations])
    return replace(watch, baseline=take_newest(baseline, method), own=own)


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
        return pass_first(waits, test, method) if long else waits
    older = [table for table in (watch.baseline, watch.newest) if table is not None]
    before = select_units(after, range(after.units - 1)).observations
    baseline = take_newest(merge_tables([*older, before]), method)
    newest = select_units(after, [after.units - 1]).observations
    return replace(watch, baseline=baseline, newest=newest, waiting=None, own=own)


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
    return float(table.sums[:, SENT, SUM_INDEX["packets"]].sum())

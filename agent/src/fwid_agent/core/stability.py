"""The states of a device: everything that may change a device's state or version stands here.

`TRANSITIONS` holds every way between states; `step` takes a state, what happened and the time, and
gives the next state and the events to send. It does no I/O and keeps nothing, so replay and live
are the same, in one go or in pieces.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import IntEnum, StrEnum
from uuid import UUID

from fwid_agent.core.events import News, make_event
from fwid_agent.types import Cause, Decision, Event, EventType, Reason, State


class Trigger(StrEnum):
    """Why a device leaves a state; the text stands in the documentation."""

    ENROLLED = "device enrolled"
    RELEARN = "relearn asked for"
    LEARNED = "`learning_units` units with enough traffic"
    SUSPECTED = "evidence passes the lower threshold"
    FADED = "evidence fades"
    ALARMED = "evidence of software passes the alarm threshold"
    ACCEPTED = "change accepted"
    SETTLED = "`settle_units` stable units in a row"
    RECOGNISED = "an earlier version is recognised"
    TOO_LITTLE = "too little traffic to say"
    HEARD = "enough traffic again"


_SPEAKING = (State.LEARNING, State.STABLE, State.SUSPECTED, State.CHANGED)

# (from, why) -> to. None before: not enrolled. None after: the state before `quiet`.
TRANSITIONS: Mapping[tuple[State | None, Trigger], State | None] = {
    (None, Trigger.ENROLLED): State.LEARNING,
    (State.LEARNING, Trigger.LEARNED): State.STABLE,
    (State.STABLE, Trigger.SUSPECTED): State.SUSPECTED,
    (State.SUSPECTED, Trigger.FADED): State.STABLE,
    (State.STABLE, Trigger.ALARMED): State.CHANGED,
    (State.SUSPECTED, Trigger.ALARMED): State.CHANGED,
    (State.CHANGED, Trigger.ACCEPTED): State.STABLE,
    (State.CHANGED, Trigger.SETTLED): State.STABLE,
    (State.CHANGED, Trigger.RECOGNISED): State.STABLE,
    **{(state, Trigger.TOO_LITTLE): State.QUIET for state in _SPEAKING},
    (State.QUIET, Trigger.HEARD): None,
    **{(state, Trigger.RELEARN): State.LEARNING for state in State},
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the steps of all devices of an agent have in common."""

    agent: UUID  # the agent's id; with it event ids are the same whenever a run is repeated
    learning_units: int = 7
    settle_units: int = 7


@dataclass(frozen=True, slots=True)
class DeviceState:
    """All that is remembered of a device between two steps.

    Versions are numbered from 1; a number that was announced is never given to another version.
    """

    device: int  # MAC
    state: State
    since_ns: int  # when it came into `state`
    version_since_ns: int  # start of the first unit of the software that now runs
    version: int = 1
    last_version: int = 1  # highest number given so far
    next_version: int | None = None  # announced by an alarm, becomes `version` when settled
    learned_units: int = 0
    settled_units: int = 0  # stable units in a row since the change
    before_quiet: State | None = None  # where `quiet` leads back to
    differs: bool = False  # in an episode of other behaviour that has been told already
    expected_until_ns: int | None = None  # an update is known to have been started
    event_count: int = 0

    @property
    def known_versions(self) -> range:
        """Every version number that this device has had."""
        return range(1, self.last_version + 1)


class Level(IntEnum):
    """How strong the evidence is that a unit differs from what it is compared with."""

    NONE = 0
    SUSPECT = 1  # beyond the lower threshold
    ALARM = 2  # beyond the threshold that the alarm rate sets


@dataclass(frozen=True, slots=True)
class UnitJudged:
    """A unit has ended and was compared with the units of the version that runs.

    After a change these are the units since the change, so that `Level.NONE` means settled.
    """

    decision: Decision
    unit_start_ns: int
    enough_traffic: bool
    level: Level
    matched_version: int | None = None  # an earlier version that the unit is like
    episode: Reason | None = None  # why the unit looks like the day of an update


@dataclass(frozen=True, slots=True)
class Accepted:
    """A person says that the change is wanted."""


@dataclass(frozen=True, slots=True)
class Relearn:
    """A person asks to forget what is usual and learn it anew."""


@dataclass(frozen=True, slots=True)
class ExpectUpdate:
    """An update is known to have been started."""

    until_ns: int  # a change in a unit that starts later is not this update


Input = UnitJudged | Accepted | Relearn | ExpectUpdate


_Next = tuple[DeviceState, News | None]


def enrol(device: int, now_ns: int, rules: Rules) -> tuple[DeviceState, tuple[Event, ...]]:
    """Begin to learn a device."""
    start = TRANSITIONS[None, Trigger.ENROLLED]
    assert start is not None
    state = DeviceState(device, start, since_ns=now_ns, version_since_ns=now_ns)
    return _send(state, News(EventType.NEW_DEVICE, None, state.version), now_ns, rules)


def step(
    state: DeviceState, given: Input, now_ns: int, rules: Rules
) -> tuple[DeviceState, tuple[Event, ...]]:
    """Take one input; gives the next state and the events it sends (`seq` 0 until stored).

    An input that means nothing in this state, such as accepting where nothing changed, leaves it.

    Raises:
        ValueError: a matched version that the device never had.

    """
    news: News | None = None
    match given:
        case UnitJudged():
            state, news = _judge_unit(state, given, now_ns, rules)
        case Accepted():
            state, news = _accept(state, now_ns)
        case Relearn():
            state = _relearn(state, now_ns)
        case ExpectUpdate(until_ns):
            state = replace(state, expected_until_ns=until_ns)
    return (state, ()) if news is None else _send(state, news, now_ns, rules)


def to_json(state: DeviceState) -> str:
    """Write a state so that `from_json` gives an equal one."""
    return json.dumps(asdict(state))


def from_json(text: str) -> DeviceState:
    """Read a state; raises ValueError, TypeError or KeyError for anything else."""
    fields = json.loads(text)
    before = fields.get("before_quiet")
    return DeviceState(
        **fields | {"state": State(fields["state"]), "before_quiet": before and State(before)}
    )


def _move(state: DeviceState, trigger: Trigger, now_ns: int) -> DeviceState:
    """Go the table's way; the only place that sets `state`."""
    to = TRANSITIONS[state.state, trigger] or state.before_quiet
    assert to is not None
    before_quiet = state.state if to is State.QUIET else None
    return replace(state, state=to, since_ns=now_ns, before_quiet=before_quiet)


def _judge_unit(state: DeviceState, unit: UnitJudged, now_ns: int, rules: Rules) -> _Next:
    if unit.matched_version is not None and unit.matched_version not in state.known_versions:
        raise ValueError(f"the device never had version {unit.matched_version}")
    quiet = state.state is State.QUIET
    if not unit.enough_traffic:
        return (state if quiet else _move(state, Trigger.TOO_LITTLE, now_ns)), None
    if quiet:
        state = _move(state, Trigger.HEARD, now_ns)
    return _ON_UNIT[state.state](state, unit, now_ns, rules)


def _learn(state: DeviceState, _unit: UnitJudged, now_ns: int, rules: Rules) -> _Next:
    state = replace(state, learned_units=state.learned_units + 1)
    if state.learned_units >= rules.learning_units:
        state = _move(state, Trigger.LEARNED, now_ns)
    return state, None


def _watch(state: DeviceState, unit: UnitJudged, now_ns: int, _rules: Rules) -> _Next:
    after, news = _compare(state, unit, now_ns)
    other = news is None or news.type is EventType.BEHAVES_DIFFERENTLY
    if unit.episode is None or not other:
        return after, news
    # A day with a large download is bound to be different: why is the news, not that.
    news = replace(
        _tell(state, unit, EventType.UPDATE_IN_PROGRESS, state.version),
        cause=Cause.NONE,
        reasons=(unit.episode,),
    )
    return replace(after, differs=state.differs), news


def _compare(state: DeviceState, unit: UnitJudged, now_ns: int) -> _Next:
    cause = unit.decision.cause
    if unit.level is Level.NONE:
        state = replace(state, differs=False)
        if state.state is State.SUSPECTED:
            state = _move(state, Trigger.FADED, now_ns)
        return state, None
    if cause is Cause.SETTINGS and unit.level is Level.ALARM:
        if state.differs:
            return state, None
        news = _tell(state, unit, EventType.BEHAVES_DIFFERENTLY, state.version)
        return replace(state, differs=True), news
    if unit.level is Level.ALARM and cause is Cause.SOFTWARE:
        return _alarm(state, unit, now_ns)
    if state.state is State.STABLE:
        state = _move(state, Trigger.SUSPECTED, now_ns)
    return state, None


def _alarm(state: DeviceState, unit: UnitJudged, now_ns: int) -> _Next:
    state = _move(state, Trigger.ALARMED, now_ns)
    known = unit.matched_version
    if known is not None and known != state.version:
        return _return_to_known(state, unit, known, now_ns)
    new = state.last_version + 1
    news = _tell(state, unit, EventType.VERSION_CHANGED, new)
    state = replace(
        state,
        next_version=new,
        last_version=new,
        version_since_ns=unit.unit_start_ns,
        expected_until_ns=None,
    )
    return state, news


def _settle(state: DeviceState, unit: UnitJudged, now_ns: int, rules: Rules) -> _Next:
    known = unit.matched_version
    if known is not None and known != state.next_version:
        return _return_to_known(state, unit, known, now_ns)
    settled = state.settled_units + 1 if unit.level is Level.NONE else 0
    state = replace(state, settled_units=settled)
    if settled >= rules.settle_units:
        state = _take_next_version(_move(state, Trigger.SETTLED, now_ns))
    return state, None


def _return_to_known(state: DeviceState, unit: UnitJudged, known: int, now_ns: int) -> _Next:
    news = _tell(state, unit, EventType.RETURNED_TO_KNOWN_VERSION, known)
    state = replace(
        _move(state, Trigger.RECOGNISED, now_ns),
        next_version=known,
        version_since_ns=unit.unit_start_ns,
        expected_until_ns=None,
    )
    return _take_next_version(state), news


def _accept(state: DeviceState, now_ns: int) -> _Next:
    if state.before_quiet is State.CHANGED:  # whoever steers does not wait for traffic
        state = _move(state, Trigger.HEARD, now_ns)
    if state.state is not State.CHANGED:
        return state, None
    news = News(EventType.ACCEPTED, state.version, state.next_version)
    return _take_next_version(_move(state, Trigger.ACCEPTED, now_ns)), news


def _relearn(state: DeviceState, now_ns: int) -> DeviceState:
    state = _take_next_version(_move(state, Trigger.RELEARN, now_ns))
    return replace(state, version_since_ns=now_ns, learned_units=0)


def _take_next_version(state: DeviceState) -> DeviceState:
    """Let the announced version, if any, be the one that runs, and end every episode."""
    return replace(
        state,
        version=state.next_version or state.version,
        next_version=None,
        settled_units=0,
        differs=False,
    )


def _tell(state: DeviceState, unit: UnitJudged, kind: EventType, to_version: int) -> News:
    until_ns = state.expected_until_ns
    return News(
        kind,
        from_version=state.next_version or state.version,
        to_version=to_version,
        cause=unit.decision.cause,
        expected=until_ns is not None and unit.unit_start_ns <= until_ns,
        reasons=unit.decision.reasons,
    )


def suspect(
    state: DeviceState, reason: Reason, now_ns: int, rules: Rules
) -> tuple[DeviceState, tuple[Event, ...]]:
    """Tell a suspicion that leaves the state as it is: not its software is in doubt."""
    news = News(
        EventType.BEHAVES_DIFFERENTLY,
        state.version,
        state.version,
        Cause.SETTINGS,
        reasons=(reason,),
    )
    return _send(state, news, now_ns, rules)


def _send(
    state: DeviceState, news: News, now_ns: int, rules: Rules
) -> tuple[DeviceState, tuple[Event, ...]]:
    event = make_event(news, state.device, now_ns, rules.agent, state.event_count)
    return replace(state, event_count=state.event_count + 1), (event,)


_ON_UNIT: Mapping[State, Callable[[DeviceState, UnitJudged, int, Rules], _Next]] = {
    State.LEARNING: _learn,
    State.STABLE: _watch,
    State.SUSPECTED: _watch,
    State.CHANGED: _settle,
}

"""The state machine: what each rule promises, and what no sequence of inputs may do."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from uuid import UUID

import pytest
from fwid_agent.core.stability import (
    TRANSITIONS,
    Accepted,
    DeviceState,
    ExpectUpdate,
    Input,
    Level,
    Relearn,
    Rules,
    Trigger,
    UnitJudged,
    enrol,
    from_json,
    step,
    to_json,
)
from fwid_agent.types import Cause, Decision, Event, EventType, Reason, State, Verdict
from hypothesis import given
from hypothesis import strategies as st

MAC = 0xB0C554000001
DAY_NS = 86_400_000_000_000
RULES = Rules(agent=UUID(int=7), learning_units=3, settle_units=2)


def decision(cause: Cause) -> Decision:
    return Decision(
        device="b0:c5:54:00:00:01",
        verdict=Verdict.STABLE,
        cause=cause,
        effect=None,
        similarity_baseline=1.0,
        similarity_test=1.0,
        score=0.0,
        software=0.0,
        reasons=(Reason("size_replaced", {"old": 634, "new": 638}, 9.0),),
        missing="",
    )


def unit(
    day: int,
    level: Level = Level.NONE,
    cause: Cause = Cause.NONE,
    *,
    heard: bool = True,
    matched: int | None = None,
) -> UnitJudged:
    return UnitJudged(decision(cause), day * DAY_NS, heard, level, matched)


def software(day: int, matched: int | None = None) -> UnitJudged:
    return unit(day, Level.ALARM, Cause.SOFTWARE, matched=matched)


def walk(inputs: Sequence[Input]) -> tuple[list[DeviceState], list[Event]]:
    state, sent = enrol(MAC, 0, RULES)
    states, events = [state], list(sent)
    for day, each in enumerate(inputs):
        state, sent = step(state, each, (day + 1) * DAY_NS, RULES)
        states.append(state)
        events += sent
    return states, events


def run(inputs: Sequence[Input]) -> tuple[DeviceState, list[Event]]:
    states, events = walk(inputs)
    return states[-1], events


LEARNED = [unit(0), unit(1), unit(2)]


def test_a_device_is_announced_and_learned() -> None:
    """Enrolling tells of the device; learning ends after exactly `learning_units` units."""
    state, events = run(LEARNED[:2])
    assert (state.state, state.learned_units) == (State.LEARNING, 2)
    assert [each.type for each in events] == [EventType.NEW_DEVICE]
    assert (events[0].from_version, events[0].to_version) == (None, 1)
    assert run(LEARNED)[0].state is State.STABLE


def test_units_without_traffic_do_not_count_as_learned() -> None:
    """A silent day is quiet, and learning goes on where it stood."""
    state, _ = run([unit(0), unit(1, heard=False)])
    assert state.state is State.QUIET
    assert run([unit(0), unit(1, heard=False), unit(2)])[0].learned_units == 2


def test_the_lower_threshold_is_never_an_alarm() -> None:
    """Suspicion sends nothing, however long it lasts, and fades."""
    weak = [unit(day, Level.SUSPECT, Cause.SOFTWARE) for day in range(3, 9)]
    state, events = run([*LEARNED, *weak])
    assert state.state is State.SUSPECTED
    assert [each.type for each in events] == [EventType.NEW_DEVICE]
    assert run([*LEARNED, *weak, unit(9)])[0].state is State.STABLE


@pytest.mark.parametrize("before", [[], [unit(3, Level.SUSPECT, Cause.SOFTWARE)]])
def test_a_software_change_takes_a_new_number_when_it_has_settled(before: list[Input]) -> None:
    """The alarm announces the number; it holds after `settle_units` stable units in a row."""
    changed, events = run([*LEARNED, *before, software(4)])
    assert (changed.state, changed.version, changed.version_since_ns) == (
        State.CHANGED,
        1,
        4 * DAY_NS,
    )
    last = events[-1]
    assert (last.type, last.from_version, last.to_version) == (EventType.VERSION_CHANGED, 1, 2)
    assert last.cause is Cause.SOFTWARE
    assert [(each.key, each.params["new"]) for each in last.reasons] == [("size_replaced", 638)]
    restless = [unit(5), unit(6, Level.SUSPECT), unit(7)]
    state, _ = run([*LEARNED, *before, software(4), *restless])
    assert (state.state, state.settled_units) == (State.CHANGED, 1)
    state, after = run([*LEARNED, *before, software(4), *restless, unit(8)])
    assert (state.state, state.version) == (State.STABLE, 2)
    assert len(after) == len(events)  # settling needs no event: the change has been told


def test_accepting_ends_a_change_at_once() -> None:
    """Accepted: the announced number holds; accepting again, or with no change, does nothing."""
    state, events = run([*LEARNED, software(3), Accepted(), Accepted()])
    assert (state.state, state.version) == (State.STABLE, 2)
    assert [each.type for each in events[1:]] == [EventType.VERSION_CHANGED, EventType.ACCEPTED]
    assert (events[-1].from_version, events[-1].to_version) == (1, 2)


def test_a_change_can_be_accepted_while_the_device_is_quiet() -> None:
    """A person need not wait until the device speaks again."""
    state, events = run([*LEARNED, software(3), unit(4, heard=False), Accepted()])
    assert (state.state, state.version) == (State.STABLE, 2)
    assert events[-1].type is EventType.ACCEPTED


def test_an_earlier_version_gets_its_number_back() -> None:
    """A downgrade is told as such, and no new number is spent on it."""
    updated = [*LEARNED, software(3), Accepted()]
    state, events = run([*updated, software(6, matched=1)])
    assert (state.state, state.version, state.last_version) == (State.STABLE, 1, 2)
    last = events[-1]
    assert last.type is EventType.RETURNED_TO_KNOWN_VERSION
    assert (last.from_version, last.to_version) == (2, 1)


def test_an_earlier_version_is_recognised_before_a_change_has_settled() -> None:
    """The announced number was given, so the next version gets another one."""
    state, events = run([*LEARNED, software(3), unit(4, matched=1), software(5)])
    assert [(each.from_version, each.to_version) for each in events[1:]] == [(1, 2), (2, 1), (1, 3)]
    assert state.next_version == 3


def test_other_behaviour_is_told_once_an_episode() -> None:
    """Settings leave the state as it is, and an episode ends with a unit as always."""
    other = [unit(day, Level.ALARM, Cause.SETTINGS) for day in range(3, 8)]
    state, events = run([*LEARNED, *other])
    assert state.state is State.STABLE
    assert [each.type for each in events[1:]] == [EventType.BEHAVES_DIFFERENTLY]
    assert events[-1].cause is Cause.SETTINGS
    _, events = run([*LEARNED, *other, unit(8), *other])
    assert len(events) == 3


def test_an_expected_update_is_marked_until_its_time_is_over() -> None:
    """Only a change in a unit that starts in time is the expected one, and only once."""
    expect = ExpectUpdate(until_ns=5 * DAY_NS)
    assert run([*LEARNED, expect, software(5)])[1][-1].expected
    assert not run([*LEARNED, expect, software(6)])[1][-1].expected
    twice = [*LEARNED, expect, software(4), Accepted(), software(5)]
    assert [each.expected for each in run(twice)[1]] == [False, True, False, False]


def test_relearning_starts_over_from_anywhere() -> None:
    """Learning begins anew; an announced version is the one that is learned."""
    state, _ = run([*LEARNED, software(3), Relearn()])
    assert (state.state, state.learned_units, state.version) == (State.LEARNING, 0, 2)


def test_a_version_that_never_was_is_refused() -> None:
    """A wrong match would give a number that nobody knows."""
    with pytest.raises(ValueError, match="never had version 2"):
        run([*LEARNED, software(3, matched=2)])


# --- what no sequence may do ---------------------------------------------------------------------

UNITS = st.builds(
    unit,
    day=st.integers(0, 400),
    level=st.sampled_from(Level),
    cause=st.sampled_from(Cause),
    heard=st.sampled_from([True, True, True, False]),
    matched=st.none() | st.just(1),
)
INPUTS = st.lists(
    UNITS
    | UNITS
    | UNITS
    | st.just(Accepted())
    | st.just(Relearn())
    | st.builds(ExpectUpdate, st.integers(0, 400 * DAY_NS)),
    max_size=40,
)


def reachable(before: DeviceState) -> set[State]:
    """States one step may end in: the table's, also through a `quiet` that ends in this step."""
    starts = {before.state, before.before_quiet or before.state}
    ways = {(a, b) for (a, _), b in TRANSITIONS.items() if b is not None}
    return starts | {b for a, b in ways if a in starts}


@given(INPUTS)
def test_no_way_into_a_state_but_the_tables(inputs: list[Input]) -> None:
    """Each step goes a way of the table, and `quiet` leads back only to where it came from."""
    states, _ = walk(inputs)
    for before, after in pairwise(states):
        assert after.state in reachable(before)
        assert (after.state is State.QUIET) == (after.before_quiet is not None)
        if before.state is State.QUIET and after.state is State.QUIET:
            assert after == replace(before, expected_until_ns=after.expected_until_ns)


@given(INPUTS)
def test_versions_go_down_only_to_known_ones(inputs: list[Input]) -> None:
    """A version number is new and highest, or was this device's before."""
    states, _ = walk(inputs)
    for before, after in pairwise(states):
        assert before.last_version <= after.last_version <= before.last_version + 1
        assert after.version in after.known_versions
        if after.version != before.version:
            assert after.version in (before.next_version, 1)  # 1 is what units match here


@given(INPUTS)
def test_settings_never_lead_to_changed(inputs: list[Input]) -> None:
    """Only a unit with signs of software brings a device into `changed`, or an end of quiet."""
    states, _ = walk(inputs)
    for before, given_, after in zip(states, inputs, states[1:], strict=False):
        entered = after.state is State.CHANGED and State.CHANGED not in (
            before.state,
            before.before_quiet,
        )
        if entered:
            assert isinstance(given_, UnitJudged)
            assert given_.decision.cause is Cause.SOFTWARE
            assert given_.level is Level.ALARM


@given(INPUTS, st.sets(st.integers(0, 40)))
def test_replay_in_pieces_gives_the_same_events(inputs: list[Input], stops: set[int]) -> None:
    """A state written and read again between any steps changes nothing, ids included."""
    state, sent = enrol(MAC, 0, RULES)
    events = list(sent)
    for day, each in enumerate(inputs):
        if day in stops:
            state = from_json(to_json(state))
        state, sent = step(state, each, (day + 1) * DAY_NS, RULES)
        events += sent
    assert (state, events) == run(inputs)


@given(INPUTS)
def test_event_ids_are_unique(inputs: list[Input]) -> None:
    """Two events of one device never share an id, not even of one moment."""
    state, sent = enrol(MAC, 0, RULES)
    ids = [each.id for each in sent]
    for each in [*LEARNED, software(3), Accepted(), software(4), Accepted(), *inputs]:
        state, sent = step(state, each, 0, RULES)
        ids += [event.id for event in sent]
    assert len(ids) >= 5
    assert len(set(ids)) == len(ids)


def test_ids_differ_between_agents_and_devices() -> None:
    """Events of two homes, or of two devices at one moment, are never taken for each other."""
    other_agent = replace(RULES, agent=UUID(int=8))
    ids = {
        enrol(mac, 0, rules)[1][0].id for mac in (MAC, MAC + 1) for rules in (RULES, other_agent)
    }
    assert len(ids) == 4


def test_every_trigger_and_state_is_in_the_table() -> None:
    """The table names nothing that cannot happen, and leaves no state without a way in."""
    assert {trigger for _, trigger in TRANSITIONS} == set(Trigger)
    assert {to for to in TRANSITIONS.values() if to is not None} == set(State)

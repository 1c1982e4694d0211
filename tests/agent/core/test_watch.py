"""One device over months: what its units are compared with, and which version they are of."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from fwid_agent.core.evidence import Judge, Likeness
from fwid_agent.core.features import FEATURES
from fwid_agent.core.periods import make_period
from fwid_agent.core.prior import Tail, weak_prior
from fwid_agent.core.scan import BASELINE_UNITS, Method, Watch
from fwid_agent.core.stability import Rules
from fwid_agent.core.watch import begin, judge_unit
from fwid_agent.types import ROWS, Cause, Decision, Event, EventType, Row, State, Verdict

from tests.agent.core.tables import DAY_NS, DNS_SENT, TLS_RECEIVED, TLS_SENT, table

DHCP_SENT = ROWS.index(Row("dhcp", "sent", "lan"))

_LEARNING, _SETTLE = 4, 3
_OLD = {(TLS_SENT, 634): 8, (TLS_SENT, 90): 30, (DNS_SENT, 70): 12}
_NEW = {(TLS_SENT, 638): 8, (TLS_SENT, 90): 30, (DNS_SENT, 70): 12}
_MORE = {(TLS_SENT, 634): 90, (TLS_SENT, 90): 400, (DNS_SENT, 70): 12}
_PRIOR = replace(weak_prior(dict.fromkeys(FEATURES, 0.01)), once=Tail(0.2, 5), several=Tail(0.2, 5))
_RULES = Rules(UUID(int=7), _LEARNING, _SETTLE)
_SOFTWARE = Method(
    Judge(_PRIOR, lambda found: [Likeness(0.5, 0.9) for _ in found]), "day", DAY_NS, _RULES
)


def live(
    watch: Watch,
    days: list[dict[tuple[int, int], int]],
    first_day: int,
    method: Method = _SOFTWARE,
) -> tuple[Watch, list[Decision], list[Event]]:
    """Let days of traffic pass, each judged when it has ended."""
    decisions, happened = [], []
    for day, sizes in enumerate(days, first_day):
        unit = table([(day * DAY_NS, day, sizes)])
        watch, decision, events = judge_unit(watch, unit, (day + 1) * DAY_NS, method)
        decisions.append(decision)
        happened += events
    return watch, decisions, happened


@pytest.fixture
def stable() -> Watch:
    """A device that was learnt and has been stable for a week."""
    watch, _ = begin(0xA1, 0, _RULES)
    watch, decisions, _ = live(watch, [_OLD] * 11, 0)
    assert watch.state.state is State.STABLE
    assert decisions[-1].verdict is Verdict.STABLE
    return watch


def baseline_days(watch: Watch) -> int:
    """Days that belong to the running version, the newest too."""
    assert watch.baseline is not None
    newest = 0 if watch.newest is None else 1
    return make_period(watch.baseline, "day", DAY_NS).units + newest


def test_learning_says_how_far_it_has_come() -> None:
    """Until then there is no verdict, and the first unit has nothing to be compared with."""
    watch, _ = begin(0xA1, 0, _RULES)
    watch, decisions, _ = live(watch, [_OLD] * _LEARNING, 0)
    assert [one.verdict for one in decisions] == [Verdict.INSUFFICIENT] * _LEARNING
    assert decisions[0].missing == "this is the first unit"
    assert decisions[2].missing == "3 of 4 units learnt"
    assert watch.state.state is State.STABLE


def test_every_learnt_day_is_usual_from_the_first_judged_one_on() -> None:
    """With the last of them missing, two days of learning would be a baseline of one."""
    watch, _ = begin(0xA1, 0, _RULES)
    watch, _, _ = live(watch, [_OLD] * _LEARNING, 0)
    watch, decisions, _ = live(watch, [_OLD], _LEARNING)
    assert decisions[0].units_baseline == _LEARNING


def test_new_software_is_suspected_then_changed_then_the_new_usual(stable: Watch) -> None:
    """One unit never alarms; when it has settled the baseline is of the new version alone."""
    watch, decisions, happened = live(stable, [_NEW], 11)
    assert watch.state.state is State.SUSPECTED
    assert not happened
    watch, decisions, happened = live(watch, [_NEW] * 4, 12)
    assert [one.type for one in happened][-1] is EventType.VERSION_CHANGED
    assert decisions[0].verdict is Verdict.CHANGED
    assert watch.state.version == 2
    watch, decisions, happened = live(watch, [_NEW] * 3, 16)
    assert watch.state.state is State.STABLE
    assert {one.verdict for one in decisions} == {Verdict.STABLE}
    assert watch.earlier.keys() == {1}
    values = set(watch.baseline.tokens["value"].tolist()) if watch.baseline else set()
    assert 638 in values
    assert 634 not in values


def test_an_update_in_the_middle_of_a_day_is_seen(stable: Watch) -> None:
    """The day on which both versions ran makes neither of them look usual."""
    watch, _, happened = live(stable, [_OLD | _NEW, _NEW, _NEW, _NEW], 11)
    changed = [one for one in happened if one.type is EventType.VERSION_CHANGED]
    assert len(changed) == 1
    assert changed[0].reasons[0].key == "size_replaced"
    watch, _, _ = live(watch, [_NEW] * 4, 15)
    assert watch.state.state is State.STABLE
    assert watch.state.version == 2
    old = watch.earlier[1].tokens["value"].tolist()
    assert 638 not in old


def test_a_suspicious_day_of_an_update_does_not_hide_it(stable: Watch) -> None:
    """The day itself was odd and waited; the days after it are looked at without it."""
    odd = {(TLS_SENT, 638): 8, (TLS_SENT, 90): 30, (DNS_SENT, 71): 12}
    watch, _, _ = live(stable, [odd], 11)
    assert watch.state.state is State.SUSPECTED
    newer = {(TLS_SENT, 634): 8, (TLS_SENT, 91): 30, (DNS_SENT, 70): 12}
    watch, _, happened = live(watch, [newer] * 3, 12)
    changed = [one for one in happened if one.type is EventType.VERSION_CHANGED]
    assert len(changed) == 1
    assert 91 in {reason.params.get("new") for reason in changed[0].reasons}


def test_a_suspicion_that_lingers_does_not_hide_the_change_behind_it() -> None:
    """A sign that is too weak to alarm, and is never refuted, waits; the update comes meanwhile."""
    usual = {(TLS_SENT, 634): 8, (TLS_SENT, 90): 30}
    newer = {(TLS_SENT, 638): 8, (TLS_SENT, 90): 30}
    slow = replace(_PRIOR, once=Tail(0.8, 5), several=Tail(0.8, 5))
    judge = replace(_SOFTWARE.judge, prior=slow, chance=1e-4)
    method = replace(_SOFTWARE, judge=judge, rules=replace(_RULES, settle_units=9))
    watch, _ = begin(0xA1, 0, _RULES)
    watch, _, _ = live(watch, [usual | {(DNS_SENT, 70): 12}, *[usual] * 10], 0, method)
    watch, _, _ = live(watch, [usual | {(DNS_SENT, 71): 12}, usual, usual], 11, method)
    assert watch.state.state is State.SUSPECTED
    watch, _, happened = live(watch, [newer] * 3, 14, method)
    changed = [one for one in happened if one.type is EventType.VERSION_CHANGED]
    assert [one.reasons[0].params["new"] for one in changed] == [638]


@pytest.mark.parametrize(
    ("second_look", "told"),
    [(0.9, EventType.VERSION_CHANGED), (0.1, EventType.BEHAVES_DIFFERENTLY)],
)
def test_what_looks_like_settings_waits_for_a_second_look(
    stable: Watch, second_look: float, told: EventType
) -> None:
    """Taken as usual at once, the first day of new software would hide all the days after it."""

    def looking(software: float) -> Method:
        judge = Judge(_PRIOR, lambda found: [Likeness(0.5, software) for _ in found])
        return replace(_SOFTWARE, judge=judge)

    watch, decisions, happened = live(stable, [_NEW], 11, looking(0.1))
    assert decisions[0].verdict is Verdict.DIFFERENT
    assert watch.state.state is State.SUSPECTED
    assert not happened
    watch, _, happened = live(watch, [_NEW], 12, looking(second_look))
    assert [one.type for one in happened] == [told]


def test_an_update_that_was_seen_lets_a_weaker_sign_alarm() -> None:
    """Of two devices with the same sign, the one that was seen to download and restart alarms."""
    usual = {(TLS_SENT, 90): 30, (TLS_RECEIVED, 1000): 40, (DHCP_SENT, 300): 3}
    rare, newer = usual | {(DNS_SENT, 70): 12}, usual | {(DNS_SENT, 71): 12}
    update = usual | {(TLS_RECEIVED, 1500): 2000, (DHCP_SENT, 300): 4}
    slow = replace(_PRIOR, once=Tail(0.8, 5), several=Tail(0.8, 5))
    # 1.6 of the threshold's 8 natural units are between a usual day and one of an episode.
    judge = replace(_SOFTWARE.judge, prior=slow, chance=1.5e-4)
    method = replace(_SOFTWARE, judge=judge, rules=replace(_RULES, settle_units=9))
    told = []
    for day_before in (usual, update):
        watch, _ = begin(0xA1, 0, _RULES)
        watch, _, _ = live(watch, [rare, *[usual] * 9, day_before], 0, method)
        watch, _, happened = live(watch, [newer] * 3, 11, method)
        told.append([one for one in happened if one.type is EventType.VERSION_CHANGED])
    assert not told[0]
    assert "update_episode" in {reason.key for reason in told[1][0].reasons}


def test_a_day_like_that_of_an_update_is_told_as_one() -> None:
    """Once for the day, with what was downloaded, and not as behaviour that merely differs."""
    usual = {(TLS_SENT, 90): 30, (TLS_RECEIVED, 1000): 40, (DHCP_SENT, 300): 3}
    update = usual | {(TLS_RECEIVED, 1500): 2000, (DHCP_SENT, 300): 4}
    download = usual | {(TLS_RECEIVED, 1500): 2000}
    watch, _ = begin(0xA1, 0, _RULES)
    watch, _, before = live(watch, [usual] * 11, 0)
    assert EventType.UPDATE_IN_PROGRESS not in {one.type for one in before}
    _, _, happened = live(watch, [update, usual], 11)
    told = [one for one in happened if one.type is EventType.UPDATE_IN_PROGRESS]
    assert [one.time for one in told] == [happened[0].time]
    assert [reason.key for reason in told[0].reasons] == ["update_episode"]
    assert told[0].cause is Cause.NONE
    assert EventType.BEHAVES_DIFFERENTLY not in {one.type for one in happened}
    _, _, happened = live(watch, [download, usual], 11)
    assert EventType.UPDATE_IN_PROGRESS not in {one.type for one in happened}


def test_an_odd_day_fades_and_joins_the_usual(stable: Watch) -> None:
    """A rare variant of the same version is part of what the device does."""
    before = baseline_days(stable)
    watch, _, happened = live(stable, [_NEW, _OLD, _OLD, _OLD], 11)
    assert watch.state.state is State.STABLE
    assert watch.state.version == 1
    assert not [one for one in happened if one.type is EventType.VERSION_CHANGED]
    assert watch.waiting is None
    assert baseline_days(watch) == before + 4


def test_the_version_before_is_known_again(stable: Watch) -> None:
    """A rollback gets its number back, and its days are the baseline again."""
    watch, _, _ = live(stable, [_NEW] * 8, 11)
    assert watch.state.version == 2
    watch, _, happened = live(watch, [_OLD] * 5, 19)
    returned = [one for one in happened if one.type is EventType.RETURNED_TO_KNOWN_VERSION]
    assert len(returned) == 1
    assert (returned[0].from_version, returned[0].to_version) == (2, 1)
    assert watch.state.version == 1
    assert watch.earlier.keys() == {2}
    assert baseline_days(watch) > 5


def test_more_of_the_same_is_no_version(stable: Watch) -> None:
    """Use moves volume and timing; that is never an alarm."""
    watch, decisions, _ = live(stable, [_MORE] * 6, 11)
    assert watch.state.version == 1
    assert watch.state.state in (State.STABLE, State.SUSPECTED)
    assert Verdict.CHANGED not in {one.verdict for one in decisions}


def test_a_day_with_hardly_a_packet_says_nothing(stable: Watch) -> None:
    """A device that is off for a holiday is quiet; the baseline waits for it."""
    before = baseline_days(stable)
    watch, decisions, happened = live(stable, [{(TLS_SENT, 638): 1}] * 3, 11)
    assert {one.verdict for one in decisions} == {Verdict.INSUFFICIENT}
    assert watch.state.state is State.QUIET
    assert not happened
    assert baseline_days(watch) == before
    watch, _, _ = live(watch, [_OLD] * 2, 14)
    assert watch.state.state is State.STABLE


def test_the_baseline_is_the_newest_four_weeks(stable: Watch) -> None:
    """Memory and cost stay bounded over years, and old habits are forgotten."""
    watch, _, _ = live(stable, [_OLD] * (BASELINE_UNITS + 5), 11)
    assert baseline_days(watch) == BASELINE_UNITS + 1
    assert watch.baseline is not None
    assert watch.baseline.start_ns.min() == (11 + 4) * DAY_NS
    assert len(watch.own.scores) <= BASELINE_UNITS
    assert np.isfinite(watch.own.similarities).all()

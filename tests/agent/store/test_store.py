"""The store keeps what it is given, adds what adds, and forgets only what is too old."""

import math
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from fwid_agent.config import Config
from fwid_agent.core.events import News, make_event
from fwid_agent.errors import StoreError
from fwid_agent.store import (
    DeviceName,
    DeviceRow,
    Progress,
    SessionProgress,
    Store,
    VerdictRow,
)
from fwid_agent.tables import MOST_TEXTS
from fwid_agent.types import (
    CONTACT_DTYPE,
    SEEN,
    Cause,
    ContactTable,
    Decision,
    Effect,
    Event,
    EventType,
    HandshakeText,
    Reason,
    State,
    TokenKind,
    UnitTable,
    Verdict,
    format_mac,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_tables import DAY_NS, HOUR_NS, assert_same, make_table, tables

MAC = 0xB0C554000001
DEVICE = DeviceRow(MAC, 5, 9, packets_sent=3, packets_received=4, bytes=700)
SESSION = SessionProgress("sha256 and size", "day1.pcap", frames_done=7)


def windows(table: UnitTable, session: SessionProgress = SESSION) -> Progress:
    return Progress(session=session, windows={MAC: table}, devices=[DEVICE])


def event(number: int, *, day: int = 0, mac: int = MAC) -> Event:
    news = News(EventType.VERSION_CHANGED, 1, 2, Cause.SOFTWARE, reasons=(Reason("key", {}, 1.0),))
    return make_event(news, mac, day * DAY_NS, UUID(int=1), number)


def decision(**changes: object) -> Decision:
    plain = Decision(
        device=format_mac(MAC),
        verdict=Verdict.CHANGED,
        cause=Cause.SOFTWARE,
        effect=Effect(1.5, -0.25, 3.25, 7, 2),
        similarity_baseline=0.9,
        similarity_test=0.4,
        score=2.5,
        software=0.75,
        reasons=(Reason("size_replaced", {"old": 634, "new": 638, "first_flight": True}, 9.5),),
        missing="",
        units_baseline=7,
        units_test=2,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


# --- windows and units ---------------------------------------------------------------------------


@settings(max_examples=50)
@given(tables())
def test_windows_come_back(table: UnitTable) -> None:
    """Every number of every window is kept exactly."""
    with Store.open(Path(":memory:")) as store:
        store.commit_progress(windows(table))
        assert_same(store.windows(MAC), table)


@settings(max_examples=50)
@given(st.lists(tables(), min_size=1, max_size=4))
def test_the_order_of_commits_does_not_matter(parts: list[UnitTable]) -> None:
    """Windows of one session add up, whichever piece comes first."""
    with Store.open(Path(":memory:")) as store, Store.open(Path(":memory:")) as reverse:
        for part in parts:
            store.commit_progress(windows(part))
        for part in reversed(parts):
            reverse.commit_progress(windows(part))
        assert_same(store.windows(MAC), reverse.windows(MAC))
        assert store.windows(MAC).sums.sum() == sum(part.sums.sum() for part in parts)
        counted = sum(int(part.tokens["count"].sum()) for part in parts)
        assert store.windows(MAC).tokens["count"].sum() == counted


def test_windows_of_two_sessions_stay_apart(store: Store) -> None:
    """A session is an observation of its own, also where two cover the same hour."""
    table = make_table(1, [0])
    store.commit_progress(windows(table))
    store.commit_progress(windows(table, replace(SESSION, fingerprint="another")))
    kept = store.windows(MAC)
    assert len(kept) == 2
    assert len(set(kept.session.tolist())) == 2
    assert len(store.units(MAC, DAY_NS)) == 2


def test_windows_can_be_read_from_a_time_on(store: Store) -> None:
    """`since_ns` is inclusive."""
    store.commit_progress(windows(make_table(1, [0, HOUR_NS, 2 * HOUR_NS])))
    assert store.windows(MAC, HOUR_NS).start_ns.tolist() == [HOUR_NS, 2 * HOUR_NS]


def test_units_are_the_sums_of_their_windows(store: Store) -> None:
    """A unit holds each of its windows once."""
    table = make_table(2, [hour * HOUR_NS for hour in range(30)])
    store.commit_progress(windows(table))
    units = store.units(MAC, DAY_NS)
    assert units.start_ns.tolist() == [0, DAY_NS]
    assert units.observed.tolist() == [24.0, 6.0]
    np.testing.assert_allclose(units.sums[0], table.sums[:24].sum(axis=0))
    assert units.tokens["count"].sum() == table.tokens["count"].sum()


@pytest.mark.parametrize("since", [0, 2, 9])
def test_a_start_reads_what_it_needs_as_it_is(store: Store, since: int) -> None:
    """Units of a year are not read where seven are remembered; those that are read are whole."""
    table = make_table(3, [day * DAY_NS + hour * HOUR_NS for day in range(20) for hour in (1, 2)])
    store.commit_progress(windows(table))
    store.compact(20 * DAY_NS, Config())
    kept, units = store.restorable(MAC, DAY_NS, since * DAY_NS)
    assert 0 < len(kept) < len(table)
    assert_same(kept, store.windows(MAC))
    assert_same(units, store.units(MAC, DAY_NS, since * DAY_NS))
    assert len(units) == 20 - since


def test_an_unknown_device_has_no_windows(store: Store) -> None:
    """Nothing known is an empty table, not an error."""
    assert len(store.windows(MAC)) == 0
    assert len(store.units(MAC, DAY_NS)) == 0


def test_windows_without_a_session_are_refused(store: Store) -> None:
    """Nothing could keep their packets from being counted twice."""
    with pytest.raises(StoreError, match="session"):
        store.commit_progress(Progress(windows={MAC: make_table(1, [0])}, devices=[DEVICE]))


# --- a commit as a whole -------------------------------------------------------------------------


def test_a_session_goes_on_where_it_stood(path: Path) -> None:
    """What was read of an input is known when the store is opened again."""
    with Store.open(path) as store:
        assert store.session(SESSION.fingerprint) is None
        store.commit_progress(Progress(session=SESSION))
        store.commit_progress(Progress(session=replace(SESSION, frames_done=9)))
    with Store.open(path, create=False) as store:
        assert store.session(SESSION.fingerprint) == replace(SESSION, frames_done=9)


def test_a_commit_that_fails_leaves_nothing(store: Store) -> None:
    """A device that was never given: neither its verdict nor anything beside it is stored."""
    verdict = VerdictRow(MAC + 1, 0, State.STABLE, 1, decision())
    with pytest.raises(StoreError):
        store.commit_progress(replace(windows(make_table(1, [0])), verdicts=[verdict]))
    assert store.session(SESSION.fingerprint) is None
    assert store.devices() == ()


def test_what_is_counted_of_devices_adds_up(store: Store) -> None:
    """Counts add; first and last seen widen."""
    store.commit_progress(Progress(devices=[DEVICE]))
    store.commit_progress(Progress(devices=[replace(DEVICE, first_seen_ns=7, last_seen_ns=20)]))
    assert store.devices() == (DeviceRow(MAC, 5, 20, 6, 8, 1400),)


def test_states_are_replaced(store: Store) -> None:
    """The last state is the one that holds."""
    store.commit_progress(Progress(devices=[DEVICE], states={MAC: "{}"}))
    store.commit_progress(Progress(states={MAC: '{"state": "stable"}'}))
    assert store.states() == {MAC: '{"state": "stable"}'}


def test_versions_can_be_named_and_renamed(store: Store) -> None:
    """The last name is the one that holds."""
    store.commit_progress(Progress(devices=[DEVICE]))
    for version, label in ((1, "1.1.0"), (2, "1.7"), (2, "1.7.5")):
        store.label(MAC, version, label)
    assert store.labels(MAC) == {1: "1.1.0", 2: "1.7.5"}


def test_a_persons_name_goes_before_a_devices_own(store: Store) -> None:
    """And its own comes back when the person's is taken away; both are kept apart."""
    store.commit_progress(Progress(devices=[DEVICE]))
    assert store.names() == {}
    store.name(MAC, "Kitchen plug")
    assert store.names() == {MAC: DeviceName(given="Kitchen plug")}
    assert store.names()[MAC].shown == "Kitchen plug"
    store.name(MAC, None)
    assert store.names()[MAC].shown is None


def said(number: int, last_ns: int) -> HandshakeText:
    return HandshakeText(TokenKind.DNS_NAME, number, f"{number}.example", last_ns)


def test_what_devices_say_is_kept_with_when_they_said_it_last(store: Store) -> None:
    """Once each, whatever is stored in which order, and gone with the device."""
    store.commit_progress(Progress(devices=[DEVICE], texts={MAC: [said(1, 5), said(2, 9)]}))
    store.commit_progress(Progress(texts={MAC: [said(1, 7), said(2, 3)]}))
    assert store.texts() == {MAC: (said(1, 7), said(2, 9))}
    store.forget([MAC])
    assert store.texts() == {}


def test_what_devices_say_is_bounded_and_forgotten(store: Store) -> None:
    """The latest are kept, as long as units are; all go when handshakes are switched off."""
    texts = [said(number, number * DAY_NS) for number in range(MOST_TEXTS + 10)]
    store.commit_progress(Progress(devices=[DEVICE], texts={MAC: texts}))
    assert sorted(each.value for each in store.texts()[MAC]) == list(range(10, MOST_TEXTS + 10))
    now_ns = (MOST_TEXTS + 10) * DAY_NS
    store.compact(now_ns, Config(handshakes=True, units_kept_days=20))
    assert sorted(each.value for each in store.texts()[MAC]) == list(
        range(MOST_TEXTS - 10, MOST_TEXTS + 10)
    )
    store.compact(now_ns, Config(units_kept_days=20))
    assert store.texts() == {}


def test_the_agent_keeps_its_id(path: Path) -> None:
    """Event ids hang on it."""
    with Store.open(path) as store:
        first = store.agent
    with Store.open(path) as store:
        assert store.agent == first


# --- verdicts ------------------------------------------------------------------------------------


def test_verdicts_come_back(store: Store) -> None:
    """All of a decision is kept; a second one of the same unit takes the first's place."""
    rows = [
        VerdictRow(MAC, 0, State.STABLE, 1, decision(verdict=Verdict.STABLE, effect=None)),
        VerdictRow(MAC, DAY_NS, State.CHANGED, 2, decision()),
    ]
    wrong = replace(rows[0], state=State.SUSPECTED)
    store.commit_progress(Progress(devices=[DEVICE], verdicts=[wrong, *rows]))
    assert store.verdicts(MAC) == tuple(rows)
    assert store.verdicts(MAC, 1) == (rows[1],)


def test_the_newest_verdict_is_found(store: Store) -> None:
    """However long ago it was."""
    assert store.latest_verdict(MAC) is None
    rows = [VerdictRow(MAC, day * DAY_NS, State.STABLE, 1, decision()) for day in (3, 1, 2)]
    store.commit_progress(Progress(devices=[DEVICE], verdicts=rows))
    assert store.latest_verdict(MAC) == rows[0]


def test_what_cannot_be_said_stays_so(store: Store) -> None:
    """A decision of too little traffic has no numbers, and gets none from the store."""
    empty = decision(
        verdict=Verdict.INSUFFICIENT,
        similarity_baseline=math.nan,
        effect=Effect(math.nan, -math.inf, math.inf, 1, 1),
        missing="one more day",
    )
    row = VerdictRow(MAC, 0, State.LEARNING, 1, empty)
    store.commit_progress(Progress(devices=[DEVICE], verdicts=[row]))
    (kept,) = store.verdicts(MAC)
    assert math.isnan(kept.decision.similarity_baseline)
    assert kept.decision.effect is not None
    assert math.isnan(kept.decision.effect.g)
    assert (kept.decision.effect.low, kept.decision.effect.high) == (-math.inf, math.inf)
    assert kept.decision.missing == "one more day"


# --- events --------------------------------------------------------------------------------------


def test_events_are_numbered_and_kept_once(store: Store) -> None:
    """A repeated run sends the same events again: they keep their numbers."""
    first = store.commit_progress(Progress(events=[event(0), event(1)]))
    again = store.commit_progress(Progress(events=[event(1), event(2)]))
    assert [each.seq for each in (*first, *again)] == [1, 2, 3]
    page = store.events()
    assert page.events == (*first, *again)
    assert [replace(each, seq=0) for each in page.events] == [event(0), event(1), event(2)]
    assert (page.gap, page.last_seq) == (False, 3)


def test_events_are_read_in_pages(store: Store) -> None:
    """Asking after the last one seen goes through all of them, and then gives none."""
    store.commit_progress(Progress(events=[event(number) for number in range(5)]))
    seen: list[int] = []
    while page := store.events(seen[-1] if seen else 0, limit=2).events:
        assert len(page) <= 2
        seen += [each.seq for each in page]
    assert seen == [1, 2, 3, 4, 5]


def test_events_of_one_device_are_found_among_others(store: Store) -> None:
    """All of them, or the latest of a kind."""
    other = MAC + 1
    stored = store.commit_progress(
        Progress(events=[event(0), event(1, mac=other), event(2), event(3, mac=other)])
    )
    name = format_mac(MAC)
    assert store.events(device=name).events == (stored[0], stored[2])
    assert store.events(stored[0].seq, 1, device=name).events == (stored[2],)
    latest = store.latest_events(EventType.VERSION_CHANGED, EventType.ACCEPTED)
    assert latest == {name: stored[2], format_mac(other): stored[3]}
    assert store.latest_events(EventType.NEW_DEVICE) == {}


def test_a_gap_is_told(store: Store) -> None:
    """Whoever missed events that are gone, or knows another store's, has to start anew."""
    assert not store.events(0).gap
    assert store.events(3).gap
    store.commit_progress(Progress(events=[event(0), event(1), event(2, day=1000)]))
    store.compact(1000 * DAY_NS, Config())
    assert [each.seq for each in store.events(2).events] == [3]
    assert store.events(1).gap
    assert not store.events(2).gap
    assert not store.events(3).gap


def test_numbers_never_come_back(store: Store) -> None:
    """Also when all events are gone, the next number is a new one."""
    store.commit_progress(Progress(events=[event(0), event(1)]))
    store.compact(1000 * DAY_NS, Config())
    assert store.events(2).events == ()
    assert store.events(0).gap
    (new,) = store.commit_progress(Progress(events=[event(2, day=1000)]))
    assert new.seq == 3


# --- retention -----------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.lists(tables(), min_size=1, max_size=3), st.lists(st.integers(14, 90), max_size=4))
def test_compacting_changes_no_unit(parts: list[UnitTable], days: list[int]) -> None:
    """Whenever windows are folded, also between late arrivals, the units stay the same."""
    with Store.open(Path(":memory:")) as store, Store.open(Path(":memory:")) as plain:
        for part in parts:
            store.commit_progress(windows(part))
            plain.commit_progress(windows(part))
            for day in days:
                store.compact(day * DAY_NS, Config())
        assert_same(store.units(MAC, DAY_NS), plain.units(MAC, DAY_NS))


def met(start_ns: int, seen: int, network: int) -> Progress:
    """A window with traffic and contacts."""
    networks = np.array([(0, network, seen)], CONTACT_DTYPE)
    counts = np.full((1, len(SEEN)), seen, np.int64)
    table = ContactTable(np.array([start_ns]), counts, networks, np.array([seen]))
    return replace(windows(make_table(1, [start_ns])), contacts={MAC: table})


def test_contacts_are_kept_as_long_as_windows_and_units(store: Store) -> None:
    """Added up by window, then by unit and over sessions, then forgotten."""
    for day, network in ((0, 8), (0, 8), (0, 9), (20, 7), (40, 8)):
        for hour in (0, 5):
            progress = met(day * DAY_NS + hour * HOUR_NS, 1, network)
            store.commit_progress(progress)
    other = replace(met(20 * DAY_NS, 1, 5), session=replace(SESSION, fingerprint="another"))
    store.commit_progress(other)
    store.compact(40 * DAY_NS, Config(units_kept_days=30))
    assert store.contacts(MAC).start_ns.tolist() == [40 * DAY_NS, 40 * DAY_NS + 5 * HOUR_NS]
    folded = store.contacts(MAC, kind="units")
    assert folded.start_ns.tolist() == [20 * DAY_NS]
    assert folded.networks.tolist() == [(0, 5, 1), (0, 7, 2)]
    assert (folded.seen[0].tolist(), folded.beyond.tolist()) == ([3] * len(SEEN), [3])
    store.commit_progress(met(20 * DAY_NS, 5, 3))  # late, and folded with the next compaction
    store.compact(40 * DAY_NS, Config(units_kept_days=30))
    assert store.contacts(MAC, kind="units").seen[0].tolist() == [8] * len(SEEN)
    assert store.seen(DAY_NS) == {MAC: (2,) * len(SEEN)}
    assert len(store.contacts(MAC + 1)) == 0


def test_windows_and_units_are_kept_as_long_as_they_should(store: Store) -> None:
    """Windows for `windows_kept_days` in whole units, units and verdicts for `units_kept_days`."""
    days = range(40)
    verdicts = [VerdictRow(MAC, day * DAY_NS, State.STABLE, 1, decision()) for day in days]
    table = make_table(3, [day * DAY_NS + HOUR_NS for day in days])
    store.commit_progress(replace(windows(table), verdicts=verdicts))
    store.compact(39 * DAY_NS + 2 * HOUR_NS, Config(windows_kept_days=14, units_kept_days=30))
    assert store.windows(MAC).start_ns.min() == 25 * DAY_NS + HOUR_NS
    assert store.units(MAC, DAY_NS).start_ns.tolist() == [day * DAY_NS for day in days[10:]]
    assert [each.unit_start_ns for each in store.verdicts(MAC)] == [
        day * DAY_NS for day in days[10:]
    ]

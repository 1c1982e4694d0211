"""What the API is told of devices is what the store holds, in the form that is documented."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest
from fwid_agent.api import messages
from fwid_agent.config import Config
from fwid_agent.core.events import News, make_event
from fwid_agent.core.scan import Watch
from fwid_agent.core.stability import DeviceState
from fwid_agent.pipeline.memory import write_watch
from fwid_agent.service.contact_records import contact_records
from fwid_agent.service.device_records import (
    count_partly_seen,
    device_record,
    device_records,
    history_records,
    judged_record,
)
from fwid_agent.store import DeviceRow, Progress, SessionProgress, Store, VerdictRow
from fwid_agent.types import (
    CONTACT_DTYPE,
    ROWS,
    SUM_INDEX,
    TOKEN_DTYPE,
    Cause,
    ContactTable,
    Decision,
    Event,
    EventType,
    Reason,
    State,
    TokenKind,
    UnitTable,
    Verdict,
    format_mac,
    format_time,
)

from tests.made_tables import DAY_NS, HOUR_NS, make_table

MAC = 0xB0C554000001
DEVICE = DeviceRow(MAC, 5, 9, packets_sent=3, packets_received=4, bytes=700)
CONFIG = Config()
SIZE = {"protocol": "dns", "direction": "sent", "scope": "lan", "first_flight": True}
REPLACED = Reason("size_replaced", SIZE | {"old": 100, "new": 90}, 9.0)


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store.open(tmp_path / "fwid.db") as opened:
        yield opened


def state(kind: State = State.CHANGED) -> str:
    watch = Watch(DeviceState(MAC, kind, since_ns=0, version_since_ns=0, last_version=2))
    return write_watch(watch, 0)


def verdict(day: int, kind: Verdict = Verdict.STABLE, reasons: tuple[Reason, ...] = ()) -> Any:
    decision = Decision(
        format_mac(MAC), kind, Cause.NONE, None, 0.9, 0.8, 0.1, 0.0, reasons, missing=""
    )
    return VerdictRow(MAC, day * DAY_NS, State.CHANGED, 1, decision)


def alarm(day: int = 0) -> Event:
    news = News(EventType.VERSION_CHANGED, 1, 2, Cause.SOFTWARE, reasons=(REPLACED,))
    return make_event(news, MAC, day * DAY_NS, UUID(int=1), 0)


def read(store: Store, now_ns: int = 0) -> dict[str, Any]:
    """The device as clients get it."""
    record = device_record(store, CONFIG, now_ns, MAC)
    assert record is not None
    assert device_records(store, CONFIG, now_ns) == [record]
    plain = json.loads(msgspec.json.encode(msgspec.convert(record, messages.Device)))
    assert isinstance(plain, dict)
    return plain


def test_why_a_device_changed_is_told_as_long_as_it_is_so(store: Store) -> None:
    """The units after an alarm are compared with the new version, and say nothing of the old."""
    later = [verdict(day) for day in range(1, 40)]
    store.commit_progress(
        Progress(devices=[DEVICE], states={MAC: state()}, verdicts=later, events=[alarm()])
    )
    device = read(store)
    assert device["cause"] == "software"
    assert device["reason_texts"] == [
        "DNS sent at home, size 90 bytes in every first flight: was 100"
    ]
    assert device["last_change"] == format_time(0)
    assert device["similarity"] == 0.8

    store.commit_progress(Progress(states={MAC: state(State.STABLE)}))
    assert read(store)["reason_texts"] == []


def test_a_suspicion_is_told_with_its_own_reasons(store: Store) -> None:
    """Not with those of an alarm of long ago."""
    newer = replace(REPLACED, params=SIZE | {"old": 90, "new": 80})
    suspect = verdict(3, Verdict.DIFFERENT, (newer,))
    store.commit_progress(
        Progress(
            devices=[DEVICE],
            states={MAC: state(State.SUSPECTED)},
            verdicts=[suspect],
            events=[alarm()],
        )
    )
    assert "size 80 bytes" in read(store)["reason_texts"][0]


def test_what_people_say_is_told(store: Store) -> None:
    """A name, a version's label, a mute and its end, an alarm that was called wrong."""
    store.commit_progress(Progress(devices=[DEVICE], states={MAC: state()}, events=[alarm()]))
    store.name(MAC, "Kitchen plug")
    store.label(MAC, 2, "1.7.5")
    store.mute(MAC, DAY_NS, 0)
    device = read(store, 1)
    assert (device["name"], device["name_source"]) == ("Kitchen plug", "person")
    assert device["versions"][1] == {"version": 2, "label": "1.7.5"}
    assert (device["muted"], device["muted_until"]) == (True, format_time(DAY_NS))
    assert not device["alarm_was_wrong"]
    store.call_wrong(device["alarm_event"], 0)
    device = read(store, DAY_NS)
    assert (device["muted"], device["muted_until"]) == (False, None)
    assert device["alarm_was_wrong"]


def test_a_device_that_is_only_seen_has_no_state(store: Store) -> None:
    """And a device that was never seen is none."""
    store.commit_progress(Progress(devices=[DEVICE]))
    assert read(store)["state"] is None
    assert device_record(store, CONFIG, 0, MAC + 1) is None


def test_a_calm_unit_gives_no_reasons_in_words() -> None:
    """Its small surprises are those of every day."""
    assert judged_record(verdict(1, reasons=(REPLACED,)))["reason_texts"] == []
    assert len(judged_record(verdict(1, Verdict.CHANGED, (REPLACED,)))["reason_texts"]) == 1


def test_what_was_usual_is_that_of_the_calm_units_before() -> None:
    """Neither the unit itself nor a suspicious one counts, and a new version begins anew."""

    def unit(day: int, similarity: float, kind: Verdict = Verdict.STABLE, version: int = 1) -> Any:
        row = verdict(day, kind)
        decision = replace(row.decision, similarity_test=similarity)
        return replace(row, decision=decision, version=version)

    rows = [unit(0, 0.9), unit(1, 0.8), unit(2, 0.1, Verdict.CHANGED), unit(3, 0.7),
            unit(4, 0.95), unit(5, 0.6, version=2)]  # fmt: skip
    told = history_records(rows, DAY_NS)
    assert [(one.get("usual_low"), one.get("usual_high")) for one in told] == [
        (None, None), (0.8, 0.9), (0.8, 0.9), (0.7, 0.9), (None, None),
    ]  # fmt: skip
    assert told[0]["time"] == format_time(DAY_NS)


def chatter(start_ns: list[int]) -> UnitTable:
    """Ten packets of 100 bytes an hour, by two flows to port 443 and one from port 80."""
    table = make_table(1, start_ns)
    table.sums[:] = 0
    sent = [(r.protocol, r.direction, r.scope) for r in ROWS].index(("tls", "sent", "cloud"))
    table.sums[:, sent, SUM_INDEX["packets"]] = 10
    table.sums[:, sent, SUM_INDEX["size"]] = 1000
    rows = [(hour, sent, TokenKind.PORT, 443, 2) for hour in range(len(start_ns))] + [
        (hour, sent + 2, TokenKind.PORT, 80, 1) for hour in range(len(start_ns))
    ]
    return replace(table, tokens=np.array(sorted(rows), TOKEN_DTYPE))


def test_contacts_are_told_by_the_hour_and_older_ones_by_the_day(store: Store) -> None:
    """Each packet once, also where two sessions share an hour."""
    hours = [0, HOUR_NS, 30 * DAY_NS]
    for number in range(2):
        session = SessionProgress(f"session {number}", "live", 0)
        progress = Progress(session, {MAC: chatter(hours)}, devices=[DEVICE])
        store.commit_progress(progress)
    store.compact(31 * DAY_NS, CONFIG)

    records = contact_records(store, CONFIG, MAC, 0)

    told = [msgspec.convert(record, messages.Contact) for record in records]
    assert [(one.time, one.length_s, one.packets, one.bytes) for one in told] == [
        (format_time(0), 86_400, 40, 4000),
        (format_time(30 * DAY_NS), 3600, 20, 2000),
    ]
    assert [(one.port, one.protocol, one.opened, one.flows) for one in told[1].ports] == [
        (443, "tls", True, 4),
        (80, "tls", False, 2),
    ]
    assert len(contact_records(store, CONFIG, MAC, DAY_NS)) == 1


def contacts(start_ns: int, seen: tuple[int, ...] = (0, 0, 0, 0), networks: Any = ()) -> Any:
    rows = np.array([(0, network, flows) for network, flows in networks], CONTACT_DTYPE)
    none = np.zeros(1, np.int64)
    return ContactTable(np.array([start_ns]), np.array([seen], np.int64), rows, none)


def test_networks_are_told_by_their_names_busiest_first(store: Store) -> None:
    """An IPv4 /24, an IPv6 /48; beyond those that are listed only flows are counted."""
    busy = [(0x080808, 5), (0x20010DB80001, 9), *((n, 1) for n in range(0x100000, 0x100028))]
    session = SessionProgress("live", "live", 0)
    windows, met = {MAC: chatter([0])}, {MAC: contacts(0, networks=busy)}
    store.commit_progress(Progress(session, windows, met, [DEVICE]))
    for day in (0, 30):  # by the hour, and folded into a day
        store.compact(day * DAY_NS, CONFIG)
        (record,) = contact_records(store, CONFIG, MAC, 0)
        contact = msgspec.convert(record, messages.Contact)
        told = [(one.network, one.flows) for one in contact.networks]
        assert told[:2] == [("2001:db8:1::/48", 9), ("8.8.8.0/24", 5)]
        assert len(told) == 32
        assert sum(flows for _, flows in told) + contact.networks_beyond == 54


def test_what_is_seen_of_a_device_is_told(store: Store) -> None:
    """By its last day: one that was moved is soon seen as it is now, one that is off as it was."""

    def see(hour: int, *seen: int) -> None:
        start_ns, session = hour * HOUR_NS, SessionProgress("live", "live", 0)
        traffic = {
            "windows": {MAC: chatter([start_ns])},
            "contacts": {MAC: contacts(start_ns, seen)},
        }
        store.commit_progress(Progress(session, devices=[DEVICE], **traffic))

    store.commit_progress(Progress(devices=[DEVICE]))
    assert read(store)["vantage"] == "unknown"
    see(0, 500, 400, 100, 0)
    assert (read(store)["vantage"], read(store)["sizes_reliable"]) == ("all", True)
    assert count_partly_seen(store) == 0
    see(30, 0, 0, 100, 3)
    assert (read(store)["vantage"], read(store)["sizes_reliable"]) == ("multicast", False)
    assert count_partly_seen(store) == 1
    assert read(store, 99 * DAY_NS)["vantage"] == "multicast"

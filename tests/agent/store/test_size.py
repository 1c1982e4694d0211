"""A home's store stays small, and writes little: both are exact, so they are held by a test."""

import time
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.config import Config
from fwid_agent.core.events import News, make_event
from fwid_agent.core.flow_sample import sample_flows
from fwid_agent.store import DeviceRow, Progress, SessionProgress, Store, VerdictRow
from fwid_agent.types import (
    CONTACT_DTYPE,
    SEEN,
    Cause,
    ContactTable,
    Decision,
    Effect,
    EventType,
    FlowSample,
    Reason,
    State,
    UnitTable,
    Verdict,
    format_mac,
)

from tests.made_flows import make_flows
from tests.made_tables import DAY_NS, HOUR_NS, make_table

DEVICES = 40
DAYS = 365
MB = 1_000_000


def table(mac: int, starts: list[int], day: int) -> UnitTable:
    """As much as the richest of real devices shows: 19 rows, 190 values."""
    return make_table(mac * 1000 + day, starts, rows=19, values_per_row=10)


def contacts(mac: int, start_ns: int) -> ContactTable:
    """A dozen networks of its own."""
    networks = np.zeros(12, CONTACT_DTYPE)
    networks["network"] = 0x350000 + (mac & 0xFF) * 16 + np.arange(12)
    networks["flows"] = 20
    seen = np.full((1, len(SEEN)), 5000, np.int64)
    return ContactTable(np.array([start_ns]), seen, networks, np.zeros(1, np.int64))


def flows(mac: int, day: int, hour: int) -> FlowSample:
    """Two flows a minute."""
    start_ns = day * DAY_NS + hour * HOUR_NS
    records = make_flows(mac + day + hour, 120, opener=mac, responder=1, start_ns=start_ns)
    units = np.zeros(len(records), np.int64)
    ((_, _, sample),) = sample_flows(records, np.array([mac], np.uint64), units)
    return sample


def verdict(mac: int, day: int) -> VerdictRow:
    params = {"protocol": "http", "direction": "received", "scope": "cloud", "feature": "packets"}
    reasons = tuple(
        Reason("statistic_moved", {**params, "before": 262.125, "after": 204.5 + n}, 9.25)
        for n in range(3)
    )
    effect = Effect(0.123456, -0.654321, 1.234567, 7, 1)
    numbers = (0.987654, 0.912345, 1.234567, 0.456789)
    decided = Decision(
        format_mac(mac), Verdict.STABLE, Cause.NONE, effect, *numbers, reasons, missing=""
    )
    return VerdictRow(mac, day * DAY_NS, State.STABLE, 1, decided)


@pytest.mark.slow
def test_a_year_of_forty_devices(path: Path) -> None:
    """Less than 300 MB after a year, at most 50 MB written a day with a commit an hour."""
    macs = [0xB0C554000000 + number for number in range(DEVICES)]
    kept_from = DAYS - Config().windows_kept_days - 1
    with Store.open(path) as store:
        for day in range(DAYS):
            session = SessionProgress("live", "eth0", day)
            news = News(EventType.BEHAVES_DIFFERENTLY, 1, 1, Cause.SETTINGS)
            steps = 24 if day >= kept_from else 1  # older days are folded at once: same rows
            if day >= kept_from:
                wal = Path(f"{path}-wal")
                store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                store._connection.execute("PRAGMA wal_autocheckpoint = 0")
            for hour in range(steps):
                start = day * DAY_NS + hour * HOUR_NS
                store.commit_progress(
                    Progress(
                        session=session,
                        windows={mac: table(mac, [start], day + hour) for mac in macs},
                        contacts={mac: contacts(mac, start) for mac in macs},
                        devices=[DeviceRow(mac, start, start, 1, 1, 1) for mac in macs],
                        flows={mac: {day * DAY_NS: flows(mac, day, hour)} for mac in macs},
                    )
                )
            store.commit_progress(
                Progress(
                    verdicts=[verdict(mac, day) for mac in macs],
                    states=dict.fromkeys(macs, "{}" * 100),
                    events=[make_event(news, macs[0], day * DAY_NS, store.agent, day)],
                )
            )
            if day < kept_from:
                store.compact((day + 15) * DAY_NS, Config())
            else:
                store.compact((day + 1) * DAY_NS, Config())
                # Each page goes to the log and, at the latest now, from there to the file.
                written = 2 * wal.stat().st_size
    size = path.stat().st_size
    begin = time.perf_counter()
    with Store.open(path, create=False) as store:
        opened = time.perf_counter()
        page = store.verdicts(macs[7], 0)
        year = time.perf_counter()
        units = store.units(macs[7], DAY_NS)
        end = time.perf_counter()
        seen = store.seen(DAY_NS)
        everybody = time.perf_counter()
    print(
        f"\nstore of a year: {size / MB:.0f} MB; written in the last day: {written / MB:.1f} MB; "
        f"open {(opened - begin) * 1e3:.0f} ms; a year's verdicts {(year - opened) * 1e3:.0f} ms, "
        f"units {(end - year) * 1e3:.0f} ms, what is seen of all {(everybody - end) * 1e3:.0f} ms"
    )
    assert len(seen) == DEVICES
    assert len(page) == len(units) == DAYS
    assert size < 300 * MB
    assert written <= 50 * MB

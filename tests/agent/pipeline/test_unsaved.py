"""What cannot be stored waits in memory: not without end, and the newest of it to the last."""

from pathlib import Path

import numpy as np
import pytest
from fwid_agent.core.devices import DeviceCounts
from fwid_agent.errors import StoreError
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.unsaved import Unsaved
from fwid_agent.store import Store
from fwid_agent.types import FlowSample, UnitTable
from hypothesis import given
from hypothesis import strategies as st

from tests.made_tables import HOUR_NS, make_table

_MAC = 0x900000000001


def _bytes(waiting: Unsaved) -> int:
    tables = [table for tables in waiting.windows.values() for table in tables]
    return sum(table.sums.nbytes + table.tokens.nbytes for table in tables)


def _waiting(devices: int, hours: int) -> Unsaved:
    """So many hours of devices, each taken out of the stages by itself."""
    return Unsaved(
        {
            mac: [make_table(mac, [hour * HOUR_NS]) for hour in range(hours)]
            for mac in range(devices)
        }
    )


@given(st.integers(1, 4), st.integers(1, 12), st.integers(0, 400_000))
def test_the_newest_hours_stay_within_the_bound(devices: int, hours: int, most: int) -> None:
    """However much waits: what stays is small enough, whole hours, and nothing older than lost."""
    waiting = _waiting(devices, hours)
    before = _bytes(waiting)
    lost = waiting.bound(most)
    starts = [set(t.start_ns.tolist()) for ts in waiting.windows.values() for t in ts]
    kept_hours = hours - lost // devices
    assert lost % devices == 0
    assert (lost == 0) == (before <= most)
    assert _bytes(waiting) <= most
    newest = {hour * HOUR_NS for hour in range(hours - kept_hours, hours)}
    assert set().union(*starts) == newest


def _counts() -> DeviceCounts:
    one = np.ones(1)
    times = np.array([HOUR_NS])
    return DeviceCounts(np.array([_MAC], np.uint64), one, one, one, times, times, np.zeros(1, bool))


def _hour(hour: int) -> UnitTable:
    return make_table(hour, [hour * HOUR_NS], rows=40, values_per_row=40)


def test_a_full_disk_costs_the_oldest_hours_and_no_more(tmp_path: Path) -> None:
    """Full for two days: what waits is bounded, and once there is room the newest is stored."""
    size = _bytes(Unsaved({_MAC: [_hour(0)]}))
    with Store.open(tmp_path / "fwid.db") as store:
        ledger = Ledger(store, most_waiting_bytes=10 * size)
        ledger.open_live("eth0")
        ledger.commit(_counts(), {})
        (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        for hour in range(48):
            ledger.add_windows(_MAC, _hour(hour))
            with pytest.raises(StoreError, match="disk is full"):
                ledger.commit(_counts(), {})
            if hour == 40:
                ledger.open_live("eth0")  # as when the clock is set meanwhile
        store._connection.execute("PRAGMA max_page_count = 1000000")
        ledger.commit(_counts(), {})
        kept = (store.windows(_MAC).start_ns // HOUR_NS).tolist()
    assert kept == list(range(ledger.lost_windows, 48))
    assert 7 <= len(kept) <= 10


def test_samples_of_flows_wait_within_a_bound() -> None:
    """A disk may be full for weeks: the newest units stay, whole, and answers with them."""
    waiting = Unsaved()
    sample = FlowSample(1, np.zeros(1, np.uint64), np.zeros((1, 19), np.float32))
    for day in range(40):
        for mac in range(20):
            waiting.add_flows(mac, {day * 24 * HOUR_NS: sample})
    waiting.bound(1 << 20)
    kept = [start for units in waiting.flows.values() for start in units]
    assert 400 < len(kept) <= 512
    assert min(kept) > 13 * 24 * HOUR_NS
    waiting.add_flows(1, {39 * 24 * HOUR_NS: sample})
    assert waiting.flows[1][39 * 24 * HOUR_NS].seen == 2

"""What has happened since the last commit, bounded: a disk may be full for weeks."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fwid_agent.core.handshakes.texts import TextBook
from fwid_agent.store import IdentificationRow, VerdictRow
from fwid_agent.tables import (
    merge_contacts,
    merge_flow_samples,
    merge_tables,
    select_contacts,
    select_periods,
)
from fwid_agent.types import ContactTable, Event, FlowSample, UnitTable

_MOST_SAMPLES = 512  # of a unit and device, some 20 KB each
_MOST_ROWS = 10_000  # of verdicts, and of events: 40 devices have as many in more than half a year


@dataclass(slots=True)
class Unsaved:
    """What is to be stored with the next commit."""

    windows: dict[int, list[UnitTable]] = field(default_factory=dict)
    contacts: dict[int, list[ContactTable]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    texts: dict[int, TextBook] = field(default_factory=dict)
    flows: dict[int, dict[int, FlowSample]] = field(default_factory=dict)  # MAC, unit start
    identifications: list[IdentificationRow] = field(default_factory=list)
    verdicts: list[VerdictRow] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)

    def add_flows(self, device: int, units: Mapping[int, FlowSample]) -> None:
        """Add to the samples of a device's units."""
        there = self.flows.setdefault(device, {})
        for start_ns, sample in units.items():
            before = there.get(start_ns)
            there[start_ns] = sample if before is None else merge_flow_samples([before, sample])

    def merged_windows(self) -> Mapping[int, UnitTable]:
        """The windows of each device as one table."""
        return {mac: merge_tables(tables) for mac, tables in self.windows.items()}

    def merged_contacts(self) -> Mapping[int, ContactTable]:
        """The contacts of each device as one table."""
        return {mac: merge_contacts(tables) for mac, tables in self.contacts.items()}

    def bound(self, most_bytes: int) -> int:
        """Give up the oldest where it is more than this; returns how many windows are lost."""
        self._bound_flows()
        self.verdicts, self.events = self.verdicts[-_MOST_ROWS:], self.events[-_MOST_ROWS:]
        tables = (table for tables in self.windows.values() for table in tables)
        if sum(table.sums.nbytes + table.tokens.nbytes for table in tables) <= most_bytes:
            return 0
        windows, contacts = self.merged_windows(), self.merged_contacts()
        # Some room is made at once, so that this is not done anew with every window.
        begin_ns = _find_begin(windows, most_bytes * 3 // 4)
        self.windows = {
            mac: [select_periods(table, np.flatnonzero(table.start_ns >= begin_ns))]
            for mac, table in windows.items()
            if (table.start_ns >= begin_ns).any()
        }
        self.contacts = {
            mac: [select_contacts(table, np.flatnonzero(table.start_ns >= begin_ns))]
            for mac, table in contacts.items()
            if (table.start_ns >= begin_ns).any()
        }
        return sum(int((table.start_ns < begin_ns).sum()) for table in windows.values())

    def _bound_flows(self) -> None:
        """Give up the oldest units' samples where there are too many."""
        starts = sorted((start for units in self.flows.values() for start in units), reverse=True)
        if len(starts) > _MOST_SAMPLES:
            begin_ns = starts[_MOST_SAMPLES - 1]
            self.flows = {
                mac: {start: sample for start, sample in units.items() if start > begin_ns}
                for mac, units in self.flows.items()
            }
        self.identifications = self.identifications[-_MOST_ROWS:]


def _find_begin(windows: Mapping[int, UnitTable], most_bytes: int) -> int:
    """Find from when on the windows of all devices come to no more than this."""
    sizes: Counter[int] = Counter()
    for table in windows.values():
        tokens = np.bincount(table.tokens["period"], minlength=len(table))
        one = table.sums[:1].nbytes
        for start_ns, count in zip(table.start_ns.tolist(), tokens.tolist(), strict=True):
            sizes[start_ns] += one + count * table.tokens.itemsize
    kept, begin_ns = 0, max(sizes) + 1
    for start_ns in sorted(sizes, reverse=True):
        kept += sizes[start_ns]
        if kept > most_bytes:
            break
        begin_ns = start_ns
    return begin_ns

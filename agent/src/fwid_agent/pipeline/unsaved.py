"""What has happened since the last commit, bounded: a disk may be full for weeks."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fwid_agent.core.handshakes.texts import TextBook
from fwid_agent.store import VerdictRow
from fwid_agent.tables import merge_contacts, merge_tables, select_contacts, select_periods
from fwid_agent.types import ContactTable, Event, UnitTable

_MOST_ROWS = 10_000  # of verdicts, and of events: 40 devices have as many in more than half a year


@dataclass(slots=True)
class Unsaved:
    """What is to be stored with the next commit."""

    windows: dict[int, list[UnitTable]] = field(default_factory=dict)
    contacts: dict[int, list[ContactTable]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    texts: dict[int, TextBook] = field(default_factory=dict)
    verdicts: list[VerdictRow] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    positions: dict[str, str] = field(default_factory=dict)

    def merged_windows(self) -> Mapping[int, UnitTable]:
        """The windows of each device as one table."""
        return {mac: merge_tables(tables) for mac, tables in self.windows.items()}

    def merged_contacts(self) -> Mapping[int, ContactTable]:
        """The contacts of each device as one table."""
        return {mac: merge_contacts(tables) for mac, tables in self.contacts.items()}

    def bound(self, most_bytes: int) -> int:
        """Give up the oldest where it is more than this; returns how many windows are lost."""
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

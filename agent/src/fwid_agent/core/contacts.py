"""Whom devices are in contact with: networks in the cloud, and what is seen of each device at all.

`ContactBook` stands beside the unit tables and takes the same batches. Every packet is only
counted; addresses are looked at where a flow begins.
"""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from fwid_agent.core.devices import GROUP_BIT, Sides
from fwid_agent.core.segments import LARGEST_FRAME
from fwid_agent.tables import merge_contacts
from fwid_agent.types import (
    CONTACT_DTYPE,
    I4,
    I8,
    SEEN,
    U1,
    U8,
    Bools,
    ContactTable,
    FlowMarks,
    PacketBatch,
    Table,
)

_IPV4_REST, _IPV6_REST = np.uint64(8), np.uint64(16)  # bits that are not kept
_SENT, _RECEIVED, _MULTICAST, _MERGED = range(len(SEEN))
_COMPACT_AT = 1 << 16
_Time = TypeVar("_Time", int, I8)
_ENTRY = np.dtype([("device", "i4"), ("start_ns", "i8"), ("network", "u8")])


class ContactBook:
    """Adds up the contacts of one session after the other, until they are taken out.

    Args:
        window_ns: length of a window.
        own: MAC addresses of the machine that watches. What devices and this machine say to each
            other is seen wherever it stands, so it tells nothing, unless the machine forwards it.

    """

    def __init__(self, window_ns: int, own: frozenset[int] = frozenset()) -> None:
        self._window_ns = window_ns
        self._own = np.array(sorted(own), np.uint64)
        self._origin_ns = 0
        self._seen: dict[int, I8] = {}  # start of the window -> [devices, len(SEEN)]
        self._entries: list[Table] = []  # one a flow
        self._length = 0
        self._tables: dict[int, ContactTable] = {}  # by device: what was added up so far

    def begin_session(self, origin_ns: int = 0) -> None:
        """Begin a session; windows start at multiples of their length from `origin_ns`."""
        self._origin_ns = origin_ns

    def update(
        self, batch: PacketBatch, marks: FlowMarks, sides: Sides, macs: U8, gateway: Bools
    ) -> None:
        """Add a batch.

        Args:
            batch, marks, sides: the packets.
            macs: [devices] MAC of each device index.
            gateway: [devices] whether it forwards.

        """
        if not len(batch) or not len(macs):
            return
        ours = np.flatnonzero(np.isin(macs, self._own) & ~gateway)
        for start_ns, rows in self._split_windows(batch.ts_ns):
            counts = _count(batch, sides, rows, ours, len(macs))
            known = self._seen.get(start_ns)
            if known is not None:
                counts[: len(known)] += known
            self._seen[start_ns] = counts
        begun = np.flatnonzero(marks.flow_start)
        self._add_flows(batch, begun, sides.sender, sides.sent_to_cloud, "dst")
        self._add_flows(batch, begun, sides.receiver, sides.from_cloud, "src")
        if self._length > _COMPACT_AT:
            self._add_up()

    def drain(self, macs: U8) -> dict[int, ContactTable]:
        """Take out all that was added since the last time, one table a MAC."""
        self._add_up()
        tables = {int(macs[device]): table for device, table in sorted(self._tables.items())}
        self._tables = {}
        return tables

    def _split_windows(self, ts_ns: I8) -> Iterator[tuple[int, I8 | slice]]:
        """Yield the start and the packets of each window; nearly always all are of one."""
        first, last = (self._start_of(int(end)) for end in (ts_ns.min(), ts_ns.max()))
        if first == last:
            yield first, slice(None)
            return
        start_ns = self._start_of(ts_ns)
        order = np.argsort(start_ns, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(start_ns[order])) + 1):
            yield int(start_ns[rows[0]]), rows

    def _start_of(self, ts_ns: _Time) -> _Time:
        return ts_ns - (ts_ns - self._origin_ns) % self._window_ns

    def _add_flows(
        self, batch: PacketBatch, begun: I8, device: I4, in_cloud: U1, peer: str
    ) -> None:
        """Note the network of each flow's peer in the cloud."""
        rows = begun[(in_cloud[begun] > 0) & (device[begun] >= 0)]
        if not len(rows):
            return
        high, low = (getattr(batch, f"{peer}_{half}")[rows] for half in ("hi", "lo"))
        entries = np.zeros(len(rows), _ENTRY)
        entries["device"] = device[rows]
        entries["start_ns"] = self._start_of(batch.ts_ns[rows])
        six = batch.ip_version[rows] == 6
        entries["network"] = np.where(six, high >> _IPV6_REST, low >> _IPV4_REST)
        self._entries.append(entries)
        self._length += len(rows)

    def _add_up(self) -> None:
        """Make tables of what was noted, and add them to those that there are."""
        flows = _Flows(np.concatenate([np.zeros(0, _ENTRY), *self._entries]))
        starts = sorted(self._seen)
        devices = max((len(counts) for counts in self._seen.values()), default=0)
        seen = np.zeros((devices, len(starts), len(SEEN)), np.int64)
        for period, start_ns in enumerate(starts):
            seen[: len(self._seen[start_ns]), period] = self._seen[start_ns]
        for device in np.flatnonzero(seen.any(axis=(1, 2))).tolist():
            heard = np.flatnonzero(seen[device].any(axis=1))
            begun_ns = np.array(starts, np.int64)[heard]
            networks, nothing = flows.of(device, begun_ns), np.zeros(len(heard), np.int64)
            table = ContactTable(begun_ns, seen[device][heard], networks, nothing)
            known = self._tables.get(device)
            self._tables[device] = merge_contacts([table] if known is None else [known, table])
        self._seen, self._entries, self._length = {}, [], 0


class _Flows:
    """Flows of all devices, equal ones counted."""

    def __init__(self, entries: Table) -> None:
        order = np.lexsort([entries[name] for name in ("network", "start_ns", "device")])
        entries = entries[order]
        new = np.ones(len(entries), bool)
        new[1:] = entries[1:] != entries[:-1]
        at = np.flatnonzero(new)
        self._entries = entries[at]
        self._counts = np.diff(np.append(at, len(entries)))

    def of(self, device: int, start_ns: I8) -> Table:
        """Those of a device, CONTACT_DTYPE; its periods begin at these times."""
        begin, end = np.searchsorted(self._entries["device"], [device, device + 1])
        mine = self._entries[begin:end]
        table = np.zeros(len(mine), CONTACT_DTYPE)
        table["period"] = np.searchsorted(start_ns, mine["start_ns"])
        table["network"], table["flows"] = mine["network"], self._counts[begin:end]
        return table


def _count(batch: PacketBatch, sides: Sides, rows: I8 | slice, ours: I8, devices: int) -> I8:
    """Count what is seen of each device: [devices, len(SEEN)]."""
    sender, receiver = sides.sender[rows], sides.receiver[rows]
    to_one = batch.dst_mac[rows] & np.uint64(GROUP_BIT) == 0
    # The place of nobody is 0, so that every packet has one.
    sent = np.bincount((sender + 1) * 2 + to_one, minlength=2 * devices + 2).reshape(-1, 2)[1:]
    counts = np.zeros((devices, len(SEEN)), np.int64)
    counts[:, _SENT], counts[:, _MULTICAST] = sent[:, 1], sent[:, 0]
    counts[:, _RECEIVED] = np.bincount(receiver + 1, minlength=devices + 1)[1:]
    for mine in ours.tolist():
        counts -= _with_us(sides, rows, mine, devices)
    large = batch.wire_bytes[rows] > LARGEST_FRAME
    if large.any():
        for side in (sender, receiver):
            counts[:, _MERGED] += np.bincount(side[large] + 1, minlength=devices + 1)[1:]
    return counts


def _with_us(sides: Sides, rows: I8 | slice, mine: int, devices: int) -> I8:
    """Count what each device and this machine say to each other."""
    sender, receiver = sides.sender[rows], sides.receiver[rows]
    at_home = (sides.sent_to_cloud[rows] | sides.from_cloud[rows]) == 0
    counts = np.zeros((devices, len(SEEN)), np.int64)
    for column, side, peer in ((_SENT, sender, receiver), (_RECEIVED, receiver, sender)):
        said = side[(peer == mine) & at_home]
        counts[:, column] = np.bincount(said + 1, minlength=devices + 1)[1:]
    return counts

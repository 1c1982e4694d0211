"""Unit tables: per device, window and row the additive sums and the counts of exact values.

`UnitAccumulator` takes batches and gives tables; tables add, so they may be taken out at any time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fwid_agent.core.classify import classify
from fwid_agent.core.devices import Sides
from fwid_agent.core.tokens import Owner, TokenBook, collect_tokens
from fwid_agent.types import (
    F8,
    I8,
    ROW_COUNT,
    SUM_INDEX,
    SUMS,
    TOKEN_DTYPE,
    U8,
    FlowMarks,
    PacketBatch,
    Table,
    UnitTable,
)

_DAY_NS = 86_400 * 1_000_000_000
_LEAST_WATCH_NS = 1_000_000_000
_SHORTEST_GAP_S = 1e-6
_NEVER_NS = np.iinfo(np.int64).min
_DENSE_GROUPS = 1 << 18  # up to here groups are found by position, above by sorting


@dataclass(frozen=True, slots=True)
class _Contributions:
    """What packets add: once to a row of the sender, once to a row of the receiver."""

    packet: I8  # index in the batch
    device: I8
    window: I8  # number of the window since the origin
    row: I8


class UnitAccumulator:
    """Adds up the packets of one session after the other.

    Args:
        window_ns: length of a window.
        day_ns: length of a day; shorter where laboratory time is compressed.

    """

    def __init__(self, window_ns: int, day_ns: int = _DAY_NS) -> None:
        self._window_ns = window_ns
        self._day_ns = day_ns
        self._sums: dict[Owner, F8] = {}  # -> [ROW_COUNT, sums]
        self._tokens = TokenBook()
        self._watched: dict[Owner, float] = {}
        self._origins_ns: dict[int, int] = {}  # of each session since the last drain
        self._session = _Session(0, 0, window_ns, day_ns)

    def begin_session(self, session: int, origin_ns: int = 0) -> None:
        """Begin a capture session; windows start at multiples of their length from `origin_ns`."""
        self._session = _Session(session, origin_ns, self._window_ns, self._day_ns)
        self._origins_ns[session] = origin_ns

    def update(self, batch: PacketBatch, marks: FlowMarks, sides: Sides) -> None:
        """Add a batch to the session that was begun last."""
        if not len(batch):
            return
        session = self._session
        session.see(int(batch.ts_ns.min()), int(batch.ts_ns.max()))
        parts = _contributions(batch, sides, session.window_of(batch.ts_ns))
        if not len(parts.packet):
            return
        group, owners = _number_groups(parts)
        sums = _add_up(batch, marks, parts.packet, group, len(owners[0]))
        _add_gaps(sums, group, *session.gaps(batch.ts_ns[parts.packet], parts))
        self._store(owners, sums)
        tokens = collect_tokens(batch, marks, parts.packet, group, parts.row)
        self._tokens.add(session.number, tokens, owners)

    def end_session(self) -> None:
        """End the session; one that was shorter than a window counts as a whole one."""
        self._session.tell_rest(self._watched)

    def drain(self, macs: U8) -> dict[int, UnitTable]:
        """Take out all that was added since the last time, one table a MAC.

        Args:
            macs: MAC of each device index.

        """
        self._session.tell_finished(self._watched)
        tokens = self._tokens.drain()
        owned: dict[int, list[Owner]] = {}
        for owner in sorted({*self._sums, *self._watched, *tokens}):
            owned.setdefault(owner[2], []).append(owner)
        tables = {
            int(macs[device]): self._table(owners, tokens) for device, owners in owned.items()
        }
        self._sums, self._watched = {}, {}
        self._origins_ns = {self._session.number: self._session.origin_ns}
        return tables

    def _store(self, owners: tuple[I8, I8, I8], sums: F8) -> None:
        window, device, row = owners
        change = np.ones(len(window), bool)
        change[1:] = (window[1:] != window[:-1]) | (device[1:] != device[:-1])
        starts = np.flatnonzero(change)
        for begin, end in zip(starts, np.append(starts[1:], len(window)), strict=True):
            owner = (self._session.number, int(window[begin]), int(device[begin]))
            kept = self._sums.get(owner)
            if kept is None:
                kept = self._sums[owner] = np.zeros((ROW_COUNT, len(SUMS)))
            kept[row[begin:end]] += sums[begin:end]
            self._session.meet(owner[2], owner[1])

    def _table(self, owners: Sequence[Owner], tokens: dict[Owner, Table]) -> UnitTable:
        parts = [np.zeros(0, TOKEN_DTYPE)]
        for period, owner in enumerate(owners):
            if owner in tokens:
                tokens[owner]["period"] = period
                parts.append(tokens[owner])
        silent = np.zeros((ROW_COUNT, len(SUMS)))
        return UnitTable(
            np.array([self._start_ns(owner) for owner in owners], np.int64),
            np.array([session for session, _, _ in owners], np.int32),
            np.array([self._watched.get(owner, 0.0) for owner in owners]),
            np.stack([self._sums.get(owner, silent) for owner in owners]),
            np.concatenate(parts),
        )

    def _start_ns(self, owner: Owner) -> int:
        session, window, _ = owner
        return self._origins_ns[session] + window * self._window_ns


class _Session:
    """What one capture session carries from batch to batch."""

    def __init__(self, number: int, origin_ns: int, window_ns: int, day_ns: int) -> None:
        self.number = number
        self.origin_ns = origin_ns
        self._window_ns = window_ns
        self._begin_ns, self._end_ns = 0, -1
        # A device that is silent for a day is off, and a window without it is not watched.
        self._patience = max(day_ns // window_ns, 1)
        self._active: dict[int, list[int]] = {}  # device -> windows it was heard in, since told
        self._untold: dict[int, int] = {}  # device -> first window not told yet
        self._told: dict[int, float] = {}  # device -> windows told so far
        self._late: set[tuple[int, int]] = set()  # device and window, after a clock was set back
        self._late_told: set[tuple[int, int]] = set()
        self._last_ns: I8 = np.zeros(0, np.int64)  # of device * ROW_COUNT + row

    def window_of(self, ts_ns: I8) -> I8:
        return (ts_ns - self.origin_ns) // self._window_ns

    def see(self, begin_ns: int, end_ns: int) -> None:
        if self._end_ns < self._begin_ns:
            self._begin_ns, self._end_ns = begin_ns, end_ns
        self._begin_ns = min(self._begin_ns, begin_ns)
        self._end_ns = max(self._end_ns, end_ns)

    def meet(self, device: int, window: int) -> None:
        windows = self._active.setdefault(device, [])
        # Disorder reaches back by one window at most: beyond it the clock was set back, and what
        # it shows now was watched too.
        if window < self._untold.get(device, window) - 1:
            self._late.add((device, window))
        elif not windows or windows[-1] != window:
            windows.append(window)

    def tell_finished(self, watched: dict[Owner, float]) -> None:
        """Tell the share watched of every window that time has left behind."""
        current = (self._end_ns - self.origin_ns) // self._window_ns
        for device, windows in self._active.items():
            until = self._untold.get(device, min(windows))
            for active in sorted(windows):
                end = min(active + self._patience, current)
                for window in range(max(until, active), end):
                    self._tell(watched, window, device, self._share(window))
                until = max(until, end)
            self._untold[device] = until
            self._active[device] = [max(windows)]
        for device, window in sorted(self._late - self._late_told):
            self._tell(watched, window, device, self._share(window))
        self._late_told |= self._late

    def tell_rest(self, watched: dict[Owner, float]) -> None:
        """Tell the last window too, topped up to one window for a short session."""
        self.tell_finished(watched)
        short = self._end_ns - self._begin_ns < self._window_ns
        last = (self._end_ns - self.origin_ns) // self._window_ns
        for device, windows in self._active.items():
            if last >= max(windows) + self._patience:
                continue
            share = self._share(last)
            if short:
                share = max(share, 1.0 - self._told.get(device, 0.0))
            self._tell(watched, last, device, share)
        self._active = {}

    def _share(self, window: int) -> float:
        start_ns = self.origin_ns + window * self._window_ns
        inside = min(self._end_ns, start_ns + self._window_ns) - max(self._begin_ns, start_ns)
        # Whoever is heard on the border of a window was watched in it.
        return max(inside, _LEAST_WATCH_NS) / self._window_ns

    def _tell(self, watched: dict[Owner, float], window: int, device: int, share: float) -> None:
        owner = (self.number, window, device)
        watched[owner] = watched.get(owner, 0.0) + share
        self._told[device] = self._told.get(device, 0.0) + share

    def gaps(self, ts_ns: I8, parts: _Contributions) -> tuple[I8, F8]:
        """Gap since the row's packet before: which contributions have one, and log10 of seconds."""
        slot = parts.device * ROW_COUNT + parts.row
        slots = int(slot.max()) + 1
        if slots > len(self._last_ns):
            more = np.full(slots - len(self._last_ns), _NEVER_NS)
            self._last_ns = np.concatenate([self._last_ns, more])
        # A stable sort of 16 bits is a radix sort. A slot has one direction, so its packets,
        # sent and received being two runs, are in the order of arrival.
        order = np.argsort(slot.astype(np.uint16) if slots <= 1 << 16 else slot, kind="stable")
        slot, ts_ns = slot[order], ts_ns[order]
        first = np.ones(len(order), bool)
        first[1:] = slot[1:] != slot[:-1]
        before = np.empty_like(ts_ns)
        before[1:] = ts_ns[:-1]
        before[first] = self._last_ns[slot[first]]
        last = np.append(np.flatnonzero(first)[1:], len(order)) - 1
        self._last_ns[slot[last]] = ts_ns[last]
        known = before != _NEVER_NS
        gap_s = (ts_ns[known] - before[known]) * 1e-9
        return order[known], np.log10(np.maximum(gap_s, _SHORTEST_GAP_S))


# --- one batch -----------------------------------------------------------------------------------


def _contributions(batch: PacketBatch, sides: Sides, window: I8) -> _Contributions:
    code = classify(batch).astype(np.int64) * 4
    sent = np.flatnonzero(sides.sender >= 0)
    received = np.flatnonzero(sides.receiver >= 0)
    packet = np.concatenate([sent, received])
    row_sent = code[sent] + sides.sent_to_cloud[sent]
    row_received = code[received] + 2 + sides.from_cloud[received]
    return _Contributions(
        packet,
        np.concatenate([sides.sender[sent], sides.receiver[received]]).astype(np.int64),
        window[packet],
        np.concatenate([row_sent, row_received]),
    )


def _number_groups(parts: _Contributions) -> tuple[I8, tuple[I8, I8, I8]]:
    """Number the (window, device, row) that occur: [n] number, and window, device, row of each."""
    first = int(parts.window.min())
    devices = int(parts.device.max()) + 1
    window = parts.window - first
    place = (window * devices + parts.device) * ROW_COUNT + parts.row
    places = (int(window.max()) + 1) * devices * ROW_COUNT
    if places <= _DENSE_GROUPS:
        found = np.flatnonzero(np.bincount(place, minlength=places))
        number = np.zeros(places, np.int64)
        number[found] = np.arange(len(found))
        group = number[place]
    else:
        found, group = np.unique(place, return_inverse=True)
    row = found % ROW_COUNT
    owner = found // ROW_COUNT
    return group, (owner // devices + first, owner % devices, row)


def _add_up(batch: PacketBatch, marks: FlowMarks, packet: I8, group: I8, groups: int) -> F8:
    size = batch.size_bytes[packet].astype(np.float64)
    payload = batch.payload_bytes[packet].astype(np.float64)
    columns = {
        "packets": None,
        "size": size,
        "size_sq": size * size,
        "payload": payload,
        "payload_packets": (payload > 0).astype(np.float64),
        "flows": marks.flow_start[packet].astype(np.float64),
    }
    sums = np.zeros((groups, len(SUMS)))
    for name, weights in columns.items():
        sums[:, SUM_INDEX[name]] = np.bincount(group, weights, groups)
    return sums


def _add_gaps(sums: F8, group: I8, which: I8, log_gap: F8) -> None:
    at = group[which]
    sums[:, SUM_INDEX["gaps"]] = np.bincount(at, minlength=len(sums))
    sums[:, SUM_INDEX["log_gap"]] = np.bincount(at, log_gap, len(sums))
    sums[:, SUM_INDEX["log_gap_sq"]] = np.bincount(at, log_gap * log_gap, len(sums))

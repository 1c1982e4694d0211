"""Unit tables: per device, window and row the additive sums and the counts of exact values.

`UnitAccumulator` takes batches and gives tables; tables add, so they may be taken out at any time.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from fwid_agent.core.classify import classify
from fwid_agent.core.devices import Sides
from fwid_agent.core.session import Session
from fwid_agent.core.tokens import Owner, TokenBook, collect_beats, collect_said, collect_tokens
from fwid_agent.types import (
    F8,
    I4,
    I8,
    ROW_COUNT,
    SUM_INDEX,
    SUMS,
    TOKEN_DTYPE,
    U8,
    FlowMarks,
    PacketBatch,
    PacketValues,
    Table,
    UnitTable,
)

_DAY_NS = 86_400 * 1_000_000_000
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
        self._session = Session(0, 0, window_ns, day_ns)

    def begin_session(self, session: int, origin_ns: int = 0) -> None:
        """Begin a capture session; windows start at multiples of their length from `origin_ns`."""
        self._session = Session(session, origin_ns, self._window_ns, self._day_ns)
        self._origins_ns[session] = origin_ns

    def update(
        self,
        batch: PacketBatch,
        marks: FlowMarks,
        sides: Sides,
        said: PacketValues | None = None,
    ) -> None:
        """Add a batch, and what its senders said of themselves, to the session begun last."""
        if not len(batch):
            return
        session = self._session
        session.see(int(batch.ts_ns.min()), int(batch.ts_ns.max()))
        parts = _contributions(batch, sides, session.window_of(batch.ts_ns))
        if not len(parts.packet):
            return
        group, owners = _number_groups(parts)
        sums = _add_up(batch, marks, parts.packet, group, len(owners[0]))
        slot = parts.device * ROW_COUNT + parts.row
        which, log_gap, beats = session.gaps(batch.ts_ns[parts.packet], slot)
        _add_gaps(sums, group, which, log_gap)
        self._store(owners, sums)
        tokens = collect_tokens(batch, marks, parts.packet, group, parts.row)
        self._tokens.add(session.number, tokens, owners)
        self._tokens.add(session.number, collect_beats(beats, group), owners)
        if said is not None:
            more = collect_said(said, parts.packet, group, parts.row)
            self._tokens.add(session.number, more, owners)

    def end_session(self) -> None:
        """End the session; one that was shorter than a window counts as a whole one."""
        self._session.tell_rest(self._watched)

    def reopen_session(self) -> None:
        """Take back what the end of the session had told: it goes on after all."""
        told: dict[Owner, float] = {}
        deepcopy(self._session).tell_rest(told)
        for owner, share in told.items():
            self._watched[owner] = self._watched.get(owner, 0.0) - share

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

    def forget(self, devices: I4) -> None:
        """Let these indices be other devices' from now on; right after `drain`."""
        self._session.forget(devices)

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

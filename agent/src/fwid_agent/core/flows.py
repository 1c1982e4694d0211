"""Bidirectional flows, incremental over blocks, in a bounded table.

A flow is the packets of one 5-tuple in both directions (RFC 5103). It ends after a pause
(`idle_timeout_s`) or a length (`active_timeout_s`); the next packet then opens a new one. Time is
the latest seen so far, so a clock that jumps back neither ends nor splits a flow. Later fragments
have no ports and share the flow (source, destination, protocol, 0, 0); frames without a network
layer have no flow.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.types import I8, U8, Bools, FlowMarks, PacketBatch, Undecoded

_SECOND_NS = 1_000_000_000
_TCP, _UDP = 6, 17
_SYN, _ACK = 0x02, 0x10
_NEVER_NS = 2**62
# Odd constants with well-mixed bits (the fractional parts of square roots of primes).
_MIX = tuple(
    np.uint64(value | 1)
    for value in (
        0x6A09E667F3BCC908,
        0xBB67AE8584CAA73B,
        0x3C6EF372FE94F82B,
        0xA54FF53A5F1D36F1,
        0x510E527FADE682D1,
    )
)

_FLOW_DTYPE = np.dtype(
    [
        ("key", "u8"),
        ("number", "i8"),  # of the flow, in the order of opening
        ("start_ns", "i8"),
        ("last_ns", "i8"),
        ("low_opened", "?"),  # the endpoint with the lower hash opened the flow
        ("whole", "?"),  # seen from its beginning
        ("low_spoke", "?"),  # that endpoint has sent payload
        ("high_spoke", "?"),
    ]
)


class FlowTable:
    """The flows that are open now; `update` marks a batch's packets.

    Args:
        idle_timeout_s: pause that ends a flow; 0 never.
        active_timeout_s: age at which a flow is cut; 0 never.
        max_flows: bound of the table. Beyond it the flows that were silent longest are closed and
            counted in `evicted`: a port scan cannot grow the memory.

    """

    def __init__(
        self,
        *,
        idle_timeout_s: float = 120,
        active_timeout_s: float = 1800,
        max_flows: int = 65_536,
    ) -> None:
        self._idle_ns = int(idle_timeout_s * _SECOND_NS) or _NEVER_NS
        self._active_ns = int(active_timeout_s * _SECOND_NS) or _NEVER_NS
        self._max_flows = max_flows
        self._open = np.zeros(0, _FLOW_DTYPE)  # sorted by key
        self._now_ns = -_NEVER_NS
        self.flows_total = 0
        self.evicted = 0

    def update(self, batch: PacketBatch) -> FlowMarks:
        """Take the next packets; returns what the flows say of each."""
        return self._update(batch, None)

    @property
    def open_numbers(self) -> I8:
        """The numbers of the flows that are open."""
        numbers: I8 = self._open["number"]
        return numbers

    def trace(self, batch: PacketBatch) -> tuple[FlowMarks, I8]:
        """Do what `update` does, and say which flow each packet is of.

        Returns:
            The marks, and the number of each packet's flow [n]: unlike any other of this table;
            -1 where it has none.

        """
        number = np.full(len(batch), -1, np.int64)
        return self._update(batch, number), number

    def _update(self, batch: PacketBatch, number: I8 | None) -> FlowMarks:
        count = len(batch)
        marks = FlowMarks(np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, bool))
        member = np.flatnonzero((batch.ip_version > 0) & (batch.undecoded == Undecoded.OK))
        clock = np.maximum.accumulate(np.maximum(batch.ts_ns, self._now_ns)) if count else None
        if clock is not None and len(member):
            key, from_low = _flow_keys(batch, member)
            packets = _sort_by_flow(key, from_low, clock, batch, member)
            self._mark(packets, marks, number)
        if clock is not None:
            self._now_ns = int(clock[-1])
        self._close_ended()
        return marks

    def _mark(self, packets: "_Sorted", marks: FlowMarks, number: I8 | None) -> None:
        known = np.searchsorted(self._open["key"], packets.key)
        known = np.minimum(known, max(len(self._open) - 1, 0))
        found = np.zeros(len(packets.key), bool)
        if len(self._open):
            found = self._open["key"][known] == packets.key
        start, opens = self._cut(packets, known, found)
        segment = np.cumsum(start) - 1
        first = np.flatnonzero(start)
        flows = self._begin(packets, first, opens[first], known[first])
        low = packets.from_low
        opened_by_low = flows["low_opened"][segment]
        marks.flow_start[packets.index[opens]] = True
        marks.forward[packets.index] = low == opened_by_low
        if number is not None:
            number[packets.index] = flows["number"][segment]
        for side, spoke in ((low, "low_spoke"), (~low, "high_spoke")):
            talking = np.flatnonzero(packets.payload & side)
            at = segment[talking]
            fresh = np.ones(len(at), bool)
            fresh[1:] = at[1:] != at[:-1]
            told = fresh & ~flows[spoke][at] & flows["whole"][at]
            marks.first_flight[packets.index[talking[told]]] = True
            flows[spoke][at] = True
        last = np.append(first[1:], len(packets.key)) - 1
        flows["last_ns"] = packets.clock[last]
        self.flows_total += int(opens.sum())
        self._keep(flows)

    def _cut(self, packets: "_Sorted", known: I8, found: Bools) -> tuple[Bools, Bools]:
        """Say where a segment of packets of one flow starts, and which of them open the flow."""
        new_key = np.ones(len(packets.key), bool)
        new_key[1:] = packets.key[1:] != packets.key[:-1]
        before = np.empty_like(packets.clock)
        before[1:] = packets.clock[:-1]
        carried = new_key & found
        before[new_key] = packets.clock[new_key]
        opens = new_key & ~found
        began = np.where(new_key, packets.clock, 0)
        if len(self._open):
            before[carried] = self._open["last_ns"][known[carried]]
            began[carried] = self._open["start_ns"][known[carried]]
        opens |= packets.clock - before > self._idle_ns
        while True:
            start = new_key | opens
            began_here = np.where(opens, packets.clock, began)
            origin = np.maximum.accumulate(np.where(start, np.arange(len(start)), 0))
            old = packets.clock - began_here[origin] > self._active_ns
            if not old.any():
                return start, opens
            # Only the first packet past the limit opens the next flow; the rest is asked again.
            late = np.flatnonzero(old)
            first_late = np.ones(len(late), bool)
            first_late[1:] = origin[late[1:]] != origin[late[:-1]]
            opens[late[first_late]] = True

    def _begin(self, packets: "_Sorted", first: I8, opens: Bools, known: I8) -> np.ndarray:
        """Make the flows of all segments: carried on from the table, or new."""
        flows = np.zeros(len(first), _FLOW_DTYPE)
        if len(self._open):
            flows[~opens] = self._open[known[~opens]]
        at = first[opens]
        flows["key"] = packets.key[first]
        flows["number"][opens] = self.flows_total + np.arange(np.count_nonzero(opens))
        flows["start_ns"][opens] = packets.clock[at]
        answer = packets.syn_ack[at]  # the other side opened, unseen
        flows["low_opened"][opens] = packets.from_low[at] != answer
        flows["whole"][opens] = packets.begins[at]
        return flows

    def _keep(self, flows: np.ndarray) -> None:
        """Put the newest flow of each key back into the table."""
        newest = np.ones(len(flows), bool)
        newest[:-1] = flows["key"][1:] != flows["key"][:-1]
        flows = flows[newest]
        at = np.searchsorted(self._open["key"], flows["key"])
        at_most = np.minimum(at, max(len(self._open) - 1, 0))
        there = np.zeros(len(flows), bool)
        if len(self._open):
            there = self._open["key"][at_most] == flows["key"]
        self._open[at[there]] = flows[there]
        self._open = np.insert(self._open, at[~there], flows[~there])

    def _close_ended(self) -> None:
        ended = self._now_ns - self._open["last_ns"] > self._idle_ns
        if ended.any():
            self._open = self._open[~ended]
        excess = len(self._open) - self._max_flows
        if excess > 0:
            silent = np.argpartition(self._open["last_ns"], excess)[:excess]
            self._open = np.delete(self._open, silent)
            self.evicted += excess


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Packets by flow, in each flow by time."""

    index: I8  # in the batch
    key: U8
    from_low: Bools
    clock: I8  # latest time so far, in the order of the batch
    payload: Bools
    begins: Bools  # would be a flow's beginning if it opens one
    syn_ack: Bools


def _flow_keys(batch: PacketBatch, member: I8) -> tuple[U8, Bools]:
    """Hash both endpoints, and both together without regard to direction."""
    source = _endpoint(batch.src_hi[member], batch.src_lo[member], batch.src_port[member])
    target = _endpoint(batch.dst_hi[member], batch.dst_lo[member], batch.dst_port[member])
    low, high = np.minimum(source, target), np.maximum(source, target)
    key = low * _MIX[0] + high * _MIX[1] + batch.proto[member] * _MIX[2]
    key ^= key >> np.uint64(32)
    key *= _MIX[3]
    key ^= key >> np.uint64(29)
    return key, source <= target


def _endpoint(high: U8, low: U8, port: np.ndarray) -> U8:
    mixed = high * _MIX[3] + low * _MIX[4] + port * _MIX[2]
    mixed ^= mixed >> np.uint64(31)
    mixed *= _MIX[0]
    return mixed


def _sort_by_flow(key: U8, from_low: Bools, clock: I8, batch: PacketBatch, member: I8) -> _Sorted:
    """Sort by key and, within it, by order of arrival.

    The position takes the place of the key's lowest bits, so that one plain sort (several times
    faster than a stable argsort) gives both. The bits left tell the flows of a home apart.
    """
    bits = np.uint64(max(len(key) - 1, 1).bit_length())
    mask = (np.uint64(1) << bits) - np.uint64(1)
    packed = np.sort(key & ~mask | np.arange(len(key), dtype=np.uint64))
    order = (packed & mask).astype(np.int64)
    index = member[order]
    flags, proto = batch.tcp_flags[index], batch.proto[index]
    connected = (proto == _TCP) | (proto == _UDP)  # only these have a first flight
    syn = flags & _SYN != 0
    return _Sorted(
        index,
        # A key must be the same from block to block, however many packets a block has.
        key[order] >> np.uint64(20),
        from_low[order],
        clock[index],
        connected & (batch.payload_bytes[index] > 0),
        (proto != _TCP) | syn,
        syn & (flags & _ACK != 0),
    )

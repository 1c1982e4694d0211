"""The 19 numbers that identify a device by one of its flows (Kolcun et al., TMA 2021).

*Published:* the names, that a flow is bidirectional and of TCP or UDP, and that what is missing is
0. *Our reading:* sizes are those of the network layer, gaps and sizes are of all packets of both
directions together, "out" is what the device sends, the source is the side that opened the flow,
and spread, skewness and kurtosis are the estimators for samples. The publication took its flows
from another program, whose sizes and cuts differ: figures are comparable, single numbers are not.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.core.moments import (
    MOMENTS_DTYPE,
    SHAPE,
    group_moments,
    merge_moments,
    shape_of,
)
from fwid_agent.types import F8, I8, U4, U8, Bools, PacketBatch, Table

_SECOND_NS = 1_000_000_000
_TCP, _UDP = 6, 17

# name -> unit, in the published order.
FLOW_FEATURES: dict[str, str] = {
    "source_port": "1",
    "destination_port": "1",
    "bytes_out": "bytes",
    "packets_out": "1",
    "bytes_in": "bytes",
    "packets_in": "1",
    **{f"gap_{name}": unit for name, unit in zip(SHAPE, ("s", "s", "s^2", "1", "1"), strict=True)},
    **{
        f"size_{name}": unit
        for name, unit in zip(SHAPE, ("bytes", "bytes", "bytes^2", "1", "1"), strict=True)
    },
    "duration": "s",
    "protocol": "1",
    "domain": "1",  # an identifier; 0 where it is not known, or not asked for
}
FLOW_FEATURE_INDEX = {name: index for index, name in enumerate(FLOW_FEATURES)}
# A source port is drawn by the unit: by order of connections it tells one unit from another, and
# the day from the next, and nothing of the model. Addresses are in no feature at all.
LEAKS_THE_UNIT = ("source_port",)
NEEDS_HANDSHAKES = ("domain",)

_RECORD_DTYPE = np.dtype(
    [
        ("number", "i8"),
        ("start_ns", "i8"),
        ("last_ns", "i8"),
        ("opener", "u8"),  # MAC
        ("responder", "u8"),
        ("opener_port", "u2"),
        ("responder_port", "u2"),
        ("proto", "u1"),
        ("domain", "u4"),
        ("far", "?", 2),  # of the opener, of the responder: its MAC only forwards it
        ("taken", "?"),  # an earlier run has counted it
        ("packets", "f8", 2),  # of the opener, of the responder
        ("bytes", "f8", 2),
        ("gap", MOMENTS_DTYPE),
        ("size", MOMENTS_DTYPE),
    ]
)


@dataclass(frozen=True, slots=True)
class FlowSamples:
    """One device's view of its flows, one element a flow; a flow at home is one of both ends'."""

    mac: U8  # [n] the device
    start_ns: I8  # [n]
    values: F8  # [n, len(FLOW_FEATURES)]

    def __len__(self) -> int:
        """Samples."""
        return len(self.mac)

    def select(self, which: Bools | I8) -> "FlowSamples":
        """Return some of the samples."""
        return FlowSamples(self.mac[which], self.start_ns[which], self.values[which])


def join_samples(parts: list[FlowSamples]) -> FlowSamples:
    """Return all samples one after the other."""
    if not parts:
        nothing = np.zeros(0, np.int64)
        return FlowSamples(nothing.astype(np.uint64), nothing, np.zeros((0, len(FLOW_FEATURES))))
    return FlowSamples(
        np.concatenate([part.mac for part in parts]),
        np.concatenate([part.start_ns for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


class FlowBook:
    """What is known of each flow of TCP and UDP that a flow table follows.

    Memory grows with the flows that `take_ended` has not taken yet; those that the table can still
    add to are as many as its bound.
    """

    def __init__(self) -> None:
        self._records = np.zeros(0, _RECORD_DTYPE)  # sorted by number
        self._now_ns = -(2**62)

    def update(
        self,
        batch: PacketBatch,
        forward: Bools,
        number: I8,
        domain: U4 | None = None,
        far: Bools | None = None,
    ) -> None:
        """Take the next packets.

        Args:
            batch: packets.
            forward: [n] sent by the side that opened the flow.
            number: [n] the flow of each, as `FlowTable.trace` says.
            domain: [n] identifier of what the packet's peer was asked for as; 0 not known.
            far: [n, 2] the source, the target is not that of its MAC address, which only forwards.

        """
        if not len(batch):
            return
        clock = np.maximum.accumulate(np.maximum(batch.ts_ns, self._now_ns))
        self._now_ns = int(clock[-1])
        member = np.flatnonzero((number >= 0) & ((batch.proto == _TCP) | (batch.proto == _UDP)))
        if not len(member):
            return
        order = member[np.argsort(number[member], kind="stable")]
        flows, first, flow = np.unique(number[order], return_index=True, return_inverse=True)
        at = self._places(flows, order[first], batch, forward, clock)
        if domain is not None:
            named = np.zeros(len(flows), np.uint32)
            np.maximum.at(named, flow, domain[order])
            self._records["domain"][at] = np.maximum(self._records["domain"][at], named)
        if far is not None:
            opener = np.where(forward[order], 0, 1)
            for side in (0, 1):
                beyond = far[order, opener if side == 0 else 1 - opener]
                self._records["far"][at, side] |= np.bincount(flow[beyond], minlength=len(at)) > 0
        self._add(at, flow, order, first, (batch, forward, clock))

    def take_ended(self, before_ns: int | None = None) -> Table:
        """Take out the records of flows without a packet since `before_ns`; None: all of them."""
        ended = np.ones(len(self._records), bool)
        if before_ns is not None:
            ended = self._records["last_ns"] < before_ns
        taken: Table = self._records[ended]
        self._records = self._records[~ended]
        return taken

    def take_closed(self, still_open: I8) -> Table:
        """Take out the records of flows that are none of these, by their numbers."""
        ended = ~np.isin(self._records["number"], still_open)
        taken: Table = self._records[ended]
        if len(taken):
            self._records = self._records[~ended]
        return taken

    def mark_taken(self) -> None:
        """Mark the flows that are open as counted elsewhere; they are followed all the same."""
        self._records["taken"] = True

    def _places(self, flows: I8, first: I8, batch: PacketBatch, forward: Bools, clock: I8) -> I8:
        """Return where the records of these flows are, new ones included."""
        at = np.searchsorted(self._records["number"], flows)
        known = np.zeros(len(flows), bool)
        if len(self._records):
            at_most = np.minimum(at, len(self._records) - 1)
            known = self._records["number"][at_most] == flows
        new, packet = flows[~known], first[~known]
        records = np.zeros(len(new), _RECORD_DTYPE)
        records["number"] = new
        records["start_ns"] = records["last_ns"] = clock[packet]
        ahead = forward[packet]
        for name, source, target in (
            ("", batch.src_mac, batch.dst_mac),
            ("_port", batch.src_port, batch.dst_port),
        ):
            records[f"opener{name}"] = np.where(ahead, source[packet], target[packet])
            records[f"responder{name}"] = np.where(ahead, target[packet], source[packet])
        records["proto"] = batch.proto[packet]
        self._records = np.insert(self._records, at[~known], records)
        places: I8 = np.searchsorted(self._records["number"], flows)
        return places

    def _add(
        self, at: I8, flow: I8, order: I8, first: I8, packets: tuple[PacketBatch, Bools, I8]
    ) -> None:
        batch, forward, clock = packets
        count = len(at)
        size = batch.size_bytes[order].astype(np.float64)
        records = self._records
        for side, mine in enumerate((forward[order], ~forward[order])):
            records["packets"][at, side] += np.bincount(flow[mine], minlength=count)
            records["bytes"][at, side] += np.bincount(flow[mine], size[mine], count)
        time = clock[order]
        before = np.empty_like(time)
        before[1:] = time[:-1]
        before[first] = records["last_ns"][at]
        followed = np.ones(len(order), bool)  # a flow's very first packet ends no gap
        seen = records["size"]["n"][at] > 0
        followed[first] = seen
        gap = (time - before)[followed] / _SECOND_NS
        for name, values, group in (("gap", gap, flow[followed]), ("size", size, flow)):
            added = group_moments(values, group, count)
            records[name][at] = merge_moments(records[name][at], added)
        last = np.append(first[1:], len(order)) - 1
        records["last_ns"][at] = time[last]


def samples_of(records: Table, macs: U8) -> FlowSamples:
    """Return the flows of these devices, each as its device sees it, by device and time."""
    parts = []
    for mac in macs.tolist():
        opened = records["opener"] == mac
        mine = np.flatnonzero(opened | (records["responder"] == mac))
        parts.append(_samples(records[mine], opened[mine], mac))
    return join_samples(parts)


def _samples(records: Table, opened: Bools, mac: int) -> FlowSamples:
    values = feature_values(records, opened)
    order = np.argsort(records["start_ns"], kind="stable")
    return FlowSamples(
        np.full(len(records), mac, np.uint64), records["start_ns"][order], values[order]
    )


def feature_values(records: Table, opened: Bools) -> F8:
    """Return the features [n, 19] of flows, as the side sees each that opened it (or did not)."""
    own = np.where(opened, 0, 1)
    rows = np.arange(len(records))
    columns = {
        "source_port": records["opener_port"],
        "destination_port": records["responder_port"],
        "bytes_out": records["bytes"][rows, own],
        "packets_out": records["packets"][rows, own],
        "bytes_in": records["bytes"][rows, 1 - own],
        "packets_in": records["packets"][rows, 1 - own],
        "duration": (records["last_ns"] - records["start_ns"]) / _SECOND_NS,
        "protocol": records["proto"],
        "domain": records["domain"],
    }
    values: F8 = np.zeros((len(records), len(FLOW_FEATURES)))
    for name, column in columns.items():
        values[:, FLOW_FEATURE_INDEX[name]] = column
    for name in ("gap", "size"):
        begin = FLOW_FEATURE_INDEX[f"{name}_mean"]
        values[:, begin : begin + len(SHAPE)] = shape_of(records[name])
    return values

"""A uniform sample of each device's flows of a unit.

Each flow has a mark that is drawn from what it is (its ends and its first moment), and those with
the lowest marks are kept. Nobody has to know how many flows a day will have, parts of a day
merge into just the sample of the day, and the same flow is drawn alike in every run.
"""

from collections.abc import Iterator

import numpy as np

from fwid_agent.core.devices import GROUP_BIT, Sides
from fwid_agent.core.flow_features import feature_values
from fwid_agent.types import FLOWS_KEPT, I8, U8, Bools, FlowSample, PacketBatch, Table

# SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_ENDS = ("start_ns", "opener", "responder", "opener_port", "responder_port", "proto")


def far_ends(batch: PacketBatch, sides: Sides, gateway: Bools) -> Bools:
    """Say of which packets source and target only forward: [n, 2].

    Args:
        batch: packets.
        sides: whose they are.
        gateway: of each device, whether it is known to forward.

    """
    own = (batch.src_mac != 0) & (batch.src_mac & np.uint64(GROUP_BIT) == 0)
    forwarded = own & (sides.sender < 0) & (sides.from_cloud > 0)
    # An address of IPv6 is global at home too: only a known gateway forwards to it.
    to_gateway = (sides.receiver >= 0) & gateway[sides.receiver] if len(gateway) else own & False
    away = (sides.sent_to_cloud > 0) & ((batch.ip_version == 4) | to_gateway)
    return np.stack([forwarded, away], axis=1)


def draw_marks(records: Table) -> U8:
    """Return the mark of each flow [n], of records as `FlowBook` gives them."""
    mark = np.zeros(len(records), np.uint64)
    for name in _ENDS:
        mark = _mix(mark + _STEP ^ records[name].astype(np.uint64))
    return mark


def sample_flows(
    records: Table, macs: U8, unit_start_ns: I8
) -> Iterator[tuple[int, int, FlowSample]]:
    """Yield device, unit and sample, of the devices and units that have any of these flows.

    A flow is of the unit in which it began. One between two devices is of both; of one that leaves
    the home, who only forwards it has none.

    Args:
        records: [n] flows that have ended, as `FlowBook` gives them.
        macs: the devices.
        unit_start_ns: [n] when the unit of each flow began.

    """
    ends = np.stack([records["opener"], records["responder"]])
    side, flow = np.nonzero(np.isin(ends, macs[macs > 0]) & ~records["far"].T)
    marks = draw_marks(records)[flow]
    mac, unit = ends[side, flow], unit_start_ns[flow]
    order = np.lexsort((marks, unit, mac))
    side, flow, marks = side[order], flow[order], marks[order]
    mac, unit = mac[order], unit[order]
    begins = np.ones(len(mac), bool)
    begins[1:] = (mac[1:] != mac[:-1]) | (unit[1:] != unit[:-1])
    first = np.flatnonzero(begins)
    counts = np.diff(np.append(first, len(mac)))
    kept = np.flatnonzero(np.arange(len(mac)) - np.repeat(first, counts) < FLOWS_KEPT)
    values = feature_values(records[flow[kept]], side[kept] == 0).astype(np.float32)
    at = np.searchsorted(kept, first)
    for start, seen, begin in zip(first.tolist(), counts.tolist(), at.tolist(), strict=True):
        few = min(seen, FLOWS_KEPT)
        sample = FlowSample(seen, marks[start : start + few], values[begin : begin + few])
        yield int(mac[start]), int(unit[start]), sample


def _mix(value: U8) -> U8:
    mixed = (value ^ value >> np.uint64(30)) * _FIRST
    mixed = (mixed ^ mixed >> np.uint64(27)) * _SECOND
    result: U8 = mixed ^ mixed >> np.uint64(31)
    return result

"""Flows: marks and counts held against a dictionary fed one packet at a time."""

from dataclasses import fields

import numpy as np
import pytest
from fwid_agent.core.flows import FlowTable
from fwid_agent.types import FlowMarks, PacketBatch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.core.batches import (
    ACK,
    ICMP,
    SECOND_NS,
    SYN,
    TCP,
    UDP,
    Packet,
    batch_of,
    cut,
    freeze,
    packet,
)

_HOME, _CLOUD = (0x0A000002, 50_000), (0x08080808, 443)


def _add_steps(packets: list[Packet]) -> list[Packet]:
    times = 10**18 + np.cumsum([one["ts_ns"] for one in packets], dtype=np.int64) * SECOND_NS
    return [{**one, "ts_ns": int(time)} for one, time in zip(packets, times, strict=True)]


# Few endpoints and long steps, so that flows meet again, pause, age, and the clock falls back.
_endpoints = st.tuples(st.sampled_from([1, 2, 3]), st.sampled_from([0, 53, 40_000]))
_packets = st.lists(
    st.builds(
        lambda ends, step_s, columns: packet(*ends, **columns) | {"ts_ns": step_s},
        st.tuples(_endpoints, _endpoints).filter(lambda ends: ends[0] != ends[1]),
        st.sampled_from([0, 0, 1, 25, 59, 60, 61, 200, -30, -300]),
        st.fixed_dictionaries(
            {
                "proto": st.sampled_from([TCP, TCP, UDP, ICMP]),
                "tcp_flags": st.sampled_from([SYN, SYN | ACK, ACK]),
                "payload_bytes": st.sampled_from([0, 10]),
                "ip_version": st.sampled_from([4, 4, 4, 6, 0]),
                "undecoded": st.sampled_from([0, 0, 0, 0, 2]),
            }
        ),
    ),
    max_size=60,
).map(_add_steps)
_cuts = st.lists(st.integers(0, 60), max_size=60)


def _mark_singly(packets: list[Packet], idle_s: int, active_s: int) -> tuple[list[list[bool]], int]:
    """Plain statement of what the marks mean: [start, forward, first flight], and flows begun."""
    flows: dict[tuple[frozenset[tuple[int, int, int]], int], dict[str, object]] = {}
    marks, total, now = [], 0, -(2**62)
    for one in packets:
        now = max(now, one["ts_ns"])
        if one["ip_version"] == 0 or one["undecoded"]:
            marks.append([False, False, False])
            continue
        src = (0, one["src_lo"], one["src_port"])
        dst = (0, one["dst_lo"], one["dst_port"])
        key = (frozenset((src, dst)), one["proto"])
        flow = flows.get(key)
        syn = bool(one["tcp_flags"] & SYN)
        tcp = one["proto"] == TCP
        ended = flow is None or (
            (idle_s and now - flow["last"] > idle_s * SECOND_NS)
            or (active_s and now - flow["start"] > active_s * SECOND_NS)
        )
        if ended:
            answer = syn and bool(one["tcp_flags"] & ACK)
            total += 1
            flow = flows[key] = {
                "opener": dst if answer else src,
                "start": now,
                "whole": syn or not tcp,
                "spoke": set(),
            }
        flow["last"] = now
        first = False
        if one["payload_bytes"] and one["proto"] in (TCP, UDP):
            first = flow["whole"] and src not in flow["spoke"]
            flow["spoke"].add(src)
        marks.append([bool(ended), src == flow["opener"], bool(first)])
    return marks, total


def _run(table: FlowTable, batch: PacketBatch, at: list[int]) -> FlowMarks:
    parts = [table.update(freeze(block)) for block in cut(batch, at)]
    return FlowMarks(
        *(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(FlowMarks))
    )


@settings(max_examples=100)
@given(_packets, _cuts, st.sampled_from([(60, 150), (60, 0), (0, 150), (0, 0)]))
def test_any_blocks_give_the_marks_of_packets_taken_singly(
    packets: list[Packet], at: list[int], timeouts: tuple[int, int]
) -> None:
    """Sorting, cutting by timeouts and carrying over blocks change nothing; inputs stay."""
    expected, total = _mark_singly(packets, *timeouts)
    table = FlowTable(idle_timeout_s=timeouts[0], active_timeout_s=timeouts[1])
    marks = _run(table, batch_of(packets), at)
    got = np.stack([marks.flow_start, marks.forward, marks.first_flight], axis=1)
    assert got.tolist() == expected
    assert table.flows_total == total


@settings(max_examples=50)
@given(_packets, _cuts)
def test_without_timeouts_flows_are_the_distinct_conversations(
    packets: list[Packet], at: list[int]
) -> None:
    """The count that is compared with other readers of captures."""
    table = FlowTable(idle_timeout_s=0, active_timeout_s=0)
    _run(table, batch_of(packets), at)
    conversations = {
        (
            frozenset([(one["src_lo"], one["src_port"]), (one["dst_lo"], one["dst_port"])]),
            one["proto"],
        )
        for one in packets
        if one["ip_version"] and not one["undecoded"]
    }
    assert table.flows_total == len(conversations)


def test_many_flows_are_told_apart() -> None:
    """The hash keeps neighbouring addresses, ports and protocols apart, whatever the block."""
    packets = [
        packet((0x0A000000 + host, port), (0x08080808, 443), proto=proto)
        for host in range(32)
        for port in range(32_768, 33_280)
        for proto in (TCP, UDP)
    ]
    table = FlowTable(idle_timeout_s=0, active_timeout_s=0)
    both = packets + [
        {**one, "src_lo": one["dst_lo"], "dst_lo": one["src_lo"],
         "src_port": one["dst_port"], "dst_port": one["src_port"]}
        for one in packets
    ]  # fmt: skip
    marks = _run(table, batch_of(both), [7, 30_000])
    assert table.flows_total == len(packets)
    assert marks.forward.tolist() == [True] * len(packets) + [False] * len(packets)


@pytest.mark.parametrize("version", [4, 6])
def test_the_upper_half_of_an_address_counts(version: int) -> None:
    """IPv6 peers that differ only in their network are two flows."""
    one = packet(_HOME, _CLOUD, ip_version=version)
    table = FlowTable()
    table.update(batch_of([one, {**one, "dst_hi": 1}, {**one, "dst_hi": 1 << 63}]))
    assert table.flows_total == 3


def test_a_late_start_has_no_first_flight() -> None:
    """A TCP connection that was there before the capture says nothing of how it began."""
    late = [packet(_HOME, _CLOUD, proto=TCP, tcp_flags=ACK, payload_bytes=10)]
    assert not FlowTable().update(batch_of(late)).first_flight.any()
    begun = [packet(_HOME, _CLOUD, proto=TCP, tcp_flags=SYN), *late]
    assert FlowTable().update(batch_of(begun)).first_flight.tolist() == [False, True]


def test_a_full_table_gives_up_the_flows_silent_longest() -> None:
    """A port scan cannot grow the memory, and what still talks is kept."""
    table = FlowTable(max_flows=10)
    scan = [packet((1, port), _CLOUD, ts_ns=port * 1000) for port in range(1, 101)]
    table.update(batch_of(scan))
    assert (table.flows_total, table.evicted) == (100, 90)
    again = table.update(batch_of([scan[99] | {"ts_ns": 10**6}, scan[0] | {"ts_ns": 10**6}]))
    assert again.flow_start.tolist() == [False, True]
    assert table.evicted == 91


def test_a_clock_that_jumps_back_ends_no_flow() -> None:
    """Time is the latest seen: a clock set back by a day neither ends nor splits a flow."""
    day_ns = 86_400 * SECOND_NS
    times = [10 * day_ns, 9 * day_ns, 9 * day_ns + SECOND_NS, 10 * day_ns + SECOND_NS]
    table = FlowTable()
    marks = _run(table, batch_of([packet(_HOME, _CLOUD, ts_ns=time) for time in times]), [1, 3])
    assert marks.flow_start.tolist() == [True, False, False, False]


def test_an_empty_batch_changes_nothing() -> None:
    """A source that has nothing to hand on disturbs no flow."""
    table = FlowTable()
    one = batch_of([packet(_HOME, _CLOUD, ts_ns=SECOND_NS)])
    table.update(one)
    assert len(table.update(batch_of([])).flow_start) == 0
    assert not table.update(one).flow_start.any()

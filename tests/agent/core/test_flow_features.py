"""The 19 numbers of a flow, held against scipy's estimators and tshark's and dpkt's packets."""

import io
import subprocess
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import dpkt
import numpy as np
import pytest
import zstandard
from fwid_agent.capture.files import open_capture
from fwid_agent.core.flow_features import (
    FLOW_FEATURE_INDEX,
    FLOW_FEATURES,
    FlowBook,
    FlowSamples,
    samples_of,
)
from fwid_agent.core.flows import FlowTable
from fwid_agent.core.moments import group_moments, merge_moments, shape_of
from fwid_agent.core.packets import decode_packets
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.agent.core.batches import SECOND_NS, TCP, UDP, Packet, batch_of, cut, packet

DATA = Path(__file__).parents[2] / "data"
CAPTURES = sorted(
    [
        *(DATA / "made-corpus").glob("*/2026-01-0[57].pcap.zst"),
        *(DATA / "iot-sentinel").glob("*/Setup-A-1*"),
    ]
)
NAMES = list(FLOW_FEATURES)
_IDLE_S, _ACTIVE_S = 60, 1800
SIZES = st.lists(st.one_of(st.integers(40, 1514), st.just(1514)), min_size=1, max_size=40)


def expected_shape(values: list[float]) -> list[float]:
    """What scipy says; 0 where too few values, or equal ones, say nothing."""
    if not values:
        return [0.0] * 5
    spread = len(set(values)) > 1
    variance = float(np.var(values, ddof=1)) if spread else 0.0
    skewness = float(stats.skew(values, bias=False)) if spread and len(values) > 2 else 0.0
    kurtosis = float(stats.kurtosis(values, bias=False)) if spread and len(values) > 3 else 0.0
    return [float(np.mean(values)), variance**0.5, variance, skewness, kurtosis]


@given(SIZES, SIZES, st.sampled_from([0.0, 1e6]))
def test_merged_moments_are_those_of_all_values(a: list[int], b: list[int], far: float) -> None:
    """A flow that spans blocks has the shape that it has in one, however far from zero it lies."""
    left, right = (np.array(part, np.float64) + far for part in (a, b))
    parts = [group_moments(part, np.zeros(len(part), np.int64), 1) for part in (left, right)]
    merged = shape_of(merge_moments(*parts))[0]
    assert merged == pytest.approx(
        expected_shape([*left.tolist(), *right.tolist()]), rel=1e-6, abs=1e-6
    )


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(40, 1500)), max_size=40))
def test_blocks_of_any_size_give_the_same_samples(steps: list[tuple[bool, int, int]]) -> None:
    """Nothing of a flow is lost or counted twice where a block ends."""
    times = 10**18 + np.cumsum([step[1] for step in steps], dtype=np.int64) * SECOND_NS
    home, cloud = (0x0A000002, 50_000), (0x08080808, 443)
    packets: list[Packet] = [
        packet(*((home, cloud) if out else (cloud, home)), proto=TCP, size_bytes=size,
               ts_ns=int(time), src_mac=0xAA if out else 0xBB, dst_mac=0xBB if out else 0xAA)
        for (out, _, size), time in zip(steps, times, strict=True)
    ]  # fmt: skip
    whole = run([batch_of(packets)], 0xAA)
    single = run(list(cut(batch_of(packets), range(1, len(packets)))), 0xAA)
    assert single.start_ns.tolist() == whole.start_ns.tolist()
    np.testing.assert_allclose(single.values, whole.values, rtol=1e-7, atol=1e-7)


def run(batches: list[Any], mac: int) -> FlowSamples:
    table, book = FlowTable(idle_timeout_s=_IDLE_S, active_timeout_s=_ACTIVE_S), FlowBook()
    for batch in batches:
        marks, number = table.trace(batch)
        book.update(batch, marks.forward, number)
    return samples_of(book.take_ended(), np.array([mac], np.uint64))


def test_a_flow_at_home_is_a_sample_of_both_ends() -> None:
    """Out is what the device itself sends, also where the other end opened the flow."""
    hub, plug = (0x0A000002, 40_000), (0x0A000003, 5683)
    packets = [
        packet(hub, plug, size_bytes=60, src_mac=1, dst_mac=2, ts_ns=0),
        packet(plug, hub, size_bytes=100, src_mac=2, dst_mac=1, ts_ns=SECOND_NS),
        packet(plug, hub, size_bytes=101, src_mac=2, dst_mac=1, ts_ns=SECOND_NS * 2),
    ]
    of_plug, of_hub = (run([batch_of(packets)], mac).values[0] for mac in (2, 1))
    for name, plug_value, hub_value in (
        ("source_port", 40_000, 40_000),
        ("destination_port", 5683, 5683),
        ("bytes_out", 201, 60),
        ("packets_out", 2, 1),
        ("bytes_in", 60, 201),
        ("packets_in", 1, 2),
        ("duration", 2, 2),
        ("gap_mean", 1, 1),
    ):
        index = FLOW_FEATURE_INDEX[name]
        assert (of_plug[index], of_hub[index]) == (plug_value, hub_value), name


def test_flows_that_ended_are_taken_once() -> None:
    """A book that is emptied as it goes gives the samples of one that is not."""
    packets = [
        packet((1, 1000 + flow), (2, 443), ts_ns=flow * 100 * SECOND_NS + step * SECOND_NS)
        for flow in range(5)
        for step in range(3)
    ]
    batch = batch_of(packets)
    table, book = FlowTable(idle_timeout_s=_IDLE_S, active_timeout_s=_ACTIVE_S), FlowBook()
    taken = []
    for block in cut(batch, [4, 9, 10]):
        marks, number = table.trace(block)
        book.update(block, marks.forward, number)
        taken.append(book.take_ended(int(block.ts_ns[-1]) - _IDLE_S * SECOND_NS))
    early = sum(len(part) for part in taken)
    taken.append(book.take_ended())
    emptied = samples_of(np.concatenate(taken), np.array([0xAA], np.uint64))
    assert 0 < early < 5
    assert emptied.values.tolist() == run([batch], 0xAA).values.tolist()


# --- real captures --------------------------------------------------------------------------------


def busiest_device(path: Path) -> int:
    """The MAC that sends most of a capture's packets."""
    with open_capture(str(path)) as reader:
        macs = np.concatenate([decode_packets(block).src_mac for block in reader])
    values, counts = np.unique(macs, return_counts=True)
    return int(values[counts.argmax()])


def ours(path: Path, mac: int) -> FlowSamples:
    with open_capture(str(path), block_bytes=1 << 14) as reader:
        return run([decode_packets(block) for block in reader], mac)


def theirs(rows: list[dict[str, Any]], mac: int) -> np.ndarray:
    """The features by plain loops: rows of time, MACs, addresses, ports, protocol, size, SYN."""
    flows: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    ended: list[list[dict[str, Any]]] = []
    now_ns = 0
    for row in rows:
        now_ns = row["time"] = max(row["time"], now_ns)
        key = (frozenset((row["src"], row["dst"])), row["proto"])
        flow = flows[key]
        silent_ns = row["time"] - flow[-1]["time"] if flow else 0
        age_ns = row["time"] - flow[0]["time"] if flow else 0
        if silent_ns > _IDLE_S * SECOND_NS or age_ns > _ACTIVE_S * SECOND_NS:
            ended.append(flows.pop(key))
        flows[key].append(row)
    result = []
    for flow in [*ended, *flows.values()]:
        first = flow[0]
        opener, other = first["src"], first["dst"]
        macs = [first["src_mac"], first["dst_mac"]]
        if first["answer"]:
            opener, other, macs = other, opener, macs[::-1]
        if mac not in macs:
            continue
        own = opener if macs[0] == mac else other
        out = [row["size"] for row in flow if row["src"] == own]
        back = [row["size"] for row in flow if row["src"] != own]
        times = [row["time"] for row in flow]
        result.append(
            [opener[1], other[1], sum(out), len(out), sum(back), len(back),
             *expected_shape((np.diff(times) / SECOND_NS).tolist()),
             *expected_shape([float(row["size"]) for row in flow]),
             (times[-1] - times[0]) / SECOND_NS, first["proto"], 0]
        )  # fmt: skip
    return np.array(result, np.float64)


def by_tshark(path: Path) -> list[dict[str, Any]]:
    names = [
        *("frame.time_epoch", "eth.src", "eth.dst", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst"),
        *("tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport"),
        *("ip.len", "ipv6.plen", "tcp.flags"),
    ]
    text = subprocess.run(
        ["tshark", "-n", "-r", path, "-Y", "tcp or udp", "-T", "fields", "-E", "occurrence=f",
         *(word for name in names for word in ("-e", name))],
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    rows = []
    for line in text.splitlines():
        field = dict(zip(names, line.split("\t"), strict=True))
        tcp = bool(field["tcp.srcport"])
        if not tcp and not field["udp.srcport"]:
            continue  # a later fragment, which tshark puts together
        ports = [field[f"{'tcp' if tcp else 'udp'}.{side}port"] for side in ("src", "dst")]
        flags = int(field["tcp.flags"] or "0", 16)
        rows.append(
            {
                "time": int(Decimal(field["frame.time_epoch"]) * SECOND_NS),
                "src_mac": int(field["eth.src"].replace(":", ""), 16),
                "dst_mac": int(field["eth.dst"].replace(":", ""), 16),
                "src": (field["ip.src"] or field["ipv6.src"], int(ports[0])),
                "dst": (field["ip.dst"] or field["ipv6.dst"], int(ports[1])),
                "proto": TCP if tcp else UDP,
                "size": int(field["ip.len"] or int(field["ipv6.plen"] or 0) + 40),
                "answer": flags & 0x12 == 0x12,
            }
        )
    return rows


def by_dpkt(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    rows = []
    for time, raw in dpkt.pcap.Reader(io.BytesIO(data)):
        frame = dpkt.ethernet.Ethernet(raw)
        network = frame.data
        upper = getattr(network, "data", None)
        if not isinstance(network, dpkt.ip.IP | dpkt.ip6.IP6):
            continue
        if not isinstance(upper, dpkt.tcp.TCP | dpkt.udp.UDP):
            continue
        four = isinstance(network, dpkt.ip.IP)
        tcp = isinstance(upper, dpkt.tcp.TCP)
        rows.append(
            {
                "time": round(float(time) * 1e6) * 1000,
                "src_mac": int.from_bytes(frame.src, "big"),
                "dst_mac": int.from_bytes(frame.dst, "big"),
                "src": (network.src, upper.sport),
                "dst": (network.dst, upper.dport),
                "proto": TCP if tcp else UDP,
                "size": network.len if four else network.plen + 40,
                "answer": tcp and upper.flags & 0x12 == 0x12,
            }
        )
    return rows


@pytest.mark.parametrize("reader", [by_tshark, by_dpkt])
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.name[:10]}")
def test_the_features_of_real_captures_are_those_of_other_readers(path: Path, reader: Any) -> None:
    """All 19 of every flow of the device, from packets that tshark and dpkt read."""
    mac = busiest_device(path)
    found = ours(path, mac).values
    expected = theirs(reader(path), mac)
    assert found.shape == expected.shape
    order = [
        np.lexsort(np.round(each[:, [16, 5, 4, 3, 2, 1, 0]].T, 5)) for each in (found, expected)
    ]
    for index, name in enumerate(NAMES):
        np.testing.assert_allclose(
            found[order[0], index], expected[order[1], index], rtol=1e-7, atol=1e-7, err_msg=name
        )

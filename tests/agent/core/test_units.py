"""Unit tables: every sum and count held against plain Python, whatever the blocks."""

import math
from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np
import pytest
from fwid_agent.core.devices import DeviceTracker
from fwid_agent.core.flows import FlowTable
from fwid_agent.core.units import UnitAccumulator
from fwid_agent.tables import merge_tables
from fwid_agent.types import ROW_COUNT, ROWS, SUM_INDEX, SUMS, Row, TokenKind, UnitTable
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.core.batches import (
    ACK,
    ARP,
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

_WINDOW_NS = 60 * SECOND_NS
_DEVICE, _GATEWAY, _BROADCAST = 0xA1, 0xB1, 0xFFFFFFFFFFFF
_HOME, _ROUTER, _CLOUD = 0xC0A80005, 0xC0A80001, 0x08080808
_BEGIN_NS = 25_000_000 * _WINDOW_NS + 7 * SECOND_NS

_packets = st.lists(
    st.builds(
        lambda ends, ports, step_ns, columns: (
            packet((ends[1], ports[0]), (ends[3], ports[1]), **columns)
            | {"src_mac": ends[0], "dst_mac": ends[2], "ts_ns": step_ns}
        ),
        st.sampled_from(
            [
                (_DEVICE, _HOME, _GATEWAY, _CLOUD),
                (_GATEWAY, _CLOUD, _DEVICE, _HOME),
                (_DEVICE, _HOME, _GATEWAY, _ROUTER),
                (_GATEWAY, _ROUTER, _DEVICE, _HOME),
                (_DEVICE, _HOME, _BROADCAST, 0xFFFFFFFF),
            ]
        ),
        st.tuples(*2 * [st.sampled_from([53, 443, 5353, 50_000])]),
        st.sampled_from([0, 100, SECOND_NS, 20 * SECOND_NS, 130 * SECOND_NS]),
        st.fixed_dictionaries(
            {
                "proto": st.sampled_from([TCP, TCP, UDP, 1, 2, 58, 132]),
                "tcp_flags": st.sampled_from([SYN, SYN | ACK, ACK]),
                "size_bytes": st.sampled_from([40, 41, 1500]),
                "payload_bytes": st.sampled_from([0, 1]),
                "window": st.sampled_from([0, 65_535]),
                "mss": st.sampled_from([0, 1460]),
                "options": st.sampled_from([0, 2**32 - 1]),
                "ttl": st.sampled_from([0, 64, 255]),
                "undecoded": st.sampled_from([0, 0, 0, 0, 0, 2]),
                "ip_version": st.sampled_from([4, 4, 4, 4, 0]),
                "ethertype": st.sampled_from([0x0800, ARP, 0x888E]),
            }
        ),
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip
_cuts = st.lists(st.integers(0, 40), max_size=5)


class _Cell(NamedTuple):
    session: int
    start_ns: int
    row: int


def _timed(packets: list[Packet], begin_ns: int = _BEGIN_NS) -> list[Packet]:
    times = begin_ns + np.cumsum([one["ts_ns"] for one in packets], dtype=np.int64)
    return [{**one, "ts_ns": int(time)} for one, time in zip(packets, times, strict=True)]


# --- the plain statement ------------------------------------------------------------


def _protocol(one: Packet) -> str:
    if one["undecoded"]:
        return "l2"
    if one["ip_version"] == 0:
        return {0x0806: "arp", 0x888E: "eapol"}.get(one["ethertype"], "l2")
    for port, name in ((53, "dns"), (5353, "mdns"), (443, "tls")):
        if port in (one["src_port"], one["dst_port"]):
            return name
    names = {1: "icmp", 2: "igmp", TCP: "tcp", UDP: "udp", 58: "icmpv6"}
    return names.get(one["proto"], "l2")


def _state(
    packets: list[Packet], marks: list[tuple[bool, bool]], session: int, origin_ns: int
) -> tuple[dict[int, dict[_Cell, dict[str, float]]], dict[int, Counter[tuple[int, ...]]]]:
    """Sums of each cell and counts of each value, by MAC, one packet after the other."""
    sums: dict[int, dict[_Cell, dict[str, float]]] = defaultdict(
        lambda: defaultdict(lambda: dict.fromkeys(SUMS, 0.0))
    )
    tokens: dict[int, Counter[tuple[int, ...]]] = defaultdict(Counter)
    before: dict[tuple[int, int], int] = {}
    silences: dict[tuple[int, int], list[float]] = defaultdict(list)
    for one, (start, first) in zip(packets, marks, strict=True):
        window = (one["ts_ns"] - origin_ns) // _WINDOW_NS
        start_ns = origin_ns + window * _WINDOW_NS
        routed = one["ip_version"] == 4
        from_cloud = routed and one["src_lo"] == _CLOUD
        to_cloud = routed and one["dst_lo"] == _CLOUD
        sides = []
        if not from_cloud:
            sides.append((one["src_mac"], "sent", to_cloud))
        if one["dst_mac"] != _BROADCAST:
            sides.append((one["dst_mac"], "received", from_cloud))
        for mac, direction, cloud in sides:
            row = ROWS.index(Row(_protocol(one), direction, "cloud" if cloud else "lan"))
            cell = sums[mac][_Cell(session, start_ns, row)]
            cell["packets"] += 1
            cell["size"] += one["size_bytes"]
            cell["size_sq"] += one["size_bytes"] ** 2
            cell["payload_packets"] += one["payload_bytes"] > 0
            cell["payload"] += one["payload_bytes"]
            cell["flows"] += start
            if (mac, row) in before:
                gap_s = max((one["ts_ns"] - before[mac, row]) / SECOND_NS, 1e-6)
                cell["gaps"] += 1
                cell["log_gap"] += math.log10(gap_s)
                cell["log_gap_sq"] += math.log10(gap_s) ** 2
                period = _beat(silences[mac, row], gap_s) if direction == "sent" else None
                if period is not None:
                    tokens[mac][(session, start_ns, row, TokenKind.PERIOD, period)] += 1
            before[mac, row] = one["ts_ns"]
            if one["undecoded"]:
                continue
            sent = direction == "sent"
            syn = sent and one["proto"] == TCP and one["tcp_flags"] & SYN
            # What a DNS or DHCP server answers is of names and leases, not of its software.
            telling = not (sent and one["src_port"] in (53, 67))
            # Messages of ICMP quote the packet that they answer.
            telling &= not (one["ip_version"] and one["proto"] in (1, 58))
            values = {
                TokenKind.SIZE: (telling, one["size_bytes"]),
                TokenKind.FIRST_SIZE: (first and telling, one["size_bytes"]),
                TokenKind.TTL: (sent and one["ip_version"] > 0, one["ttl"]),
                TokenKind.SYN_WINDOW: (syn, one["window"]),
                TokenKind.SYN_MSS: (syn, one["mss"]),
                TokenKind.SYN_OPTIONS: (syn, one["options"]),
                TokenKind.PORT: (start, _service_port(one)),
                TokenKind.NETWORK: (start and sent and cloud, one["dst_lo"] >> 8),
            }
            for kind, (there, value) in values.items():
                if there:
                    tokens[mac][(session, start_ns, row, kind, value)] += 1
    return sums, tokens


def _beat(silences: list[float], gap_s: float) -> int | None:
    """Return the period in tenths of a second where this silence is the third of its length."""
    if gap_s < 10**-0.5:
        return None
    silences.append(gap_s)
    if len(silences) < 3 or any(
        max(gap_s, each) > 1.05 * min(gap_s, each) for each in silences[-3:]
    ):
        return None
    chosen = (1, 1.2, 1.5, 1.8, 2, 2.4, 3, 3.6, 4, 5, 6, 7.5, 9)
    cells = [round(each * 10**decade) for decade in range(7) for each in chosen]
    return min(cells, key=lambda cell: abs(math.log(cell / (gap_s * 10))))


def _service_port(one: Packet) -> int:
    source, target = one["src_port"], one["dst_port"]
    answer = target >= 1024 > source > 0 or target >= 32768 > source > 0
    return source if answer else target


def _observed(packets: list[Packet], times_ns: list[int], origin_ns: int) -> dict[int, float]:
    """Windows watched from a device's first packet to the session's end, by start."""
    begin_ns, end_ns = packets[0]["ts_ns"], packets[-1]["ts_ns"]
    first = (min(times_ns) - origin_ns) // _WINDOW_NS
    last = (end_ns - origin_ns) // _WINDOW_NS
    shares = {}
    for window in range(first, last + 1):
        start_ns = origin_ns + window * _WINDOW_NS
        inside = min(end_ns, start_ns + _WINDOW_NS) - max(begin_ns, start_ns)
        shares[start_ns] = inside / _WINDOW_NS
    return shares


# --- the stages together ------------------------------------------------------------


class _Stages:
    """Packets to unit tables, as the pipeline runs them."""

    def __init__(self, window_ns: int = _WINDOW_NS) -> None:
        self.tracker = DeviceTracker()
        self.units = UnitAccumulator(window_ns)
        self.tables: dict[int, list[UnitTable]] = defaultdict(list)
        self.marks: list[tuple[bool, bool]] = []

    def run(
        self,
        packets: list[Packet],
        at: list[int],
        *,
        session: int = 1,
        origin_ns: int = 0,
        drain_often: bool = False,
    ) -> None:
        flows = FlowTable()
        self.units.begin_session(session, origin_ns)
        for block in cut(freeze(batch_of(packets)), at):
            marks = flows.update(block)
            self.marks += zip(marks.flow_start.tolist(), marks.first_flight.tolist(), strict=True)
            self.units.update(block, marks, self.tracker.update(block))
            if drain_often:
                self.collect()
        self.units.end_session()

    def collect(self) -> None:
        for mac, table in self.units.drain(self.tracker.macs).items():
            self.tables[mac].append(table)

    def result(self) -> dict[int, UnitTable]:
        self.collect()
        return {mac: merge_tables(tables) for mac, tables in self.tables.items()}


def _assert_cells(table: UnitTable, expected: dict[_Cell, dict[str, float]]) -> None:
    rows = {
        _Cell(int(table.session[period]), int(table.start_ns[period]), row)
        for period in range(len(table))
        for row in range(ROW_COUNT)
        if table.sums[period, row].any()
    }
    assert rows == set(expected)
    place = {
        (int(session), int(start)): period
        for period, (session, start) in enumerate(zip(table.session, table.start_ns, strict=True))
    }
    for cell, sums in expected.items():
        got = table.sums[place[cell.session, cell.start_ns], cell.row]
        for name, value in sums.items():
            # Whole numbers are exact; only logarithms are rounded, in the order of the blocks.
            exact = not name.startswith("log_")
            tolerance = 0 if exact else 1e-9
            assert got[SUM_INDEX[name]] == pytest.approx(value, rel=tolerance, abs=tolerance)


def _counts(table: UnitTable) -> dict[tuple[int, ...], int]:
    return {
        (
            int(table.session[token["period"]]),
            int(table.start_ns[token["period"]]),
            int(token["row"]),
            int(token["kind"]),
            int(token["value"]),
        ): int(token["count"])
        for token in table.tokens
    }


@settings(max_examples=100)
@given(_packets, _cuts, st.booleans(), st.sampled_from([0, _BEGIN_NS]))
def test_every_sum_and_count_is_exact(
    packets: list[Packet], at: list[int], drain_often: bool, origin_ns: int
) -> None:
    """Any blocks, taken out early or at the end, give what plain Python counts; inputs stay."""
    packets = _timed(packets)
    stages = _Stages()
    stages.run(packets, at, origin_ns=origin_ns, drain_often=drain_often)
    sums, tokens = _state(packets, stages.marks, 1, origin_ns)
    tables = stages.result()
    assert set(tables) == set(sums)
    for mac, table in tables.items():
        _assert_cells(table, sums[mac])
        assert _counts(table) == tokens[mac]


@settings(max_examples=60)
@given(_packets, _cuts, st.booleans())
def test_watched_time_runs_from_first_sight_to_the_end(
    packets: list[Packet], at: list[int], drain_often: bool
) -> None:
    """Silent windows are watched too; a session shorter than a window counts as a whole one."""
    packets = _timed(packets)
    stages = _Stages()
    stages.run(packets, at, drain_often=drain_often)
    length_ns = packets[-1]["ts_ns"] - packets[0]["ts_ns"]
    for mac, table in stages.result().items():
        heard = table.sums[:, :, SUM_INDEX["packets"]].any(axis=1)
        times_ns = [int(table.start_ns[heard].min())]
        expected = _observed(packets, times_ns, 0)
        assert table.start_ns.tolist() == sorted(expected), f"{mac:x}"
        assert (table.observed[heard] > 0).all()
        if length_ns < _WINDOW_NS:
            assert table.observed.sum() == pytest.approx(1.0)
        else:
            # A window that was hardly touched counts as a second.
            slack = SECOND_NS / _WINDOW_NS
            assert np.allclose(table.observed, list(expected.values()), atol=slack)


def test_sessions_stay_apart() -> None:
    """Two captures of one hour are two periods, and no gap spans them; one drain gives both."""
    one = packet((_HOME, 50_000), (_CLOUD, 443), src_mac=_DEVICE, dst_mac=_GATEWAY)
    stages = _Stages()
    for session, begin_ns in ((1, _BEGIN_NS), (2, _BEGIN_NS + 10 * SECOND_NS)):
        stages.run([one | {"ts_ns": begin_ns}], [], session=session, origin_ns=begin_ns)
    table = stages.result()[_DEVICE]
    assert table.session.tolist() == [1, 2]
    assert table.start_ns.tolist() == [_BEGIN_NS, _BEGIN_NS + 10 * SECOND_NS]
    assert table.sums[:, :, SUM_INDEX["gaps"]].sum() == 0
    assert table.observed.tolist() == [1.0, 1.0]


def test_every_window_with_packets_was_watched() -> None:
    """A clock that is set back leaves no window with packets but without time: no endless rate."""
    one = packet((_HOME, 50_000), (_CLOUD, 443), src_mac=_DEVICE, dst_mac=_GATEWAY)
    times_ns = [_BEGIN_NS + minute * _WINDOW_NS for minute in (10, 11, 12, 3, 4, 13)]
    for at in ([], [1, 2, 3, 4, 5]):
        stages = _Stages()
        stages.run([one | {"ts_ns": time} for time in times_ns], at, drain_often=True)
        table = stages.result()[_DEVICE]
        heard = table.sums[:, :, SUM_INDEX["packets"]].any(axis=1)
        assert heard.sum() == 6
        assert (table.observed[heard] > 0).all()
        assert (table.observed <= 1).all()


def test_a_device_that_is_off_is_not_watched() -> None:
    """A day of silence ends the watch; the next packet begins it anew."""
    hour_ns = 3600 * SECOND_NS
    one = packet((_HOME, 50_000), (_CLOUD, 443), src_mac=_DEVICE, dst_mac=_GATEWAY)
    other = one | {"src_mac": 0xC1}
    packets = [other | {"ts_ns": hour * hour_ns} for hour in range(24 * 4)]
    packets.insert(1, one | {"ts_ns": 0})
    packets.append(one | {"ts_ns": (24 * 4 - 1) * hour_ns + 1})
    stages = _Stages(hour_ns)
    stages.run(packets, [10, 40])
    table = stages.result()[_DEVICE]
    assert table.observed.sum() == pytest.approx(24, abs=0.01)
    assert len(table) == 25


def test_values_without_end_are_bounded() -> None:
    """A scan with a new size every packet cannot grow a table; the commonest values stay."""
    usual = packet((_HOME, 50_000), (_CLOUD, 443), src_mac=_DEVICE, dst_mac=_GATEWAY)
    sizes = [100 + number for number in range(6000)] + 3 * [9999]
    stages = _Stages()
    stages.run([usual | {"size_bytes": size, "ts_ns": _BEGIN_NS} for size in sizes], [3000])
    table = stages.result()[_DEVICE]
    kept = table.tokens[table.tokens["kind"] == TokenKind.SIZE]
    assert len(kept) == 4096
    assert kept["count"][kept["value"] == 9999].tolist() == [3]
    assert table.sums[:, :, SUM_INDEX["packets"]].sum() == len(sizes)


# --- places that are given to other devices ---------------------------------------------------


@settings(max_examples=60)
@given(_packets, _cuts, st.data())
def test_a_place_given_away_takes_nothing_along(
    packets: list[Packet], at: list[int], data: st.DataObject
) -> None:
    """Whoever is forgotten, and whenever: what is counted of each device is its own and all of it.

    Only the gap to a forgotten device's packet before is not known, nor since when it is silent.
    """
    packets = _timed(packets)
    whole = _Stages()
    whole.run(packets, at)
    stages = _Stages()
    flows = FlowTable()
    stages.units.begin_session(1, 0)
    for block in cut(freeze(batch_of(packets)), at):
        stages.units.update(block, flows.update(block), stages.tracker.update(block))
        stages.collect()
        present = [mac for mac in stages.tracker.macs.tolist() if mac]
        leaving = data.draw(st.sets(st.sampled_from(present)) if present else st.just(set()))
        index = stages.tracker.forget(np.array(sorted(leaving), np.uint64))
        stages.units.forget(index)
        assert len(stages.tracker) == len(present) - len(leaving)
    stages.units.end_session()
    exact = [SUM_INDEX[name] for name in ("packets", "size", "payload", "flows")]
    expected, got = whole.result(), stages.result()
    assert set(got) == set(expected)
    for mac, table in expected.items():
        heard = table.sums[:, :, SUM_INDEX["packets"]].any(axis=1)
        mine = got[mac].sums[:, :, SUM_INDEX["packets"]].any(axis=1)
        assert got[mac].start_ns[mine].tolist() == table.start_ns[heard].tolist()
        np.testing.assert_array_equal(
            got[mac].sums[mine][:, :, exact], table.sums[heard][:, :, exact]
        )
        gaps = SUM_INDEX["gaps"]
        assert (got[mac].sums[mine][:, :, gaps] <= table.sums[heard][:, :, gaps]).all()
        assert (got[mac].observed <= 1 + 1e-9).all()


def test_the_next_device_in_a_place_has_no_packet_before() -> None:
    """Its first gap would else be the silence of somebody else."""
    stages, flows = _Stages(), FlowTable()
    stages.units.begin_session(1, 0)
    for second, mac in enumerate((0xA, 0xB)):
        block = batch_of([packet((1, 1), (2, 2), src_mac=mac, ts_ns=second * SECOND_NS)])
        stages.units.update(block, flows.update(block), stages.tracker.update(block))
        stages.collect()
        if mac == 0xA:
            stages.units.forget(stages.tracker.forget(stages.tracker.macs))
    assert stages.tracker.macs.tolist()[0] == 0xB
    (table,) = stages.tables[0xB]
    assert table.sums[:, :, SUM_INDEX["gaps"]].sum() == 0

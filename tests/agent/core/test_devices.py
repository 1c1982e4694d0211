"""Devices: whose packet it is, and whether its peer is in the cloud, against a plain statement."""

import ipaddress

import numpy as np
import pytest
from fwid_agent.core.devices import DeviceTracker, is_randomised
from fwid_agent.types import parse_mac
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.core.batches import SECOND_NS, Packet, batch_of, cut, freeze, packet

_BROADCAST, _MULTICAST, _NONE = 0xFFFFFFFFFFFF, 0x01005E0000FB, 0
_SPECIAL = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
    "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
_CLOUD_IPV6, _OTHER_IPV6, _LOCAL_IPV6 = 0x20010DB8 << 32, 0x3FFF << 48, 0xFE80 << 48


def _is_global(address: int) -> bool:
    ip = ipaddress.IPv4Address(address)
    return ip.is_global and not ip.is_multicast


def _borders() -> list[int]:
    """First and last address of every special network, with their neighbours outside."""
    networks = [ipaddress.ip_network(text) for text in _SPECIAL]
    ends = [int(end) for net in networks for end in (net[0], net[-1])]
    near = {end + step for end in ends for step in (-1, 0, 1)}
    return sorted(address for address in near if 0 <= address < 2**32)


_packets = st.lists(
    st.builds(
        lambda macs, low, high, columns: (
            packet((low[0], 1), (low[1], 2), src_mac=macs[0], dst_mac=macs[1], **columns)
            | {"src_hi": high[0], "dst_hi": high[1]}
        ),
        st.tuples(*2 * [st.sampled_from([1, 1, 2, 2, _BROADCAST, _MULTICAST, _NONE])]),
        st.tuples(*2 * [st.sampled_from([0x0A000001, 0xC0A80001, 0x08080808, 0xFFFFFFFF])]),
        st.tuples(*2 * [st.sampled_from([_CLOUD_IPV6, _OTHER_IPV6, _LOCAL_IPV6])]),
        st.fixed_dictionaries(
            {
                "ip_version": st.sampled_from([4, 6, 4, 6, 0]),
                "ts_ns": st.integers(10**18, 10**18 + 5),
                "wire_bytes": st.integers(0, 2000),
            }
        ),
    ),
    min_size=1,
    max_size=30,
)
_cuts = st.lists(st.integers(0, 30), max_size=4)


def _state_sides(packets: list[Packet]) -> list[tuple[int, int, int, int]]:
    """MAC of sender and receiver (0: none), and whether each one's peer is in the cloud."""
    gateways: set[int] = set()
    result = []
    for one in packets:
        sender, receiver = (
            0 if one[side] in (_BROADCAST, _MULTICAST) else one[side]
            for side in ("src_mac", "dst_mac")
        )
        cloud = {"src": False, "dst": False}
        for side in cloud:
            if one["ip_version"] == 4:
                cloud[side] = _is_global(one[f"{side}_lo"])
            if one["ip_version"] == 6:
                own = one["src_hi"] == one["dst_hi"]
                cloud[side] = one[f"{side}_hi"] >> 61 == 1 and not own
        if one["ip_version"] == 4 and cloud["src"]:
            gateways.add(sender)
        if cloud["src"] and sender in gateways:
            sender = 0
        result.append((sender, receiver, int(cloud["dst"]), int(cloud["src"])))
    return result


@settings(max_examples=100)
@given(_packets, _cuts)
def test_sides_are_those_of_packets_taken_singly(packets: list[Packet], at: list[int]) -> None:
    """Blocks change nothing, also not what a gateway was known to forward; inputs stay."""
    tracker = DeviceTracker()
    got = []
    for block in cut(batch_of(packets), at):
        sides = tracker.update(freeze(block))
        macs = np.append(tracker.macs, 0)  # -1: none
        columns = macs[sides.sender], macs[sides.receiver], sides.sent_to_cloud, sides.from_cloud
        got += list(zip(*(column.tolist() for column in columns), strict=True))
    assert got == _state_sides(packets)


@settings(max_examples=60)
@given(_packets, _cuts)
def test_every_frame_counts_for_both_its_addresses(packets: list[Packet], at: list[int]) -> None:
    """Counts, bytes and first and last sight of each MAC are exact, also in disorder of time."""
    tracker = DeviceTracker()
    for block in cut(batch_of(packets), at):
        tracker.update(block)
    counts = tracker.counts()
    for index, mac in enumerate(counts.mac.tolist()):
        sent = [one for one in packets if one["src_mac"] == mac]
        received = [one for one in packets if one["dst_mac"] == mac]
        seen = [one["ts_ns"] for one in sent + received]
        assert counts.packets_sent[index] == len(sent)
        assert counts.packets_received[index] == len(received)
        assert counts.bytes[index] == sum(one["wire_bytes"] for one in sent + received)
        assert (counts.first_ns[index], counts.last_ns[index]) == (min(seen), max(seen))
    devices = {one[side] for one in packets for side in ("src_mac", "dst_mac")}
    assert sorted(counts.mac.tolist()) == sorted(devices - {_BROADCAST, _MULTICAST, _NONE})


@pytest.mark.parametrize("address", [*_borders(), 0xC0004E18, 0x01010101, 0xDFFFFFFF])
def test_cloud_is_what_ipaddress_calls_global(address: int) -> None:
    """Home or cloud, at every border of the special networks (192.0.78.24: WordPress)."""
    sides = DeviceTracker().update(
        batch_of([packet((0x0A000001, 1), (address, 2)), packet((address, 2), (0x0A000001, 1))])
    )
    assert bool(sides.sent_to_cloud[0]) == _is_global(address)
    assert bool(sides.from_cloud[1]) == _is_global(address)
    assert (sides.sender[1] < 0) == _is_global(address)


def test_a_gateways_own_packets_are_its_own() -> None:
    """A router that forwards is a gateway, and what it says itself (DNS, ARP) still counts."""
    tracker = DeviceTracker()
    cloud, router = (0x08080808, 443), (0xC0A80001, 53)
    sides = tracker.update(
        batch_of([packet(cloud, (0xC0A80002, 1)), packet(router, (0xC0A80002, 1))])
    )
    assert sides.sender.tolist() == [-1, 0]
    assert tracker.counts().gateway.tolist() == [True, False]


def test_a_flood_of_addresses_is_bounded_and_counted() -> None:
    """Made-up source MACs cannot grow the memory, nor push out a device that was there."""
    tracker = DeviceTracker(max_devices=4)
    tracker.update(batch_of([packet((1, 1), (2, 2), src_mac=0xAA, dst_mac=0xBB)]))
    flood = [packet((1, 1), (2, 2), src_mac=mac, dst_mac=0xBB) for mac in range(1000, 1100)]
    sides = tracker.update(batch_of(flood))
    assert len(tracker) == 4
    assert tracker.overflow == 98
    assert (sides.sender >= 0).sum() == 2
    assert (sides.receiver == tracker.macs.tolist().index(0xBB)).all()


@pytest.mark.parametrize(
    ("mac", "made_up"),
    [
        ("da:a1:19:00:00:01", True),
        ("90:8d:78:a8:e1:43", False),
        ("33:33:00:00:00:fb", False),
        ("ff:ff:ff:ff:ff:ff", False),
    ],
)
def test_a_made_up_address_is_told_by_its_local_bit(mac: str, made_up: bool) -> None:
    """A phone's private address is marked; groups and broadcast are nobody's address."""
    assert is_randomised(parse_mac(mac)) is made_up


def test_counts_are_a_copy() -> None:
    """What was handed out does not change with the next packets."""
    tracker = DeviceTracker()
    one = batch_of([packet((1, 1), (2, 2), ts_ns=SECOND_NS)])
    tracker.update(one)
    counts = tracker.counts()
    tracker.update(one)
    assert counts.packets_sent.tolist() == [1, 0]
    assert tracker.counts().packets_sent.tolist() == [2, 0]

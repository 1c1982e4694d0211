"""Frames that are given: all that research reads of a packet, and nothing else of it."""

import random

import dpkt
import numpy as np
import pytest
from fwid_agent.core.devices import is_randomised
from fwid_agent.core.packets import decode_packets
from fwid_agent.export.frames import GivenFrames, clean_options, give
from fwid_agent.export.pseudonyms import Pseudonyms
from fwid_agent.types import FrameBlock, PacketBatch, Undecoded, parse_mac
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether

from tests.made_packets import Made, make_all

KEY = bytes(range(100, 132))
KEPT = (
    *("ethertype", "ip_version", "proto", "src_port", "dst_port", "tcp_flags", "ttl", "window"),
    *("mss", "size_bytes"),
)


def block_of(frames: list[bytes], link_types: list[int] | None = None) -> FrameBlock:
    lengths = np.array([len(each) for each in frames], np.int64)
    count = len(frames)
    return FrameBlock(
        np.frombuffer(b"".join(frames), np.uint8),
        np.cumsum(lengths) - lengths,
        lengths.astype(np.uint32),
        lengths.astype(np.uint32),
        np.arange(count, dtype=np.int64) * 1001 + 10**18,
        np.array(link_types or [1] * count, np.uint16),
        np.zeros(count, np.uint16),
    )


def given_block(frames: GivenFrames) -> FrameBlock:
    lengths = frames.length.astype(np.int64)
    count = len(lengths)
    return FrameBlock(
        frames.buffer,
        np.cumsum(lengths) - lengths,
        frames.length,
        frames.wire_bytes,
        frames.ts_ns,
        np.ones(count, np.uint16),
        np.zeros(count, np.uint16),
    )


def give_all(block: FrameBlock) -> tuple[PacketBatch, GivenFrames]:
    batch = decode_packets(block)
    return batch, give(block, batch, np.ones(len(batch), bool), Pseudonyms(KEY))


@pytest.fixture(scope="module")
def made() -> list[Made]:
    return make_all(random.Random(11), 12)


def test_every_kind_of_packet_is_read_back_as_it_was(made: list[Made]) -> None:
    """All that the features are made of: protocols, ports, flags, sizes and times."""
    block = block_of([one.data for one in made], [one.link_type for one in made])
    batch, frames = give_all(block)
    assert not batch.undecoded.any()
    back = decode_packets(given_block(frames))
    assert back.undecoded.tolist() == [Undecoded.OK] * len(made)
    for name in KEPT:
        differs = np.flatnonzero(getattr(back, name) != getattr(batch, name))
        assert [made[index].kind for index in differs[:3]] == [], name
    assert back.ts_ns.tolist() == batch.ts_ns.tolist()
    plain = [one.columns["ip_version"] != 6 for one in made]  # of IPv6 the extensions go
    assert back.payload_bytes[plain].tolist() == batch.payload_bytes[plain].tolist()


def test_nothing_behind_the_headers_is_given(made: list[Made]) -> None:
    """A frame ends where its headers do, and an IPv4 header's checksum is true."""
    _, frames = give_all(block_of([one.data for one in made], [one.link_type for one in made]))
    at = 0
    for length, one in zip(frames.length.tolist(), made, strict=True):
        frame = frames.buffer[at : at + length].tobytes()
        at += length
        if one.columns["ip_version"] == 4:
            packet = dpkt.ip.IP(frame[14:])
            header = packet.hl * 4
            assert dpkt.in_cksum(frame[14 : 14 + header]) == 0
            transport = {6: 20, 17: 8}.get(packet.p, 0)
            if transport == 20 and len(frame) > 14 + header:
                transport = frame[14 + header + 12] // 16 * 4
            assert length in (14 + header + transport, 14 + header)
        elif one.columns["ip_version"] == 0:
            assert length == 14
    assert at == len(frames.buffer)


def test_who_speaks_to_whom_can_still_be_told(made: list[Made]) -> None:
    """Equal addresses have equal pseudonyms, different ones different ones: flows stay flows."""
    block = block_of([one.data for one in made], [one.link_type for one in made])
    batch, frames = give_all(block)
    back = decode_packets(given_block(frames))
    for side in ("src", "dst"):
        of = {name: getattr(batch, f"{side}_{name}").tolist() for name in ("hi", "lo")}
        to = {name: getattr(back, f"{side}_{name}").tolist() for name in ("hi", "lo")}
        version = batch.ip_version.tolist()
        pairs = set(zip(version, of["hi"], of["lo"], to["hi"], to["lo"], strict=True))
        assert (
            len(pairs)
            == len({pair[:3] for pair in pairs})
            == len({(pair[0], *pair[3:]) for pair in pairs})
        )


def test_sequence_numbers_time_stamps_and_checksums_are_not_given() -> None:
    """By them somebody who saw the same traffic elsewhere would find it again."""
    options = [("MSS", 1400), ("SAckOK", b""), ("Timestamp", (0x11223344, 0x55667788)),
               ("NOP", None), ("WScale", 7)]  # fmt: skip
    ethernet = Ether(src="a4:cf:12:9e:01:7f", dst="02:11:22:33:44:55")
    network = IP(src="192.168.1.20", dst="8.8.8.8", id=0x4711)
    syn = TCP(sport=50_000, dport=443, flags="S", seq=0xA1B2C3D4, ack=0xC0FFEE11, options=options)
    _, frames = give_all(block_of([bytes(ethernet / network / syn)]))
    raw = frames.buffer.tobytes()
    secrets = (0x11223344, 0x55667788, 0xA1B2C3D4, 0xC0FFEE11, 0x4711)
    for secret in secrets:
        assert secret.to_bytes(4, "big").lstrip(b"\0") not in raw
    tcp = dpkt.tcp.TCP(dpkt.ethernet.Ethernet(raw).data.data.pack())
    kinds = dpkt.tcp.parse_opts(tcp.opts)
    assert (tcp.seq, tcp.ack, tcp.sum) == (0, 0, 0)
    assert (2, (1400).to_bytes(2, "big")) in kinds
    assert (8, bytes(8)) in kinds
    assert (3, b"\x07") in kinds


def test_bodies_that_hold_addresses_and_names_are_cut() -> None:
    """ARP, DHCP and mDNS tell who is there and what it is called."""
    ethernet = Ether(src="a4:cf:12:9e:01:7f", dst="ff:ff:ff:ff:ff:ff")
    arp = ethernet / ARP(psrc="192.168.1.20", hwsrc="a4:cf:12:9e:01:7f", pdst="192.168.1.1")
    dhcp = ethernet / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
    mdns = ethernet / IP(src="192.168.1.20", dst="224.0.0.251") / UDP(sport=5353, dport=5353)
    frames = [bytes(arp), *(bytes(each / b"living-room-lamp") for each in (dhcp, mdns))]
    _, given_ = give_all(block_of(frames))
    raw = given_.buffer.tobytes()
    assert given_.length.tolist() == [14, 42, 42]
    assert b"living-room" not in raw
    assert bytes([192, 168, 1, 20]) not in raw
    assert bytes.fromhex("9e017f") not in raw


@given(st.binary(max_size=60))
def test_any_options_are_cleaned_without_a_fault(raw: bytes) -> None:
    """Lengths come from the wire; what is told is never longer than what was there."""
    told = clean_options(raw)
    assert len(told) <= len(raw)


@settings(max_examples=30)  # each makes frames of all kinds
@given(st.lists(st.integers(0, 59), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_a_damaged_frame_is_given_decoded_or_not_at_all(
    cuts: list[int], rng: random.Random
) -> None:
    """Whatever is cut off or flipped, what is given can be read, and has only decoded columns."""
    frames = []
    for cut, one in zip(cuts, make_all(rng, 1), strict=False):
        raw = bytearray(one.data[: max(len(one.data) - cut, 1)])
        raw[rng.randrange(len(raw))] = rng.randrange(256)
        frames.append(bytes(raw))
    batch, given_ = give_all(block_of(frames))
    back = decode_packets(given_block(given_))
    kept = batch.undecoded == Undecoded.OK
    assert len(back) == kept.sum()
    assert back.size_bytes[back.undecoded == 0].tolist() == [
        size for size, bad in zip(batch.size_bytes[kept].tolist(), back.undecoded, strict=True)
        if not bad
    ]  # fmt: skip


def test_a_mac_keeps_its_vendor_part_and_no_more() -> None:
    """Research needs the maker; a made-up address has none, and stays one that is made up."""
    names = Pseudonyms(KEY)
    given_ = names.mac(parse_mac("a4:cf:12:9e:01:7f"))
    assert given_ >> 24 == 0xA4CF12
    assert given_ & 0xFFFFFF != 0x9E017F
    assert given_ == Pseudonyms(KEY).mac(parse_mac("a4:cf:12:9e:01:7f"))
    assert given_ != Pseudonyms(bytes(32)).mac(parse_mac("a4:cf:12:9e:01:7f"))
    made_up = names.mac(parse_mac("02:11:22:33:44:55"))
    assert is_randomised(made_up)
    assert made_up >> 24 != 0x021122


@pytest.mark.parametrize(
    ("mac", "given_as"),
    [
        ("ff:ff:ff:ff:ff:ff", "ff:ff:ff:ff:ff:ff"),
        ("01:80:c2:00:00:0e", "01:80:c2:00:00:0e"),  # LLDP
        ("01:00:5e:7f:ff:fa", "01:00:5e:00:00:00"),  # a group whose address is not known here
        ("33:33:ff:9e:01:7f", "33:33:00:00:00:00"),  # holds the end of a device's own address
        ("01:00:0c:cc:cc:cc", "01:00:0c:00:00:00"),
    ],
)
def test_groups_below_the_network_layer(mac: str, given_as: str) -> None:
    """What every home has stays; what could hold a part of an address goes."""
    one = np.array([parse_mac(mac)], np.uint64)
    nothing = np.zeros(1, np.uint64)
    (result,) = Pseudonyms(KEY).macs(one, nothing, nothing).tolist()
    assert result == parse_mac(given_as)

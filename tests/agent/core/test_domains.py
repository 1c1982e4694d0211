"""Domains of addresses, as DNS told them; scapy makes the messages."""

import numpy as np
import pytest
from fwid_agent.core.domains import DomainBook, number_of, read_message
from fwid_agent.core.packets import decode_packets
from fwid_agent.types import FrameBlock
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet

HOME, ROUTER, CLOUD = "192.168.1.20", "192.168.1.1", "203.0.113.7"


def frame_of(packet: Packet) -> bytes:
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)


def block_of(packets: list[Packet]) -> FrameBlock:
    return block_of_frames([frame_of(one) for one in packets])


def block_of_frames(frames: list[bytes]) -> FrameBlock:
    lengths = np.array([len(each) for each in frames], np.int64)
    return FrameBlock(
        np.frombuffer(b"".join(frames), np.uint8),
        np.cumsum(lengths) - lengths,
        lengths.astype(np.uint32),
        lengths.astype(np.uint32),
        np.arange(len(frames), dtype=np.int64),
        np.ones(len(frames), np.uint16),
        np.zeros(len(frames), np.uint16),
    )


def answer(name: str, *records: DNSRR, code: int = 0) -> DNS:
    return DNS(id=7, qr=1, rcode=code, qd=[DNSQR(qname=name)], an=list(records))


def numbers(*packets: Packet) -> list[int]:
    block = block_of(list(packets))
    return DomainBook().update(block, decode_packets(block)).tolist()


TO_CLOUD = IP(src=HOME, dst=CLOUD) / TCP(sport=40_000, dport=443)
FROM_CLOUD = IP(src=CLOUD, dst=HOME) / TCP(sport=443, dport=40_000)


def told(message: DNS) -> Packet:
    return IP(src=ROUTER, dst=HOME) / UDP(sport=53, dport=50_000) / message


def test_packets_of_an_address_have_the_domain_it_was_asked_for_as() -> None:
    """In both directions, also where aliases stand between the name and the address."""
    alias = DNSRR(rrname="api.vendor.example", type="CNAME", rdata="edge.cdn.example")
    address = DNSRR(rrname="edge.cdn.example", type="A", rdata=CLOUD)
    wanted = number_of("vendor.example")
    found = numbers(told(answer("api.vendor.example", alias, address)), TO_CLOUD, FROM_CLOUD)
    assert found == [0, wanted, wanted]


def test_the_same_for_ipv6() -> None:
    """AAAA records name addresses of 128 bits."""
    address = DNSRR(rrname="time.example.org", type="AAAA", rdata="2001:db8::7")
    packet = IPv6(src="2001:db8:1::2", dst="2001:db8::7") / UDP(sport=123, dport=123)
    assert numbers(told(answer("time.example.org", address)), packet)[1] == number_of("example.org")


@pytest.mark.parametrize(
    "message",
    [
        answer("vendor.example", code=3),
        DNS(id=7, qr=0, qd=[DNSQR(qname="vendor.example")]),
        answer("vendor.example", DNSRR(rrname="vendor.example", type="TXT", rdata="cb007107")),
    ],
)
def test_what_names_no_address_teaches_nothing(message: DNS) -> None:
    """A refusal, a question and other records."""
    assert numbers(told(message), TO_CLOUD) == [0, 0]


def test_names_of_one_domain_have_one_number() -> None:
    """Which host of a vendor's answers changes from day to day."""
    assert number_of("a.b.Vendor.example.") == number_of("vendor.example") > 0
    assert number_of("vendor.example") != number_of("other.example")


def test_the_table_is_bounded() -> None:
    """A flood of answers forgets old addresses, and keeps the latest."""
    book = DomainBook()
    frame = frame_of(told(answer("x.example", DNSRR(rrname="x.example", rdata="10.0.0.1"))))
    for begin in range(0, 5000, 50):
        # The address is the answer's last four bytes.
        addresses = [bytes([10, i >> 8, i & 255, 1]) for i in range(begin, begin + 50)]
        block = block_of_frames([frame[:-4] + address for address in addresses])
        book.update(block, decode_packets(block))
    block = block_of([IP(src=HOME, dst=f"10.{i >> 8}.{i & 255}.1") / UDP() for i in (0, 4999)])
    assert book.update(block, decode_packets(block)).tolist() == [0, number_of("x.example")]


@given(st.binary(max_size=120), st.integers(0, 60), st.integers(0, 255))
def test_any_message_is_read_without_a_fault(raw: bytes, place: int, value: int) -> None:
    """Noise, and a sound answer with a byte that is not."""
    read_message(raw)
    sound = bytearray(bytes(answer("vendor.example", DNSRR(rrname="vendor.example", rdata=CLOUD))))
    sound[place % len(sound)] = value
    name, addresses = read_message(bytes(sound))
    assert len(addresses) <= 1
    assert len(name) <= len(sound)

"""Handshakes in blocks of frames: who says what, at what cost, and what counts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.capture.files import open_capture
from fwid_agent.core.devices import DeviceTracker
from fwid_agent.core.handshakes.gathering import MOST_OF_A_KIND, Gathering
from fwid_agent.core.handshakes.reading import MOST_READ, HandshakeReader
from fwid_agent.core.handshakes.texts import TextBook
from fwid_agent.core.handshakes.tls import ja4, read_client_hello
from fwid_agent.core.handshakes.values import Saying, number_of
from fwid_agent.core.packets import decode_packets
from fwid_agent.core.segments import first_segments, split_segments
from fwid_agent.types import HandshakeText, TokenKind, parse_mac
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR, DNSRR

from tests.agent.core.handshakes.frames import (
    CLOUD,
    HOME,
    MAC,
    ROUTER,
    block_of,
    dhcp,
    hello,
    long_hello,
    segments,
    udp,
)
from tests.agent.core.handshakes.test_messages import SSDP

DATA = Path(__file__).parents[3] / "data"


def query(name: str, **of: str) -> bytes:
    return udp(bytes(DNS(rd=1, qd=DNSQR(qname=name))), (5000, 53), **of)


def read(*frames: bytes, captured: int = 65_535) -> list[tuple[int, Saying]]:
    block = block_of(frames, captured=captured)
    said = HandshakeReader().read(block, decode_packets(block))
    return list(zip(said.packet.tolist(), said.sayings, strict=True))


def fingerprint(data: bytes) -> str:
    known = read_client_hello(data)
    assert known is not None
    return ja4(known)


def test_each_kind_is_read_at_its_own_frame() -> None:
    """In one block, between frames of others."""
    frames = [
        query("Example.ORG"),
        *segments(long_hello(), (1460, 1000)),
        udp(SSDP, (1900, 1900)),
        dhcp([("message-type", "request"), ("param_req_list", [1, 3]), ("hostname", b"plug")]),
    ]
    kinds = {number: kind for number, (kind, _) in read(*frames)}
    assert kinds[0] is TokenKind.DNS_NAME
    assert kinds[3] is TokenKind.TLS_CLIENT  # where it was whole
    assert kinds[5] is TokenKind.HOST_NAME
    assert (0, (TokenKind.DNS_NAME, "example.org")) in read(*frames)
    assert (5, (TokenKind.DHCP_OPTIONS, "1,3")) in read(*frames)


def test_a_hello_is_joined_over_blocks_but_not_over_sessions() -> None:
    """A capture that begins in the middle of a connection does not go on with another's."""
    frames = segments(long_hello(), (1460,))
    first, second = block_of(frames[:1]), block_of(frames[1:])
    reader = HandshakeReader()
    assert reader.read(first, decode_packets(first)).sayings == ()
    found = reader.read(second, decode_packets(second)).sayings
    assert found == ((TokenKind.TLS_CLIENT, fingerprint(long_hello())),)
    reader.read(first, decode_packets(first))
    reader.begin_session()
    assert reader.read(second, decode_packets(second)).sayings == ()


def test_connections_are_told_apart() -> None:
    """Segments of several clients come in any mixture."""
    data = [hello("a.example", ["h2"]), long_hello()]
    pairs = [segments(each, (100,), port=port) for each, port in zip(data, (1, 2), strict=True)]
    mixed = [pairs[0][0], pairs[1][0], pairs[1][1], pairs[0][1]]
    assert [saying for _, saying in read(*mixed)] == [
        (TokenKind.TLS_CLIENT, fingerprint(data[1])), (TokenKind.TLS_CLIENT, fingerprint(data[0]))
    ]  # fmt: skip


def test_of_headers_alone_nothing_is_read() -> None:
    """Captures that were cut to headers, as a sniffer's snap length does."""
    frames = [query("example.org"), *segments(hello()), udp(SSDP, (1900, 1900))]
    assert read(*frames, captured=42) == []


def test_answers_say_nothing_of_whoever_sends_them() -> None:
    """A DNS server names what others asked for."""
    answer = DNS(qr=1, qd=DNSQR(qname="a.example"), an=DNSRR(rrname="a.example", rdata=CLOUD))
    assert read(udp(bytes(answer), (53, 53))) == []


@pytest.mark.parametrize(
    ("asked", "kept"),
    [("4.3.2.1.in-addr.arpa", "in-addr.arpa"), ("a\x1bb<c>.org", "ab?c?.org"),
     ("x" * 63 + "." + "y" * 63 + "." + "z" * 60, ("x" * 63 + "." + "y" * 63 + ".")[:128])],
)  # fmt: skip
def test_of_a_name_what_can_be_shown_is_kept(asked: str, kept: str) -> None:
    """Neither control characters nor addresses of peers, and no more than fits on a line."""
    ((_, saying),) = read(query(asked))
    assert saying == (TokenKind.DNS_NAME, kept)


def test_a_flood_costs_no_more_than_some() -> None:
    """Of thousands in a block only the first are read."""
    frames = [query("a.example")] * (MOST_READ + 10)
    assert len(read(*frames)) == MOST_READ


@given(st.lists(st.binary(max_size=120), max_size=4), st.sampled_from([53, 67, 1900, 5353, 443]))
def test_any_payload_can_be_read(payloads: list[bytes], port: int) -> None:
    """In datagrams and in segments, also behind the beginning of a hello."""
    frames = [udp(each, (port + 1, port)) for each in payloads]
    for each in payloads:
        frames += segments(b"\x16\x03\x01\x01\x00\x01" + each, (20, 40))
    assert all(text for _, (_, text) in read(*frames))


def number(frames: Sequence[bytes], gathering: Gathering) -> list[tuple[int, int]]:
    block = block_of(frames)
    batch = decode_packets(block)
    said = HandshakeReader().read(block, batch)
    first = first_segments(batch, block.segment_bytes)
    batch = split_segments(batch, block.segment_bytes)
    values = gathering.number(said, first, batch, DeviceTracker().update(batch))
    return list(zip(values.packet.tolist(), values.value.tolist(), strict=True))


def test_what_is_forwarded_says_nothing_of_whoever_forwards_it() -> None:
    """A router passes on the first message of somebody in the internet."""
    gathering = Gathering()
    outside = segments(hello(), mac=ROUTER, src=CLOUD, dst=HOME)
    assert number(outside, gathering) == []
    assert gathering.drain(np.array([parse_mac(ROUTER)], np.uint64)) == {}


def test_texts_are_bounded_and_taken_out_by_address() -> None:
    """A device that asks for ever new names grows nothing beyond a bound."""
    gathering = Gathering()
    frames = [query(f"{n}.example") for n in range(MOST_OF_A_KIND + 20)]
    numbered = number([*frames, query("0.example"), udp(SSDP, (1900, 1900))], gathering)
    texts = gathering.drain(np.array([parse_mac(MAC)], np.uint64))
    assert gathering.dropped == 20
    assert len(numbered) == MOST_OF_A_KIND + 3
    assert len(texts[parse_mac(MAC)]) == MOST_OF_A_KIND + 2
    assert {each.value for each in texts[parse_mac(MAC)]} == {value for _, value in numbered}
    assert gathering.drain(np.array([parse_mac(MAC)], np.uint64)) == {}


def test_the_number_of_a_text_is_the_same_everywhere() -> None:
    """It lies in stores: another number would make every value new."""
    assert number_of("example.org") == 263_436_825


def test_reasons_are_written_with_texts() -> None:
    """What is not kept any more is shown as a number; what is no handshake's stays as it is."""
    book = TextBook(most=2)
    said = [HandshakeText(TokenKind.DNS_NAME, n, f"{n}.example", n) for n in range(3)]
    book.add(said)
    assert len(book) == 2
    params = {"kind": "dns_name", "protocol": "dns", "old": 0, "new": 2}
    assert book.write_out(params) == params | {"old": "#00000000", "new": "2.example"}
    other = {"kind": "ttl", "old": 1, "new": 2}
    assert book.write_out(other) == other


@pytest.mark.parametrize("version", ["1.1.0", "1.7.5"])
def test_first_messages_of_a_real_device(version: str) -> None:
    """The D-Link sensor connects to two servers by two libraries; its update changed neither."""
    path = DATA / "handshakes" / f"dch-s150-{version}.pcap"
    reader = HandshakeReader()
    with open_capture(str(path)) as capture:
        said = [reader.read(block, decode_packets(block)) for block in capture]
    read = [text for each in said for _, text in each.sayings]
    assert len(read) == 8
    assert set(read) == {
        "t10i420400_9364d098e15f_282f11336259", "t12i700500_d1ca360fb3a8_a1e935682795"
    }  # fmt: skip

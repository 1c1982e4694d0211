"""Handshakes in a block of frames: which packets may hold one, and what the device says there.

Candidates are chosen by columns, so a block without any costs next to nothing; how many are looked
into is bounded, so that a flood costs no more than some.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from fwid_agent.core.devices import GROUP_BIT
from fwid_agent.core.handshakes.announce import read_mdns, read_ssdp
from fwid_agent.core.handshakes.dhcp import (
    HOST_NAME,
    PARAMETERS,
    VENDOR_CLASS,
    read_request,
)
from fwid_agent.core.handshakes.dns import read_message
from fwid_agent.core.handshakes.streams import HelloStreams
from fwid_agent.core.handshakes.tls import ja4, read_client_hello
from fwid_agent.core.handshakes.values import Saying, clean, join_labels, say
from fwid_agent.core.headers import take
from fwid_agent.core.packets import locate_payloads
from fwid_agent.types import I8, Bools, FrameBlock, PacketBatch, TokenKind, Undecoded

MOST_READ = 2048  # packets of a block that are looked into
_TCP, _UDP = 6, 17
_DNS, _DHCP_SERVER, _DHCP_CLIENT, _SSDP, _MDNS = 53, 67, 68, 1900, 5353
_REVERSE = ("in-addr.arpa", "ip6.arpa")  # whose it is that is asked for changes with the peers
_HELLO = np.dtype(
    [("record", "u1"), ("major", "u1"), ("minor", "u1"), ("length", ">u2"), ("message", "u1")]
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the senders of a block's packets say of themselves; one element a saying."""

    packet: I8  # index in the block, rising
    sayings: tuple[Saying, ...]


class HandshakeReader:
    """Reads the blocks of one session after the other; what is split over blocks is joined."""

    def __init__(self) -> None:
        self._streams = HelloStreams()

    def begin_session(self) -> None:
        """Begin a capture: nothing goes on from the one before."""
        self._streams = HelloStreams()

    def read(self, block: FrameBlock, batch: PacketBatch) -> Said:
        """Read what devices say in a block.

        Args:
            block, batch: the same frames, raw and decoded.

        """
        chosen = np.flatnonzero(_may_say(batch))
        place = locate_payloads(_select(block, chosen))
        here = take(block.buffer, block.offsets[chosen] + place.begin, _HELLO)
        tcp = batch.proto[chosen] == _TCP
        hello = (here["record"] == 22) & (here["major"] == 3) & (here["message"] == 1)
        pending = np.isin(batch.src_port[chosen], list(self._streams.source_ports))
        # Segments behind a beginning in this very block are of the same ports.
        pending |= np.isin(batch.src_port[chosen], batch.src_port[chosen[tcp & hello]])
        telling = np.flatnonzero((place.end > place.begin) & (~tcp | hello | pending))[:MOST_READ]
        packets: list[int] = []
        sayings: list[Saying] = []
        for at in telling.tolist():
            index = int(chosen[at])
            begin = int(block.offsets[index])
            data = block.buffer[begin + int(place.begin[at]) : begin + int(place.end[at])].tobytes()
            if tcp[at]:
                found = self._read_tls(batch, index, int(place.seq[at]), data)
            else:
                found = _read_datagram(batch, index, data)
            for saying in dict.fromkeys(found):
                packets.append(index)
                sayings.append(saying)
        return Said(np.array(packets, np.int64), tuple(sayings))

    def _read_tls(self, batch: PacketBatch, index: int, seq: int, data: bytes) -> Iterator[Saying]:
        names = ("src_mac", "src_hi", "src_lo", "dst_hi", "dst_lo", "src_port", "dst_port")
        flow = tuple(int(getattr(batch, name)[index]) for name in names)
        whole = len(data) == int(batch.payload_bytes[index])
        stream = self._streams.feed(flow, seq, data, whole=whole)
        hello = None if stream is None else read_client_hello(stream)
        if hello is not None:
            yield TokenKind.TLS_CLIENT, ja4(hello)


def _may_say(batch: PacketBatch) -> Bools:
    """Say which packets may hold something: sent by one device, and of a kind that is read."""
    sent = (batch.src_mac != 0) & (batch.src_mac & np.uint64(GROUP_BIT) == 0)
    sent &= (batch.undecoded == Undecoded.OK) & (batch.payload_bytes > 0)
    source, target = batch.src_port, batch.dst_port
    datagram = (target == _DNS) | ((source == _DHCP_CLIENT) & (target == _DHCP_SERVER))
    datagram |= (source == _SSDP) | (target == _SSDP) | (source == _MDNS) | (target == _MDNS)
    may: Bools = sent & ((batch.proto == _TCP) | ((batch.proto == _UDP) & datagram))
    return may


def _select(block: FrameBlock, which: I8) -> FrameBlock:
    """Return some of a block's frames without what a kernel keeps beside them."""
    names = ("offsets", "captured_bytes", "wire_bytes", "ts_ns", "link_type", "source")
    return FrameBlock(block.buffer, *(getattr(block, name)[which] for name in names))


def _read_datagram(batch: PacketBatch, index: int, data: bytes) -> Iterator[Saying]:
    source, target = int(batch.src_port[index]), int(batch.dst_port[index])
    if target == _DHCP_SERVER:
        yield from _read_dhcp(data, int(batch.src_mac[index]))
        return
    reader = _READERS.get(target) or _READERS.get(source)
    if reader is not None:
        yield from reader(data)


def _read_dhcp(data: bytes, mac: int) -> Iterator[Saying]:
    options = read_request(data, mac)
    asked = ",".join(str(code) for code in options.get(PARAMETERS, b""))
    yield from say(TokenKind.DHCP_OPTIONS, clean(asked.encode()))
    yield from say(TokenKind.DHCP_VENDOR, clean(options.get(VENDOR_CLASS, b"")))
    yield from say(TokenKind.HOST_NAME, clean(options.get(HOST_NAME, b"")))


def _read_dns(data: bytes) -> Iterator[Saying]:
    message = read_message(data)
    if message is None or message.answer:
        return
    for name, _ in message.questions:
        text = join_labels(name)
        reverse = next((zone for zone in _REVERSE if text.endswith(f".{zone}")), "")
        yield from say(TokenKind.DNS_NAME, reverse or text)


def _read_mdns(data: bytes) -> Iterator[Saying]:
    message = read_message(data)
    return iter(()) if message is None else read_mdns(message)


_READERS: Mapping[int, Callable[[bytes], Iterator[Saying]]] = {
    _DNS: _read_dns,
    _SSDP: read_ssdp,
    _MDNS: _read_mdns,
}

"""Headers of a whole block of frames at once: link, network and transport, in numpy.

A frame counts as undecoded where a header that the columns need is cut short, cannot be true, or
is of an unknown link type. The rest of a frame may be missing or odd: TCP options that the snap
length cut off, messages of ICMP, ARP and the like, and an IP length beyond the frame's end (tools
that cut captures rewrite the frame's length, not the packet's) do not count. Standards:
IEEE 802.3 and 802.1Q, RFC 791 (IPv4), RFC 8200 (IPv6), RFC 9293 (TCP), RFC 768 (UDP), and the
LINKTYPE_ descriptions of the pcap registry.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.core import headers
from fwid_agent.core.headers import take
from fwid_agent.core.links import IPV4, IPV6, Link, read_links
from fwid_agent.core.tcp_options import read_options
from fwid_agent.types import (
    I8,
    U1,
    U8,
    Bools,
    FrameBlock,
    PacketBatch,
    Undecoded,
)

_MAX_EXTENSIONS = 8
_TCP, _UDP = 6, 17
_FRAGMENT_HEADER, _AUTHENTICATION = 44, 51
_IS_EXTENSION = np.isin(np.arange(256), (0, 43, _FRAGMENT_HEADER, _AUTHENTICATION, 60, 135))


@dataclass(slots=True)
class _Network:
    """What the network layer says, and where the transport layer begins."""

    version: U1
    src_hi: U8
    src_lo: U8
    dst_hi: U8
    dst_lo: U8
    proto: U1
    ttl: U1
    length: I8  # total, by the header
    at: I8  # of the transport header, from the frame's start
    later_fragment: Bools


def decode_packets(block: FrameBlock) -> PacketBatch:
    """Decode the headers of every frame of a block; nothing outside a frame is ever used."""
    link = read_links(block)
    net = _read_network(block, link)
    return _read_transport(block, link, net)


def count_undecoded(batch: PacketBatch) -> dict[str, int]:
    """Count undecoded packets by reason; reasons that did not occur are left out."""
    counts = np.bincount(batch.undecoded, minlength=len(Undecoded))
    return {
        reason.name.lower(): int(counts[reason])
        for reason in Undecoded
        if reason is not Undecoded.OK and counts[reason]
    }


@dataclass(frozen=True, slots=True)
class Payloads:
    """Where the payload behind the transport header of each frame was captured."""

    begin: I8  # [n] from the frame's start
    end: I8  # [n] not before the beginning; the same where there is none
    seq: I8  # [n] TCP sequence number; anything where it is no TCP


def locate_payloads(block: FrameBlock) -> Payloads:
    """Find what was captured of each frame's payload of TCP or UDP."""
    link = read_links(block)
    net = _read_network(block, link)
    rows = take(block.buffer, block.offsets + net.at, headers.TCP)
    header = np.where(net.proto == _TCP, (rows["offset"] >> 4).astype(np.int64) * 4, 8)
    known = (link.undecoded == Undecoded.OK) & (net.version > 0) & ~net.later_fragment
    known &= (net.proto == _TCP) | (net.proto == _UDP)
    # What follows the packet in a frame is padding.
    end = np.minimum(link.at + net.length, block.captured_bytes)
    begin = np.where(known, net.at + header, end)
    return Payloads(np.minimum(begin, end), end, rows["seq"].astype(np.int64))


# --- network layer -------------------------------------------------------------------------------


def _read_network(block: FrameBlock, link: Link) -> _Network:
    four, six = link.ethertype == IPV4, link.ethertype == IPV6
    net = _read_ipv4(block, link, four)
    if six.any():
        _read_ipv6(block, link, np.flatnonzero(six), net)
    # The kernel leaves the length 0 where the card was to cut the segment: the frame has it.
    whole = block.wire_bytes.astype(np.int64) - link.at
    missing = (net.version > 0) & (net.length == 0)
    net.length = np.where(missing, whole, net.length)
    net.length[net.version == 0] = 0
    return net


def _read_ipv4(block: FrameBlock, link: Link, four: Bools) -> _Network:
    rows = take(block.buffer, block.offsets + link.at, headers.IPV4)
    room = block.captured_bytes - link.at
    header = (rows["version"] & 15).astype(np.int64) * 4
    length = rows["length"].astype(np.int64)
    good_start = room >= 20
    false = (rows["version"] >> 4 != 4) | (header < 20) | ((length > 0) & (length < header))
    link.mark(four & ~good_start, Undecoded.TRUNCATED)
    link.mark(four & good_start & false, Undecoded.MALFORMED)
    link.mark(four & good_start & ~false & (room < header), Undecoded.TRUNCATED)
    known = four & good_start & (rows["version"] >> 4 == 4)
    nothing = np.zeros(len(four), np.uint64)
    return _Network(
        np.where(known, 4, 0).astype(np.uint8),
        nothing,
        np.where(known, rows["src"], 0).astype(np.uint64),
        nothing.copy(),
        np.where(known, rows["dst"], 0).astype(np.uint64),
        np.where(known, rows["proto"], 0).astype(np.uint8),
        np.where(known, rows["ttl"], 0).astype(np.uint8),
        np.where(known, length, 0),
        link.at + header,
        known & (rows["fragment"] & 0x1FFF != 0),
    )


def _read_ipv6(block: FrameBlock, link: Link, six: I8, net: _Network) -> None:
    at = link.at[six]
    rows = take(block.buffer, block.offsets[six] + at, headers.IPV6)
    room = block.captured_bytes[six] - at
    short = room < 40
    false = ~short & (rows["version"] >> 4 != 6)
    link.undecoded[six[short]] = Undecoded.TRUNCATED
    link.undecoded[six[false]] = Undecoded.MALFORMED
    known = ~short & ~false
    index = six[known]
    rows = rows[known]
    net.version[index] = 6
    for name in ("src_hi", "src_lo", "dst_hi", "dst_lo"):
        getattr(net, name)[index] = rows[name]
    net.proto[index] = rows["next"]
    net.ttl[index] = rows["hops"]
    length = rows["length"].astype(np.int64)
    net.length[index] = np.where(length > 0, length + 40, 0)
    net.at[index] = link.at[index] + 40
    net.later_fragment[index] = False
    _skip_extensions(block, link, index, net)


def _skip_extensions(block: FrameBlock, link: Link, index: I8, net: _Network) -> None:
    open_ = index[_IS_EXTENSION[net.proto[index]]]
    for _ in range(_MAX_EXTENSIONS):
        if not len(open_):
            return
        rows = take(block.buffer, block.offsets[open_] + net.at[open_], headers.EXTENSION)
        short = block.captured_bytes[open_] < net.at[open_] + 8
        link.undecoded[open_[short]] = Undecoded.TRUNCATED
        open_, rows = open_[~short], rows[~short]
        kind = net.proto[open_]
        length = rows["length"].astype(np.int64)
        fragment = kind == _FRAGMENT_HEADER
        size = np.where(kind == _AUTHENTICATION, (length + 2) * 4, (length + 1) * 8)
        size = np.where(fragment, 8, size)
        later = fragment & (rows["fragment"] >> 3 != 0)
        net.later_fragment[open_] |= later
        net.proto[open_] = rows["next"]
        net.at[open_] += size
        # What follows in a later fragment is payload, whatever its first byte looks like.
        open_ = open_[~later & _IS_EXTENSION[rows["next"]]]
    link.undecoded[open_] = Undecoded.MALFORMED


# --- transport layer -----------------------------------------------------------------------------


def _read_transport(block: FrameBlock, link: Link, net: _Network) -> PacketBatch:
    decodable = (link.undecoded == Undecoded.OK) & (net.version > 0)
    whole = decodable & ~net.later_fragment
    tcp, udp = whole & (net.proto == _TCP), whole & (net.proto == _UDP)
    rows = take(block.buffer, block.offsets + net.at, headers.TCP)
    room = block.captured_bytes - net.at
    ip_room = net.length - (net.at - link.at)  # of transport header and payload
    header = np.where(tcp, (rows["offset"] >> 4).astype(np.int64) * 4, np.where(udp, 8, 0))
    least = np.where(tcp, 20, 8)
    either = tcp | udp
    short = either & (room < least)
    false = either & ~short & ((ip_room < least) | (header < least) | (header > ip_room))
    false |= decodable & (ip_room < 0)
    link.mark(short, Undecoded.TRUNCATED)
    link.mark(false, Undecoded.MALFORMED)
    ported = either & (room >= 4) & (ip_room >= 4)
    tcp &= ~short & ~false
    payload = np.where(decodable, np.maximum(ip_room - header, 0), 0)
    payload[short | false] = 0
    flags = np.where(tcp, rows["flags"], 0).astype(np.uint8)
    mss, options = read_options(
        block.buffer, block.offsets + net.at + 20, np.minimum(room, header) - 20, tcp, flags
    )
    wire = block.wire_bytes.astype(np.int64)
    size = np.where(net.version > 0, net.length, np.maximum(wire - link.at, 0))
    return PacketBatch(
        ts_ns=block.ts_ns,
        source=block.source,
        src_mac=link.src_mac,
        dst_mac=link.dst_mac,
        ethertype=link.ethertype,
        vlan=link.vlan if block.vlan is None else np.where(block.vlan > 0, block.vlan, link.vlan),
        ip_version=net.version,
        src_hi=net.src_hi,
        src_lo=net.src_lo,
        dst_hi=net.dst_hi,
        dst_lo=net.dst_lo,
        proto=net.proto,
        src_port=np.where(ported, rows["src"], 0).astype(np.uint16),
        dst_port=np.where(ported, rows["dst"], 0).astype(np.uint16),
        tcp_flags=flags,
        ttl=net.ttl,
        window=np.where(tcp, rows["window"], 0).astype(np.uint16),
        mss=mss,
        options=options,
        wire_bytes=block.wire_bytes,
        size_bytes=np.clip(size, 0, 0xFFFFFFFF).astype(np.uint32),
        payload_bytes=payload.astype(np.uint32),
        undecoded=link.undecoded,
    )

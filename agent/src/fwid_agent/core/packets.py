"""Headers of a whole block of frames at once: link, network and transport, in numpy.

A frame counts as undecoded where a header that the columns need is cut short, cannot be true, or
is of an unknown link type. TCP options that the snap length cut off do not count. Standards:
IEEE 802.3 and 802.1Q, RFC 791 (IPv4), RFC 8200 (IPv6), RFC 9293 (TCP), RFC 768 (UDP), and the
LINKTYPE_ descriptions of the pcap registry.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.core import headers
from fwid_agent.core.headers import take
from fwid_agent.core.tcp_options import read_options
from fwid_agent.types import (
    I8,
    U1,
    U2,
    U4,
    U8,
    Bools,
    FrameBlock,
    LinkType,
    PacketBatch,
    Undecoded,
)

_IPV4, _IPV6 = 0x0800, 0x86DD
_TAGS = (0x8100, 0x88A8, 0x9100)
_MAX_TAGS = 4  # more are no network that anybody runs
_MAX_EXTENSIONS = 8
_TCP, _UDP = 6, 17
_FRAGMENT_HEADER, _AUTHENTICATION = 44, 51
_EXTENSIONS = (0, 43, _FRAGMENT_HEADER, _AUTHENTICATION, 60, 135)
_ETHERNET_BYTES, _COOKED_BYTES, _COOKED2_BYTES = 14, 16, 20
_LEAST_LENGTH_TYPE = 0x0600  # below, the field is a length: 802.3 with LLC


@dataclass(slots=True)
class _Link:
    """What the link layer says of each frame, and where the network layer begins."""

    at: I8  # [n] of the network header, from the frame's start
    ethertype: U2
    src_mac: U8
    dst_mac: U8
    vlan: U2
    undecoded: U1


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
    link = _read_link(block)
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


# --- link layer ----------------------------------------------------------------------------------


def _read_link(block: FrameBlock) -> _Link:
    count = len(block.offsets)
    first = int(block.link_type[0]) if count else int(LinkType.ETHERNET)
    if (block.link_type == first).all():
        link = _read_link_type(block.buffer, block.offsets, block.captured_bytes, first)
    else:
        link = _Link(
            np.zeros(count, np.int64),
            np.zeros(count, np.uint16),
            np.zeros(count, np.uint64),
            np.zeros(count, np.uint64),
            np.zeros(count, np.uint16),
            np.zeros(count, np.uint8),
        )
        for kind in np.unique(block.link_type):
            chosen = np.flatnonzero(block.link_type == kind)
            part = _read_link_type(
                block.buffer, block.offsets[chosen], block.captured_bytes[chosen], int(kind)
            )
            for name in _Link.__slots__:
                getattr(link, name)[chosen] = getattr(part, name)
    _strip_tags(block, link)
    return link


def _read_link_type(buffer: U1, offsets: I8, captured: U4, kind: int) -> _Link:
    if kind == LinkType.ETHERNET:
        return _read_ethernet(buffer, offsets, captured)
    if kind in (LinkType.LINUX_SLL, LinkType.LINUX_SLL2):
        return _read_cooked(buffer, offsets, captured, kind)
    if kind in (LinkType.RAW, LinkType.RAW_OLD, LinkType.IPV4, LinkType.IPV6):
        return _read_raw(buffer, offsets, captured)
    count = len(offsets)
    nothing = np.zeros(count, np.uint64)
    return _Link(
        captured.astype(np.int64),
        np.zeros(count, np.uint16),
        nothing,
        nothing,
        np.zeros(count, np.uint16),
        np.full(count, Undecoded.LINK_TYPE, np.uint8),
    )


def _read_ethernet(buffer: U1, offsets: I8, captured: U4) -> _Link:
    rows = take(buffer, offsets, headers.ETHERNET)
    short = captured < _ETHERNET_BYTES
    ethertype = rows["type"].astype(np.uint16)
    ethertype[(ethertype < _LEAST_LENGTH_TYPE) | short] = 0
    src_mac = rows["src_high"].astype(np.uint64) << np.uint64(32) | rows["src_low"]
    dst_mac = rows["dst_high"].astype(np.uint64) << np.uint64(32) | rows["dst_low"]
    src_mac[captured < 12] = 0
    dst_mac[captured < 6] = 0
    return _Link(
        np.full(len(offsets), _ETHERNET_BYTES, np.int64),
        ethertype,
        src_mac,
        dst_mac,
        np.zeros(len(offsets), np.uint16),
        np.where(short, Undecoded.TRUNCATED, Undecoded.OK).astype(np.uint8),
    )


def _read_cooked(buffer: U1, offsets: I8, captured: U4, kind: int) -> _Link:
    first = kind == LinkType.LINUX_SLL
    rows = take(buffer, offsets, headers.COOKED if first else headers.COOKED2)
    size = _COOKED_BYTES if first else _COOKED2_BYTES
    short = captured < size
    ethertype = rows["type"].astype(np.uint16)
    ethertype[(ethertype < _LEAST_LENGTH_TYPE) | short] = 0
    src_mac = rows["src_high"].astype(np.uint64) << np.uint64(32) | rows["src_low"]
    src_mac[(rows["length"] != 6) | short] = 0
    return _Link(
        np.full(len(offsets), size, np.int64),
        ethertype,
        src_mac,
        np.zeros(len(offsets), np.uint64),  # a cooked header names the sender only
        np.zeros(len(offsets), np.uint16),
        np.where(short, Undecoded.TRUNCATED, Undecoded.OK).astype(np.uint8),
    )


def _read_raw(buffer: U1, offsets: I8, captured: U4) -> _Link:
    version = take(buffer, offsets, np.dtype([("version", "u1")]))["version"] >> 4
    ethertype = np.where(version == 4, _IPV4, np.where(version == 6, _IPV6, 0)).astype(np.uint16)
    undecoded = np.where(ethertype == 0, Undecoded.MALFORMED, Undecoded.OK).astype(np.uint8)
    empty = captured < 1
    ethertype[empty] = 0
    undecoded[empty] = Undecoded.TRUNCATED
    nothing = np.zeros(len(offsets), np.uint64)
    return _Link(
        np.zeros(len(offsets), np.int64),
        ethertype,
        nothing,
        nothing,
        np.zeros(len(offsets), np.uint16),
        undecoded,
    )


def _strip_tags(block: FrameBlock, link: _Link) -> None:
    tagged = np.flatnonzero(np.isin(link.ethertype, _TAGS))
    for depth in range(_MAX_TAGS):
        if not len(tagged):
            return
        rows = take(block.buffer, block.offsets[tagged] + link.at[tagged], headers.TAG)
        short = block.captured_bytes[tagged] < link.at[tagged] + 4
        if depth == 0:
            link.vlan[tagged] = np.where(short, 0, rows["tag"] & 0x0FFF)
        ethertype = rows["type"].astype(np.uint16)
        ethertype[(ethertype < _LEAST_LENGTH_TYPE) | short] = 0
        link.ethertype[tagged] = ethertype
        link.undecoded[tagged[short]] = Undecoded.TRUNCATED
        link.at[tagged] += 4
        tagged = tagged[np.isin(ethertype, _TAGS)]
    link.undecoded[tagged] = Undecoded.MALFORMED


# --- network layer -------------------------------------------------------------------------------


def _read_network(block: FrameBlock, link: _Link) -> _Network:
    count = len(block.offsets)
    four, six = link.ethertype == _IPV4, link.ethertype == _IPV6
    net = _read_ipv4(block, link, four)
    if six.any():
        _read_ipv6(block, link, np.flatnonzero(six), net)
    # The kernel leaves the length 0 where the card was to cut the segment: the frame has it.
    whole = block.wire_bytes.astype(np.int64) - link.at
    missing = (net.version > 0) & (net.length == 0)
    net.length = np.where(missing, whole, net.length)
    net.length[net.version == 0] = 0
    assert len(net.version) == count
    return net


def _read_ipv4(block: FrameBlock, link: _Link, four: Bools) -> _Network:
    rows = take(block.buffer, block.offsets + link.at, headers.IPV4)
    room = block.captured_bytes - link.at
    header = (rows["version"] & 15).astype(np.int64) * 4
    length = rows["length"].astype(np.int64)
    good_start = room >= 20
    false = (rows["version"] >> 4 != 4) | (header < 20) | ((length > 0) & (length < header))
    _fault(link, four & ~good_start, Undecoded.TRUNCATED)
    _fault(link, four & good_start & false, Undecoded.MALFORMED)
    _fault(link, four & good_start & ~false & (room < header), Undecoded.TRUNCATED)
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


def _read_ipv6(block: FrameBlock, link: _Link, six: I8, net: _Network) -> None:
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


def _skip_extensions(block: FrameBlock, link: _Link, index: I8, net: _Network) -> None:
    open_ = index[np.isin(net.proto[index], _EXTENSIONS)]
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
        open_ = open_[~later & np.isin(rows["next"], _EXTENSIONS)]
    link.undecoded[open_] = Undecoded.MALFORMED


# --- transport layer -----------------------------------------------------------------------------


def _read_transport(block: FrameBlock, link: _Link, net: _Network) -> PacketBatch:
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
    _fault(link, short, Undecoded.TRUNCATED)
    _fault(link, false, Undecoded.MALFORMED)
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
        vlan=link.vlan,
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


def _fault(link: _Link, where: Bools, reason: Undecoded) -> None:
    """Mark the first fault of a frame; later ones follow from it."""
    link.undecoded[where & (link.undecoded == Undecoded.OK)] = reason

"""Link layers of a block of frames: where the network layer begins, and what is told before it.

Ethernet II, 802.3 with LLC and SNAP, Linux cooked captures, raw IP, and stacked VLAN tags.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.core import headers
from fwid_agent.core.headers import take
from fwid_agent.types import I8, U1, U2, U4, U8, Bools, FrameBlock, LinkType, Undecoded

IPV4, IPV6 = 0x0800, 0x86DD
_MAX_TAGS = 4  # more are no network that anybody runs
_ETHERNET_BYTES, _COOKED_BYTES, _COOKED2_BYTES = 14, 16, 20
_LEAST_TYPE = 0x0600  # below, the field is a length: 802.3 with LLC
_SNAP_HIGH, _SNAP_LOW = 0xAAAA0300, 0  # LLC for SNAP, and the OUI that an ethertype follows


@dataclass(slots=True)
class Link:
    """What the link layer says of each frame, and where the network layer begins."""

    at: I8  # [n] of the network header, from the frame's start
    ethertype: U2
    src_mac: U8
    dst_mac: U8
    vlan: U2
    undecoded: U1

    def mark(self, where: Bools, reason: Undecoded) -> None:
        """Note the first fault of a frame; later ones follow from it."""
        self.undecoded[where & (self.undecoded == Undecoded.OK)] = reason


def read_links(block: FrameBlock) -> Link:
    """Read the link layer of every frame, tags included."""
    count = len(block.offsets)
    first = int(block.link_type[0]) if count else int(LinkType.ETHERNET)
    if (block.link_type == first).all():
        link = _read_link_type(block.buffer, block.offsets, block.captured_bytes, first)
    else:
        link = Link(
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
            for name in Link.__slots__:
                getattr(link, name)[chosen] = getattr(part, name)
    _strip_tags(block, link)
    _strip_snap(block, link)
    return link


def _read_link_type(buffer: U1, offsets: I8, captured: U4, kind: int) -> Link:
    if kind == LinkType.ETHERNET:
        return _read_ethernet(buffer, offsets, captured)
    if kind in (LinkType.LINUX_SLL, LinkType.LINUX_SLL2):
        return _read_cooked(buffer, offsets, captured, kind)
    if kind in (LinkType.RAW, LinkType.RAW_OLD, LinkType.IPV4, LinkType.IPV6):
        return _read_raw(buffer, offsets, captured)
    count = len(offsets)
    nothing = np.zeros(count, np.uint64)
    return Link(
        captured.astype(np.int64),
        np.zeros(count, np.uint16),
        nothing,
        nothing,
        np.zeros(count, np.uint16),
        np.full(count, Undecoded.LINK_TYPE, np.uint8),
    )


def _read_ethernet(buffer: U1, offsets: I8, captured: U4) -> Link:
    rows = take(buffer, offsets, headers.ETHERNET)
    short = captured < _ETHERNET_BYTES
    ethertype = rows["type"].astype(np.uint16)
    ethertype[(ethertype < _LEAST_TYPE) | short] = 0
    src_mac = rows["src_high"].astype(np.uint64) << np.uint64(32) | rows["src_low"]
    dst_mac = rows["dst_high"].astype(np.uint64) << np.uint64(32) | rows["dst_low"]
    src_mac[captured < 12] = 0
    dst_mac[captured < 6] = 0
    return Link(
        np.full(len(offsets), _ETHERNET_BYTES, np.int64),
        ethertype,
        src_mac,
        dst_mac,
        np.zeros(len(offsets), np.uint16),
        np.where(short, Undecoded.TRUNCATED, Undecoded.OK).astype(np.uint8),
    )


def _read_cooked(buffer: U1, offsets: I8, captured: U4, kind: int) -> Link:
    first = kind == LinkType.LINUX_SLL
    rows = take(buffer, offsets, headers.COOKED if first else headers.COOKED2)
    size = _COOKED_BYTES if first else _COOKED2_BYTES
    short = captured < size
    ethertype = rows["type"].astype(np.uint16)
    ethertype[(ethertype < _LEAST_TYPE) | short] = 0
    src_mac = rows["src_high"].astype(np.uint64) << np.uint64(32) | rows["src_low"]
    src_mac[(rows["length"] != 6) | short] = 0
    return Link(
        np.full(len(offsets), size, np.int64),
        ethertype,
        src_mac,
        np.zeros(len(offsets), np.uint64),  # a cooked header names the sender only
        np.zeros(len(offsets), np.uint16),
        np.where(short, Undecoded.TRUNCATED, Undecoded.OK).astype(np.uint8),
    )


def _read_raw(buffer: U1, offsets: I8, captured: U4) -> Link:
    version = take(buffer, offsets, np.dtype([("version", "u1")]))["version"] >> 4
    ethertype = np.where(version == 4, IPV4, np.where(version == 6, IPV6, 0)).astype(np.uint16)
    undecoded = np.where(ethertype == 0, Undecoded.MALFORMED, Undecoded.OK).astype(np.uint8)
    empty = captured < 1
    ethertype[empty] = 0
    undecoded[empty] = Undecoded.TRUNCATED
    nothing = np.zeros(len(offsets), np.uint64)
    return Link(
        np.zeros(len(offsets), np.int64),
        ethertype,
        nothing,
        nothing,
        np.zeros(len(offsets), np.uint16),
        undecoded,
    )


def _strip_tags(block: FrameBlock, link: Link) -> None:
    tagged = np.flatnonzero(_is_tag(link.ethertype))
    for depth in range(_MAX_TAGS):
        if not len(tagged):
            return
        rows = take(block.buffer, block.offsets[tagged] + link.at[tagged], headers.TAG)
        short = block.captured_bytes[tagged] < link.at[tagged] + 4
        if depth == 0:
            link.vlan[tagged] = np.where(short, 0, rows["tag"] & 0x0FFF)
        ethertype = rows["type"].astype(np.uint16)
        ethertype[(ethertype < _LEAST_TYPE) | short] = 0
        link.ethertype[tagged] = ethertype
        link.undecoded[tagged[short]] = Undecoded.TRUNCATED
        link.at[tagged] += 4
        tagged = tagged[_is_tag(ethertype)]
    link.undecoded[tagged] = Undecoded.MALFORMED


def _is_tag(ethertype: U2) -> Bools:
    tags: Bools = (ethertype == 0x8100) | (ethertype == 0x88A8) | (ethertype == 0x9100)
    return tags


def _strip_snap(block: FrameBlock, link: Link) -> None:
    """Read the ethertype behind LLC and SNAP (RFC 1042), where a frame has a length instead."""
    plain = np.flatnonzero((link.ethertype == 0) & (link.undecoded == Undecoded.OK))
    chosen = plain[block.captured_bytes[plain] >= link.at[plain] + headers.SNAP.itemsize]
    if not len(chosen):
        return
    rows = take(block.buffer, block.offsets[chosen] + link.at[chosen], headers.SNAP)
    snap = (rows["llc_high"] == _SNAP_HIGH) & (rows["llc_low"] == _SNAP_LOW)
    snap &= rows["type"] >= _LEAST_TYPE
    link.ethertype[chosen[snap]] = rows["type"][snap]
    link.at[chosen[snap]] += headers.SNAP.itemsize

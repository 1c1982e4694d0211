"""Reading fields of many headers at once out of one buffer.

Lengths and offsets come from the wire, so nothing here trusts them: a row that would reach beyond
the buffer is filled with zeros, and whoever reads it compares with the captured length first.
"""

import numpy as np

from fwid_agent.types import I8, U1, Table

ETHERNET = np.dtype(
    [
        ("dst_high", ">u2"),
        ("dst_low", ">u4"),
        ("src_high", ">u2"),
        ("src_low", ">u4"),
        ("type", ">u2"),
    ]
)
TAG = np.dtype([("tag", ">u2"), ("type", ">u2")])
SNAP = np.dtype([("llc_high", ">u4"), ("llc_low", ">u2"), ("type", ">u2")])
COOKED = np.dtype(
    [
        ("packet", ">u2"),
        ("hardware", ">u2"),
        ("length", ">u2"),
        ("src_high", ">u2"),
        ("src_low", ">u4"),
        ("unused", ">u2"),
        ("type", ">u2"),
    ]
)
COOKED2 = np.dtype(
    [
        ("type", ">u2"),
        ("reserved", ">u2"),
        ("interface", ">u4"),
        ("hardware", ">u2"),
        ("packet", "u1"),
        ("length", "u1"),
        ("src_high", ">u2"),
        ("src_low", ">u4"),
        ("unused", ">u2"),
    ]
)
IPV4 = np.dtype(
    [
        ("version", "u1"),
        ("service", "u1"),
        ("length", ">u2"),
        ("id", ">u2"),
        ("fragment", ">u2"),
        ("ttl", "u1"),
        ("proto", "u1"),
        ("checksum", ">u2"),
        ("src", ">u4"),
        ("dst", ">u4"),
    ]
)
IPV6 = np.dtype(
    [
        ("version", "u1"),
        ("label", "V3"),
        ("length", ">u2"),
        ("next", "u1"),
        ("hops", "u1"),
        ("src_hi", ">u8"),
        ("src_lo", ">u8"),
        ("dst_hi", ">u8"),
        ("dst_lo", ">u8"),
    ]
)
EXTENSION = np.dtype([("next", "u1"), ("length", "u1"), ("fragment", ">u2")])
OPTION = np.dtype([("kind", "u1"), ("length", "u1"), ("value", ">u2")])
TCP = np.dtype(
    [
        ("src", ">u2"),
        ("dst", ">u2"),
        ("seq", ">u4"),
        ("ack", ">u4"),
        ("offset", "u1"),
        ("flags", "u1"),
        ("window", ">u2"),
        ("rest", ">u4"),
    ]
)


def take(buffer: U1, at: I8, layout: np.dtype[np.void]) -> Table:
    """Copy a header at each position: [n] of `layout`, zeros beyond the buffer's end.

    One take over overlapping rows copies a whole header at a time; a gather of single bytes is
    several times slower.
    """
    width = layout.itemsize
    last = len(buffer) - width
    if len(at) and int(at.max()) > last:
        buffer = np.concatenate([buffer, np.zeros(width, np.uint8)])
        at = np.minimum(at, len(buffer) - width)
        last = len(buffer) - width
    if last < 0:
        return np.zeros(len(at), layout)
    overlapping = np.ndarray((last + 1,), np.dtype(f"V{width}"), buffer, strides=(1,))
    rows: Table = overlapping[at].view(layout)
    return rows

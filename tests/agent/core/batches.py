"""Builds batches of packets for tests from rows of plain values, and cuts them into blocks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
from fwid_agent.types import PacketBatch

SECOND_NS = 1_000_000_000
TCP, UDP, ICMP = 6, 17, 1
SYN, ACK = 0x02, 0x10
IPV4, ARP = 0x0800, 0x0806

_DTYPES = {
    "ts_ns": "i8", "source": "u2", "src_mac": "u8", "dst_mac": "u8", "ethertype": "u2",
    "vlan": "u2", "ip_version": "u1", "src_hi": "u8", "src_lo": "u8", "dst_hi": "u8",
    "dst_lo": "u8", "proto": "u1", "src_port": "u2", "dst_port": "u2", "tcp_flags": "u1",
    "ttl": "u1", "window": "u2", "mss": "u2", "options": "u4", "wire_bytes": "u4",
    "size_bytes": "u4", "payload_bytes": "u4", "undecoded": "u1",
}  # fmt: skip
Packet = Mapping[str, int]


def batch_of(packets: Sequence[Packet]) -> PacketBatch:
    """Make a batch, one mapping a packet; a column that a mapping does not name is 0."""
    unknown = {name for packet in packets for name in packet} - set(_DTYPES)
    assert not unknown, f"no such column: {unknown}"
    return PacketBatch(
        **{
            name: np.array([packet.get(name, 0) for packet in packets], dtype)
            for name, dtype in _DTYPES.items()
        }
    )


def packet(src: tuple[int, int], dst: tuple[int, int], **columns: int) -> dict[str, int]:
    """Make an IPv4 packet of (address, port) to (address, port): UDP, unless `proto` is given."""
    made = {
        "src_mac": 0xAA, "dst_mac": 0xBB, "ethertype": IPV4, "ip_version": 4, "proto": UDP,
        "src_lo": src[0], "src_port": src[1], "dst_lo": dst[0], "dst_port": dst[1],
        "ttl": 64, "wire_bytes": 114, "size_bytes": 100,
    }  # fmt: skip
    return made | columns


def slice_batch(batch: PacketBatch, begin: int, end: int) -> PacketBatch:
    """Return the packets from `begin` up to `end`."""
    columns = {field.name: getattr(batch, field.name)[begin:end] for field in fields(batch)}
    return replace(batch, **columns)


def cut(batch: PacketBatch, at: Sequence[int]) -> Iterator[PacketBatch]:
    """Yield the batch in blocks that end at the given places (some may be empty)."""
    places = [0, *sorted(min(place, len(batch)) for place in at), len(batch)]
    for begin, end in pairwise(places):
        yield slice_batch(batch, begin, end)


def freeze(batch: PacketBatch) -> PacketBatch:
    """Forbid writing to the columns: a stage that changes its input raises ValueError."""
    for field in fields(batch):
        column: Any = getattr(batch, field.name)
        column.flags.writeable = False
    return batch

"""What the capture process sends and the analysis reads: messages of fixed-size records.

A record holds the first bytes of a frame and what the kernel told of it. The reader trusts none of
it more than it trusts the wire: every count and length is checked.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fwid_agent.types import FrameBlock, Table

SNAP_BYTES = 128
RECORD = np.dtype(
    [
        ("ts_ns", "i8"),
        ("wire_bytes", "u4"),
        ("captured_bytes", "u2"),
        ("link_type", "u2"),
        ("source", "u2"),
        ("vlan", "u2"),
        ("segment_bytes", "u2"),
        ("padding", "u2"),
        ("data", "u1", (SNAP_BYTES,)),
    ]
)
_HEADER = struct.Struct("=4sBxxxIQ")  # magic, kind, count, frames lost so far
_MAGIC = b"fwid"
_FRAMES, _TEXT = 1, 2
_MOST_RECORDS = 4096
_MOST_TEXT = 512
HEADER_BYTES = _HEADER.size
TEXT_BYTES = HEADER_BYTES + _MOST_TEXT  # no text is longer


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    block: FrameBlock | None  # frames; None where it is a text
    text: str  # for people: why nothing comes; "" that all is well
    lost: int  # frames that the kernel had no room for, since the capture began


def pack_frames(block: FrameBlock, lost: int) -> Iterator[bytes]:
    """Write a block as messages."""
    count = len(block.ts_ns)
    records = np.zeros(count, RECORD)
    for name in ("ts_ns", "wire_bytes", "link_type", "source"):
        records[name] = getattr(block, name)
    captured = np.minimum(block.captured_bytes, SNAP_BYTES)
    records["captured_bytes"] = captured
    for name in ("vlan", "segment_bytes"):
        column = getattr(block, name)
        if column is not None:
            records[name] = column
    buffer = np.concatenate([block.buffer, np.zeros(SNAP_BYTES, np.uint8)])
    rows = np.lib.stride_tricks.sliding_window_view(buffer, SNAP_BYTES)[block.offsets]
    records["data"] = np.where(np.arange(SNAP_BYTES) < captured[:, None], rows, 0)
    for begin in range(0, count, _MOST_RECORDS):
        part = records[begin : begin + _MOST_RECORDS]
        yield _HEADER.pack(_MAGIC, _FRAMES, len(part), lost) + part.tobytes()


def pack_text(text: str, lost: int) -> bytes:
    """Write a message for people, such as why nothing comes; "" that all is well again."""
    data = text.encode("utf-8", "replace")[:_MOST_TEXT]
    return _HEADER.pack(_MAGIC, _TEXT, len(data), lost) + data


def message_bytes(header: bytes) -> int:
    """Say how long a message is that begins so; raises ValueError where it is none."""
    magic, kind, count, _ = _HEADER.unpack(header)
    width, most = {_FRAMES: (RECORD.itemsize, _MOST_RECORDS), _TEXT: (1, _MOST_TEXT)}.get(
        kind, (0, -1)
    )
    if magic != _MAGIC or count > most:
        raise ValueError("the capture process speaks another language")
    return HEADER_BYTES + int(count) * width


def unpack(data: bytes) -> Message:
    """Read a message; raises ValueError where it is none."""
    if len(data) < HEADER_BYTES or message_bytes(data[:HEADER_BYTES]) != len(data):
        raise ValueError("a message of the capture process is cut short")
    _, kind, _, lost = _HEADER.unpack_from(data)
    body = data[HEADER_BYTES:]
    if kind == _TEXT:
        return Message(None, body.decode("utf-8", "replace"), lost)
    return Message(_unpack_frames(body), "", lost)


def _unpack_frames(data: bytes) -> FrameBlock:
    records: Table = np.frombuffer(data, RECORD)
    start = RECORD.fields["data"][1] if RECORD.fields else 0
    return FrameBlock(
        np.frombuffer(data, np.uint8),
        np.arange(len(records), dtype=np.int64) * RECORD.itemsize + start,
        np.minimum(records["captured_bytes"], SNAP_BYTES).astype(np.uint32),
        records["wire_bytes"].copy(),
        records["ts_ns"].copy(),
        records["link_type"].copy(),
        records["source"].copy(),
        records["vlan"].copy(),
        records["segment_bytes"].copy(),
    )

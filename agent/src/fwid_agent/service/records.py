"""What the capture process writes and the analysis reads: messages of fixed-size records.

A record holds the first bytes of a frame and what the kernel told of it. The reader trusts none of
it more than it trusts the wire: every count and length is checked.
"""

import struct
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
HEADER_BYTES = _HEADER.size
_MAGIC = b"fwid"
_FRAMES, _TEXT = 1, 2
_MOST_RECORDS = 1 << 17
_MOST_TEXT = 512


@dataclass(frozen=True, slots=True)
class Header:
    """What follows in a message."""

    frames: bool  # frames; otherwise a text for people
    length: int  # bytes that follow
    lost: int  # frames that the kernel had no room for, since the capture began


def pack_frames(block: FrameBlock, lost: int) -> bytes:
    """Write a block as one message."""
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
    return _HEADER.pack(_MAGIC, _FRAMES, count, lost) + records.tobytes()


def pack_text(text: str, lost: int) -> bytes:
    """Write a message for people, such as why nothing comes; "" that all is well again."""
    data = text.encode("utf-8", "replace")[:_MOST_TEXT]
    return _HEADER.pack(_MAGIC, _TEXT, len(data), lost) + data


def read_header(data: bytes) -> Header:
    """Read the start of a message; raises ValueError where it is none."""
    magic, kind, count, lost = _HEADER.unpack(data)
    most = {_FRAMES: _MOST_RECORDS, _TEXT: _MOST_TEXT}.get(kind, -1)
    if magic != _MAGIC or count > most:
        raise ValueError("the capture process speaks another language")
    frames = kind == _FRAMES
    return Header(frames, count * (RECORD.itemsize if frames else 1), lost)


def unpack_frames(data: bytes) -> FrameBlock:
    """Return the frames of a message's records."""
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

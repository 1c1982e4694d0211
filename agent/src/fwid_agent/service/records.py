"""What the capture process sends and the analysis reads: messages of fixed-size records.

A record holds the first bytes of a frame and what the kernel told of it; all of one message hold
equally many. The reader trusts none of it more than it trusts the wire: every count and length is
checked.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from fwid_agent.types import FrameBlock, Table

SNAP_BYTES = 128
MOST_BYTES = 2048  # of a frame, where handshakes are read
_FIELDS: list[tuple[str, str]] = [
    ("ts_ns", "i8"),
    ("wire_bytes", "u4"),
    ("captured_bytes", "u2"),
    ("link_type", "u2"),
    ("source", "u2"),
    ("vlan", "u2"),
    ("segment_bytes", "u2"),
    ("padding", "u2"),
]
# magic, kind, bytes kept of each frame, count, frames lost so far
_HEADER = struct.Struct("=4sBxHIQ")
_MAGIC = b"fwid"
_MOST_RECORDS = 4096
_MOST_TEXT = 1 << 16
HEADER_BYTES = _HEADER.size
TEXT_BYTES = HEADER_BYTES + _MOST_TEXT  # no text is longer


class Content(IntEnum):
    """What a message holds."""

    FRAMES = 1
    TROUBLE = 2  # why nothing comes, for people; "" that all is well again
    NOTE = 3  # what is to be said once
    POSITION = 4  # where another run goes on after the frames before; to the capture: where it does


@dataclass(frozen=True, slots=True)
class Message:
    """One message."""

    content: Content
    block: FrameBlock | None  # where the content is frames
    text: str  # where it is not
    lost: int  # frames that there was no room for, since the capture process began


def pack_frames(block: FrameBlock, lost: int, most: int = SNAP_BYTES) -> Iterator[bytes]:
    """Write a block as messages, with at most so many bytes of each frame."""
    count = len(block.ts_ns)
    captured = np.minimum(block.captured_bytes, most)
    # A block with one long frame in it is a wide one: that is rare, and their order stays.
    kept = max(SNAP_BYTES, int(captured.max(initial=0)))
    records = np.zeros(count, _record(kept))
    for name in ("ts_ns", "wire_bytes", "link_type", "source"):
        records[name] = getattr(block, name)
    records["captured_bytes"] = captured
    for name in ("vlan", "segment_bytes"):
        column = getattr(block, name)
        if column is not None:
            records[name] = column
    buffer = np.concatenate([block.buffer, np.zeros(kept, np.uint8)])
    rows = np.lib.stride_tricks.sliding_window_view(buffer, kept)[block.offsets]
    records["data"] = np.where(np.arange(kept) < captured[:, None], rows, 0)
    for begin in range(0, count, _MOST_RECORDS):
        part = records[begin : begin + _MOST_RECORDS]
        yield _HEADER.pack(_MAGIC, Content.FRAMES, kept, len(part), lost) + part.tobytes()


def pack_text(content: Content, text: str, lost: int = 0) -> bytes:
    """Write any other message."""
    data = text.encode("utf-8", "replace")[:_MOST_TEXT]
    return _HEADER.pack(_MAGIC, content, 0, len(data), lost) + data


def message_bytes(header: bytes) -> int:
    """Say how long a message is that begins so; raises ValueError where it is none."""
    magic, kind, kept, count, _ = _HEADER.unpack(header)
    frames = kind == Content.FRAMES
    most = _MOST_RECORDS if frames else _MOST_TEXT
    if magic != _MAGIC or kind not in set(Content) or count > most or kept > MOST_BYTES:
        raise ValueError("the capture process speaks another language")
    return HEADER_BYTES + int(count) * (_record(kept).itemsize if frames else 1)


def unpack(data: bytes) -> Message:
    """Read a message; raises ValueError where it is none."""
    if len(data) < HEADER_BYTES or message_bytes(data[:HEADER_BYTES]) != len(data):
        raise ValueError("a message of the capture process is cut short")
    _, kind, kept, _, lost = _HEADER.unpack_from(data)
    content, body = Content(kind), data[HEADER_BYTES:]
    if content is Content.FRAMES:
        return Message(content, _unpack_frames(body, kept), "", lost)
    return Message(content, None, body.decode("utf-8", "replace"), lost)


def _record(kept: int) -> np.dtype[np.void]:
    return np.dtype([*_FIELDS, ("data", "u1", (kept,))])


def _unpack_frames(data: bytes, kept: int) -> FrameBlock:
    records: Table = np.frombuffer(data, _record(kept))
    return FrameBlock(
        np.frombuffer(data, np.uint8),
        (np.arange(len(records), dtype=np.int64) + 1) * records.itemsize - kept,
        np.minimum(records["captured_bytes"], kept).astype(np.uint32),
        records["wire_bytes"].copy(),
        records["ts_ns"].copy(),
        records["link_type"].copy(),
        records["source"].copy(),
        records["vlan"].copy(),
        records["segment_bytes"].copy(),
    )

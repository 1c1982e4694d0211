"""What the parsers of capture formats share: columns of frames, and what a parse gives."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from fwid_agent.types import I8, U2, U4, Bools, FrameBlock, Table


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames found in a buffer; columns as in FrameBlock."""

    offsets: I8
    captured_bytes: U4
    wire_bytes: U4
    ts_ns: I8
    link_type: U2
    source: U2

    def block(self, buffer: bytearray) -> FrameBlock:
        """Join the frames with the buffer they lie in."""
        return FrameBlock(
            np.frombuffer(buffer, np.uint8),
            self.offsets,
            self.captured_bytes,
            self.wire_bytes,
            self.ts_ns,
            self.link_type,
            self.source,
        )


@dataclass(frozen=True, slots=True)
class Damage:
    """Where and why a parser cannot go on."""

    at: int  # offset in the buffer
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser found in a buffer."""

    frames: Frames
    end: int  # how many bytes were used; the rest belongs to what comes next
    damage: Damage | None


def rows_at(buffer: bytearray, offsets: I8, width: int, dtype: str | np.dtype[np.void]) -> Table:
    """Copy `width` bytes at each (rising) offset as one row of numbers: [n, width / itemsize].

    One take over overlapping rows is several times faster than a gather of single bytes. A row
    that would reach beyond the buffer is filled with zeros.
    """
    if len(offsets) == 0:
        return np.zeros((0, width // np.dtype(dtype).itemsize), dtype)
    if offsets[-1] + width > len(buffer):
        buffer = buffer + bytes(width)
    overlapping = np.ndarray(
        (len(buffer) - width + 1,), np.dtype(f"V{width}"), buffer, strides=(1,)
    )
    rows: Table = overlapping[offsets].view(dtype).reshape(len(offsets), -1)
    return rows


def select_frames(block: FrameBlock, which: slice | Bools) -> FrameBlock:
    """Return some of a block's frames, in the same buffer."""
    columns = {f.name: getattr(block, f.name) for f in fields(block) if f.name != "buffer"}
    parts: dict[str, Any] = {
        name: None if column is None else column[which] for name, column in columns.items()
    }
    return FrameBlock(buffer=block.buffer, **parts)

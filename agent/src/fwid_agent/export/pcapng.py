"""Frames as pcapng (the IETF opsawg draft "PCAP Now Generic (pcapng) Capture File Format").

One section, one Ethernet interface with times in nanoseconds, one enhanced packet block a frame;
neither names nor comments, and nothing of the machine.
"""

import struct

import numpy as np

from fwid_agent.export.frames import GivenFrames

_ENHANCED = 6
_HEAD_BYTES, _TAIL_BYTES = 28, 4
_NANOSECONDS = 9


def section() -> bytes:
    """Return what a file begins with."""
    head = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    resolution = struct.pack("<HHB3xHH", 9, 1, _NANOSECONDS, 0, 0)
    interface = struct.pack("<HHI", 1, 0, 0) + resolution
    return _block(0x0A0D0D0A, head) + _block(1, interface)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def packets(frames: GivenFrames) -> bytes:
    """Return the blocks of frames."""
    length = frames.length.astype(np.int64)
    padded = (length + 3) // 4 * 4
    total = _HEAD_BYTES + padded + _TAIL_BYTES
    start = np.cumsum(total) - total
    out = np.zeros(int(total.sum()), np.uint8)
    time = frames.ts_ns.astype(np.uint64)
    words = np.zeros((len(length), 7), "<u4")
    words[:, 0], words[:, 1] = _ENHANCED, total
    words[:, 3], words[:, 4] = time >> np.uint64(32), time & np.uint64(0xFFFFFFFF)
    words[:, 5], words[:, 6] = length, frames.wire_bytes
    out[start[:, None] + np.arange(_HEAD_BYTES)] = words.view(np.uint8)
    behind = np.cumsum(length) - length  # where each frame begins in their own buffer
    shift = np.repeat(start + _HEAD_BYTES - behind, length)
    out[np.arange(len(frames.buffer)) + shift] = frames.buffer
    tail = words[:, 1:2].copy().view(np.uint8)
    out[(start + total - _TAIL_BYTES)[:, None] + np.arange(_TAIL_BYTES)] = tail
    return out.tobytes()

"""True sizes of live traffic: what the kernel merged or has not cut yet, cut into its segments.

Receive offload merges segments of one flow into a frame of up to 64 KB, and segmentation offload
leaves cutting to the card. Both keep the payload of a segment beside the frame, so the packets that
were on the wire can be told: all of that payload but the last, each with the frame's headers.
"""

from dataclasses import fields, replace

import numpy as np

from fwid_agent.types import I8, U2, Bools, FrameBlock, PacketBatch

LARGEST_FRAME = 1600  # bytes: an Ethernet frame with every tag; a jumbo frame counts as merged

_PUSH, _FIN = 0x08, 0x01


def find_unsplit(block: FrameBlock) -> Bools:
    """Say which frames hold several packets and do not say how many: [n] bool."""
    large: Bools = block.wire_bytes > LARGEST_FRAME
    return large if block.segment_bytes is None else large & (block.segment_bytes == 0)


def first_segments(batch: PacketBatch, segment_bytes: U2 | None) -> I8:
    """Say which packet of the split batch each frame begins with: [n], arguments as below."""
    count = _count_segments(batch, segment_bytes)
    first: I8 = np.cumsum(count) - count
    return first


def split_segments(batch: PacketBatch, segment_bytes: U2 | None) -> PacketBatch:
    """Return the batch with each merged packet as the packets that it was on the wire.

    Args:
        batch: decoded frames.
        segment_bytes: [n] payload of a segment, 0 where a frame is one packet; None: all are.

    """
    if segment_bytes is None:
        return batch
    count = _count_segments(batch, segment_bytes)
    merged = count > 1
    if not merged.any():
        return batch
    payload = batch.payload_bytes.astype(np.int64)
    segment = segment_bytes.astype(np.int64)
    which = np.repeat(np.arange(len(batch)), count)
    # Number of each segment within its frame, and whether it is the last of it.
    number = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    last = number == count[which] - 1
    spread = PacketBatch(*(getattr(batch, field.name)[which] for field in fields(batch)))
    part: I8 = np.where(merged[which], segment[which], payload[which])
    part = np.where(merged[which] & last, payload[which] - number * segment[which], part)
    less = payload[which] - part
    # PSH and FIN belong to the last segment (RFC 9293, section 3.7.1, leaves merging to the end).
    flags = np.where(last, spread.tcp_flags, spread.tcp_flags & ~np.uint8(_PUSH | _FIN))
    return replace(
        spread,
        payload_bytes=part.astype(np.uint32),
        size_bytes=np.maximum(spread.size_bytes - less, 0).astype(np.uint32),
        wire_bytes=np.maximum(spread.wire_bytes - less, 0).astype(np.uint32),
        tcp_flags=flags.astype(np.uint8),
    )


def _count_segments(batch: PacketBatch, segment_bytes: U2 | None) -> I8:
    """Count the packets that each frame is of: [n]."""
    if segment_bytes is None:
        return np.ones(len(batch), np.int64)
    payload = batch.payload_bytes.astype(np.int64)
    segment = segment_bytes.astype(np.int64)
    merged = (segment > 0) & (payload > segment)
    return np.where(merged, -(-payload // np.maximum(segment, 1)), 1)

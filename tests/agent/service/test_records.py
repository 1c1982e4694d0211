"""What the capture process passes on arrives as it was, and nothing that it says is trusted."""

from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.service.records import (
    HEADER_BYTES,
    MOST_BYTES,
    SNAP_BYTES,
    Content,
    message_bytes,
    pack_frames,
    pack_text,
    unpack,
)
from fwid_agent.types import FrameBlock
from hypothesis import given
from hypothesis import strategies as st


def block_of(lengths: list[int]) -> FrameBlock:
    count = len(lengths)
    data = np.random.default_rng(1).integers(0, 256, sum(lengths), np.uint8)
    captured = np.array(lengths, np.uint32)
    return FrameBlock(
        data,
        np.cumsum([0, *lengths[:-1]]).astype(np.int64)[:count],
        captured,
        captured + np.uint32(9),
        np.arange(count, dtype=np.int64),
        np.ones(count, np.uint16),
        np.zeros(count, np.uint16),
    )


def frames(block: FrameBlock) -> list[bytes]:
    return [
        block.buffer[begin:][:length].tobytes()
        for begin, length in zip(block.offsets.tolist(), block.captured_bytes.tolist(), strict=True)
    ]


@given(
    st.lists(st.integers(0, 2500), min_size=1, max_size=20), st.sampled_from([128, 640, MOST_BYTES])
)
def test_frames_arrive_as_they_were_up_to_so_many_bytes(lengths: list[int], most: int) -> None:
    """In their order; a long one among them makes room for all, where that is asked for."""
    block = block_of(lengths)
    (message,) = pack_frames(block, 7, most)
    got = unpack(message)
    assert (got.content, got.lost) == (Content.FRAMES, 7)
    assert got.block is not None
    assert frames(got.block) == [frame[:most] for frame in frames(block)]
    assert got.block.wire_bytes.tolist() == block.wire_bytes.tolist()
    assert message_bytes(message[:HEADER_BYTES]) == len(message)
    if max(lengths) <= SNAP_BYTES:
        assert message == next(pack_frames(block, 7))


@given(st.binary(max_size=200))
def test_whatever_is_said_is_a_message_or_refused(data: bytes) -> None:
    """One line for the log, and no memory for what was never sent."""
    for said in (data, b"fwid\x01\x00" + data):
        try:
            got = unpack(said)
        except ValueError:
            continue
        assert got.block is None or len(got.block.ts_ns) * SNAP_BYTES <= 10 * len(said) + SNAP_BYTES


def test_a_record_that_is_too_wide_is_refused() -> None:
    """And so is one that says that it has more of a frame than it has."""
    (message,) = pack_frames(block_of([10]), 0)
    wide = message[:6] + (MOST_BYTES + 1).to_bytes(2, "little") + message[8:]
    with pytest.raises(ValueError, match="another language"):
        unpack(wide)
    lying = replace(block_of([10]), captured_bytes=np.array([60_000], np.uint32))
    block = unpack(next(pack_frames(lying, 0))).block
    assert block is not None
    assert block.captured_bytes.tolist() == [SNAP_BYTES]
    assert unpack(pack_text(Content.NOTE, "héllo")).text == "héllo"

"""Captures as sessions: what an earlier run has stored of them is not counted again."""

from collections.abc import Iterator
from itertools import chain

from fwid_agent.capture.files import BLOCK_BYTES, CaptureFile, open_capture
from fwid_agent.capture.frames import select_frames
from fwid_agent.capture.opening import OPENING_FRAMES
from fwid_agent.errors import UnreadableInputError
from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.ingest import read_blocks
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.messages import OnNote, OnProgress
from fwid_agent.types import FrameBlock


def read_session(
    home: Home, ledger: Ledger, capture: CaptureFile, on_progress: OnProgress, on_note: OnNote
) -> Iterator[FrameBlock]:
    """Begin a session and yield what the home is to be fed with.

    Frames that are stored already prime the home instead, and leave blocks without frames.

    Raises:
        UnreadableInputError: the capture cannot be read (further).

    """
    with open_capture(capture.path) as reader:
        blocks = read_blocks(reader, on_progress, on_note)
        first, fault = _read_first(blocks)
        session, known = ledger.open_session(capture, first)
        home.begin_session(session, capture, known)
        counted = known.frames_done
        for block in chain(first, blocks):
            skipped = min(counted, len(block.ts_ns))
            counted -= skipped
            if skipped:
                home.prime(select_frames(block, slice(skipped)))
            yield select_frames(block, slice(skipped, None)) if skipped else block
    if fault:
        raise fault


def _read_first(
    blocks: Iterator[FrameBlock],
) -> tuple[list[FrameBlock], UnreadableInputError | None]:
    """Read as much as is needed to know a capture again, and what is wrong right behind it."""
    first: list[FrameBlock] = []
    frames = held_bytes = 0
    try:
        for block in blocks:
            first.append(block)
            frames += len(block.ts_ns)
            held_bytes += len(block.buffer)
            if frames >= OPENING_FRAMES or held_bytes >= BLOCK_BYTES:
                break
    except UnreadableInputError as error:
        return first, error
    return first, None

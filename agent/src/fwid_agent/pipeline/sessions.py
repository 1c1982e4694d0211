"""Captures as sessions: what an earlier run has stored of them is not counted again."""

from collections.abc import Iterator

from fwid_agent.capture.files import CaptureFile, open_capture
from fwid_agent.capture.frames import select_frames
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
    session, counted = ledger.open_session(capture)
    home.ingest.begin_session(session, capture.first_ts_ns, capture.path)
    with open_capture(capture.path) as reader:
        for block in read_blocks(reader, on_progress, on_note):
            skipped = min(counted, len(block.ts_ns))
            counted -= skipped
            if skipped:
                home.prime(select_frames(block, slice(skipped)))
            yield select_frames(block, slice(skipped, None)) if skipped else block

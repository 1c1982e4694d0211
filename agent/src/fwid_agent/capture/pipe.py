"""The frames of a capture that comes through a pipe, as from `ssh router tcpdump -U -w -`."""

import os
import time
from types import TracebackType
from typing import Self

from fwid_agent.capture.growing import GrowingCapture
from fwid_agent.capture.pieces import PieceReader
from fwid_agent.capture.remote_clock import RemoteClock
from fwid_agent.errors import CaptureEndedError, UnreadableInputError
from fwid_agent.types import FrameBlock

_PIECE_BYTES = 1 << 16


class PipeCapture:
    """The frames of one capture on its way; use as a context manager.

    Args:
        descriptor: of the pipe's reading end, which stays open.
        name: what it is called in errors.

    """

    def __init__(self, descriptor: int, name: str) -> None:
        self.notes: list[str] = []  # what is to be said once
        self.trouble = ""  # there is none that passes
        self.lost = 0  # whoever captures knows, and does not tell
        self.position = ""  # it cannot be read again
        self._name = name
        self._clock = RemoteClock(name)
        self._capture = GrowingCapture(name)
        self._reader = PieceReader(lambda: os.read(descriptor, _PIECE_BYTES))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.drop()

    def finish(self) -> bool:
        """Say that whoever sends goes on."""
        return False

    def read(self, wait_s: float) -> FrameBlock | None:
        """Return the frames that come, waiting for them as long as this at the most.

        Raises:
            CaptureEndedError: nothing will ever come any more; all before was returned.

        """
        try:
            piece = self._reader.take(wait_s)
            if piece is None:
                return None
            if piece:
                block = self._capture.feed(piece)
                if block is None:
                    return None
                return self._clock.correct(block, time.time_ns(), self.notes)
            self._capture.end()
        except OSError as error:
            raise CaptureEndedError(f"{self._name}: {error.strerror or error}") from error
        except UnreadableInputError as error:
            raise CaptureEndedError(str(error)) from error
        raise CaptureEndedError(f"{self._name}: the capture has ended")

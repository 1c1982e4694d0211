"""Captures that another program rotates into a folder, such as tcpdump -G or dumpcap -b.

The newest file is read while it grows; once another has appeared, and the present one has nothing
more, the other is taken up. Programs overwrite the oldest file of a ring, and clocks are set: files
are known by their first frame, and read in the order in which they appear.
"""

import os
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from fwid_agent.capture.folder import MOST_FILES, FolderListing, FoundFile
from fwid_agent.capture.frames import select_frames
from fwid_agent.capture.growing import GrowingCapture
from fwid_agent.capture.remote_clock import ANY_AGE_NS, RemoteClock
from fwid_agent.errors import CaptureError, UnreadableInputError
from fwid_agent.types import FrameBlock

_PIECE_BYTES = 1 << 20
_POLL_S = 0.25
_SCAN_S = 1.0


class _Position(msgspec.Struct, frozen=True):
    """How far a folder has been read; files are named by their digests (see FoundFile)."""

    done: tuple[str, ...] = ()  # files that are not to be read any more
    file: str = ""  # the one that is being read
    frames: int = 0  # of it that were read


class RotatingFolder:
    """The frames of the captures in a folder, each once; use as a context manager.

    Args:
        folder: where another program writes its captures.
        position: how far an earlier run has come, "" where there was none.

    """

    def __init__(self, folder: Path, position: str = "") -> None:
        self.notes: list[str] = []  # what is to be said once
        self.trouble = ""  # why not all can be read now
        self.lost = 0  # whoever captures knows, and does not tell
        self._listing = FolderListing(folder)
        self._clock = RemoteClock(str(folder), ANY_AGE_NS)
        self._before = _read_position(position)
        # There are no more files than these, so what is forgotten has been deleted.
        self._done = deque(self._before.done, MOST_FILES)
        self._waiting: list[FoundFile] = []  # to be read next
        self._file: _OpenFile | None = None
        self._unusable: list[str] = []  # that was said already
        self._scan_at_s = 0.0

    @property
    def position(self) -> str:
        """How far the folder has been read, with the frames that `read` gave last."""
        file, frames = self._before.file, self._before.frames
        if self._file is not None:
            file, frames = self._file.digest, self._file.frames
        return msgspec.json.encode(_Position(tuple(self._done), file, frames)).decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def finish(self) -> bool:
        """Say that whoever sends goes on."""
        return False

    def read(self, wait_s: float) -> FrameBlock | None:
        """Return the frames that come next, waiting for them as long as this at the most."""
        until = time.monotonic() + wait_s
        while True:
            block = self._read_on()
            if block is not None:
                return self._clock.correct(block, time.time_ns(), self.notes)
            left_s = until - time.monotonic()
            if left_s <= 0:
                return None
            time.sleep(min(_POLL_S, left_s))

    def _read_on(self) -> FrameBlock | None:
        block = self._read_file()
        if block is None and time.monotonic() >= self._scan_at_s:
            self._scan_at_s = time.monotonic() + _SCAN_S
            self._find_new()
            # Before a new file was begun, the present one may have gained something more.
            block = self._read_file()
        while block is None and self._waiting:
            self._close()
            self._open(self._waiting.pop(0))
            block = self._read_file()
        return block

    def _find_new(self) -> None:
        """Look for files that are not known yet."""
        try:
            found = self._listing.scan()
        except CaptureError as error:
            self.trouble = str(error)
            return
        self.trouble = next(iter(self._listing.unreadable), "")
        present = {file.digest for file in found}
        missed = [file.path.name for file in self._waiting if file.digest not in present]
        if missed:
            self.notes.append(f"deleted or overwritten before they were read: {', '.join(missed)}")
        self.notes += [why for why in self._listing.unusable if why not in self._unusable]
        self._unusable = self._listing.unusable
        self._waiting = [file for file in self._waiting if file.digest in present]
        known = {*self._done, *(file.digest for file in self._waiting)}
        known.add(self._file.digest if self._file else "")
        new = [file for file in found if file.digest not in known]
        # What an earlier run has begun is gone on with first.
        self._waiting += sorted(new, key=lambda file: file.digest != self._before.file)

    def _open(self, file: FoundFile) -> None:
        begun = file.digest == self._before.file
        try:
            self._file = _OpenFile(file, self._before.frames if begun else 0)
        except OSError as error:
            self.notes.append(f"{file.path}: {error.strerror or error}")
        self._before = _Position()

    def _read_file(self) -> FrameBlock | None:
        """Return what the present file has gained."""
        if self._file is None:
            return None
        try:
            return self._file.read()
        except (UnreadableInputError, OSError) as error:
            self.notes.append(f"{error}; the rest of it is left out")
            self._forget()
            return None

    def _close(self) -> None:
        """Be done with the present file; it should end with a whole frame."""
        if self._file is None:
            return
        try:
            self._file.end()
        except UnreadableInputError as error:
            self.notes.append(str(error))
        self._forget()

    def _forget(self) -> None:
        if self._file is not None:
            self._done.append(self._file.digest)
            self._file.close()
            self._file = None


def _read_position(text: str) -> _Position:
    """Read what another run has left; what nobody can read means to begin anew."""
    try:
        return msgspec.json.decode(text, type=_Position) if text else _Position()
    except msgspec.MsgspecError:
        return _Position()


class _OpenFile:
    """One capture, as far as it has grown."""

    def __init__(self, file: FoundFile, skipped: int) -> None:
        self.digest = file.digest
        self.frames = 0
        self._path = str(file.path)
        self._head = file.head
        self._skipped = skipped  # frames at its start that are counted already
        self._capture = GrowingCapture(self._path)
        self._descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self) -> FrameBlock | None:
        """Return the next frames; None where there are no more for now.

        Raises:
            UnreadableInputError: it is damaged, or another capture has taken its place.

        """
        while True:
            if os.pread(self._descriptor, len(self._head), 0) != self._head:
                raise UnreadableInputError(self._path, "was overwritten while it was being read")
            piece = os.read(self._descriptor, _PIECE_BYTES)
            block = self._capture.feed(piece)
            if block is not None:
                before, self.frames = self.frames, self.frames + len(block.ts_ns)
                if self.frames > self._skipped:
                    return select_frames(block, slice(max(self._skipped - before, 0), None))
            elif not piece:
                return None

    def end(self) -> None:
        """Raise UnreadableInputError where it ends in the middle of a frame."""
        self._capture.end()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

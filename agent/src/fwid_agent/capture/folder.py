"""The captures in a folder, each known by its first frame, whatever it is called now."""

import stat
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fwid_agent.capture.growing import GrowingCapture
from fwid_agent.errors import CaptureError, UnreadableInputError
from fwid_agent.types import FrameBlock

MOST_FILES = 2048
_HEAD_BYTES = 1 << 16  # within which a capture has its first frame
_STEP_BYTES = 1 << 10
_DIGEST_DIGITS = 16


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A capture with at least one frame."""

    path: Path
    digest: str  # of its first frame and that frame's time
    first_ts_ns: int
    head: bytes  # of the file, as far as its first frame or a little further


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was found in a file, and what changes when somebody writes to it."""

    stamp: tuple[int, int, int]  # inode, size, time of the last change
    found: FoundFile | None = None
    unreadable: str = ""
    unusable: str = ""


class FolderListing:
    """Looks for captures in a folder, and into a file again only when it has changed."""

    def __init__(self, folder: Path) -> None:
        self.unreadable: list[str] = []  # which files may not be read, and why
        self.unusable: list[str] = []  # which are no captures, and why
        self._folder = folder
        self._seen: dict[Path, _Seen] = {}

    def scan(self) -> list[FoundFile]:
        """Return the captures in the order of their first frames.

        Raises:
            CaptureError: the folder cannot be read.

        """
        try:
            # Hidden ones are those that rsync has not finished.
            paths = [path for path in self._folder.iterdir() if not path.name.startswith(".")]
            if len(paths) > MOST_FILES:
                raise CaptureError(f"{self._folder}: more than {MOST_FILES} files; delete old ones")
            seen = {path: state for path in paths if (state := self._look(path)) is not None}
        except OSError as error:
            raise CaptureError(f"{self._folder}: {error.strerror or error}") from error
        self._seen = seen
        self.unreadable = [state.unreadable for state in seen.values() if state.unreadable]
        self.unusable = [state.unusable for state in seen.values() if state.unusable]
        found = [state.found for state in seen.values() if state.found]
        return sorted(found, key=lambda file: (file.first_ts_ns, file.path))

    def _look(self, path: Path) -> _Seen | None:
        """Return what is in a file; None where there is none, or not any more."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                return None
            stamp = (status.st_ino, status.st_size, status.st_ctime_ns)
            known = self._seen.get(path)
            return known if known and stamp == known.stamp else _look_into(path, stamp)
        except FileNotFoundError:
            return None


def _look_into(path: Path, stamp: tuple[int, int, int]) -> _Seen:
    try:
        return _Seen(stamp, _find_first_frame(path))
    except PermissionError as error:
        return _Seen(stamp, unreadable=f"{path}: {error.strerror}; let this user read it")
    except UnreadableInputError as error:
        return _Seen(stamp, unusable=str(error))


def _find_first_frame(path: Path) -> FoundFile | None:
    """Read a file as far as its first frame; None where it has none yet."""
    capture = GrowingCapture(str(path))
    head = b""
    with path.open("rb", buffering=0) as file:
        while len(head) < _HEAD_BYTES and (piece := file.read(_STEP_BYTES)):
            head += piece
            block = capture.feed(piece)
            if block is not None:
                return FoundFile(path, _digest(block), int(block.ts_ns[0]), head)
    if len(head) >= _HEAD_BYTES:
        raise UnreadableInputError(str(path), f"no frame in its first {_HEAD_BYTES:,} bytes")
    return None


def _digest(block: FrameBlock) -> str:
    start, length = int(block.offsets[0]), int(block.captured_bytes[0])
    frame = block.buffer[start : start + length].tobytes()
    stamp = b"%d %d " % (block.ts_ns[0], block.wire_bytes[0])
    return sha256(stamp + frame).hexdigest()[:_DIGEST_DIGITS]

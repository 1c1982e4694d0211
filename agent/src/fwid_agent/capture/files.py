"""Captures from files, folders and standard input, as blocks of frames."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from fwid_agent.capture.pcap import HEADER_BYTES, PcapParser, is_pcap
from fwid_agent.capture.pcapng import PcapngParser, is_pcapng
from fwid_agent.capture.stream import STDIN, ByteStream, is_stream
from fwid_agent.errors import UnreadableInputError
from fwid_agent.types import FrameBlock

# Large enough that numpy's cost a call is small beside its work, small enough for the cache and
# for the memory of a Raspberry Pi.
BLOCK_BYTES = 1 << 22
_LEAST_BYTES = 1 << 12


@dataclass(frozen=True, slots=True)
class CaptureFile:
    """A capture that was found, with the time of its first frame."""

    path: str
    first_ts_ns: int  # 0 for a stream and for a capture without frames


@dataclass(frozen=True, slots=True)
class FoundCaptures:
    """Captures in order of reading, and notes on files that were passed over."""

    captures: tuple[CaptureFile, ...]
    notes: tuple[str, ...] = field(default=())


class CaptureReader:
    """Iterates over the blocks of one capture; use as a context manager.

    What was read before a fault is yielded first; the fault is raised after it.

    Raises:
        UnreadableInputError: the input is no capture, or is damaged from some offset on.

    """

    def __init__(self, path: str, block_bytes: int = BLOCK_BYTES) -> None:
        self.path = path
        self.frames_read = 0
        self._block_bytes = max(block_bytes, _LEAST_BYTES)
        self._stream = ByteStream(path)
        try:
            self._parser = self._start()
        except UnreadableInputError:
            self._stream.close()
            raise

    @property
    def bytes_read(self) -> int:
        """Bytes of the input that have been read (compressed ones, if it is)."""
        return self._stream.bytes_read

    @property
    def total_bytes(self) -> int | None:
        """Size of the input, None for a stream."""
        return self._stream.total_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the input."""
        self._stream.close()

    def __iter__(self) -> Iterator[FrameBlock]:
        carry, size = self._carry, self._block_bytes
        while True:
            buffer = bytearray(max(size, len(carry) + 1))
            buffer[: len(carry)] = carry
            filled = len(carry) + self._stream.fill(memoryview(buffer)[len(carry) :])
            parsed = self._parser.parse(buffer, filled)
            if len(parsed.frames.offsets):
                self.frames_read += len(parsed.frames.offsets)
                yield parsed.frames.block(buffer)
            if parsed.damage:
                at = self._at + parsed.damage.at
                raise UnreadableInputError(self.path, parsed.damage.reason, at)
            if self._stream.fault:
                raise self._stream.fault
            carry = buffer[parsed.end : filled]
            self._at += parsed.end
            if filled < len(buffer):
                if carry:
                    reason = "the capture is cut off in the middle of a packet"
                    raise UnreadableInputError(self.path, reason, self._at)
                return
            # A record larger than the block: read on with a larger one.
            size = max(self._block_bytes, 2 * len(carry))

    def _start(self) -> PcapParser | PcapngParser:
        head = bytearray(HEADER_BYTES)
        got = self._stream.fill(memoryview(head))
        head = head[:got]
        self._carry = bytearray()
        self._at = 0
        if self._stream.fault and got < HEADER_BYTES:
            raise self._stream.fault
        if not head:
            raise UnreadableInputError(self.path, "the file is empty")
        if is_pcapng(bytes(head)):
            self._carry = head
            return PcapngParser()
        if not is_pcap(bytes(head)):
            raise UnreadableInputError(
                self.path, "is no pcap or pcapng capture (plain, gzip, xz or zstd)", 0
            )
        if got < HEADER_BYTES:
            raise UnreadableInputError(self.path, "the capture is cut off in its header", got)
        self._at = HEADER_BYTES
        return PcapParser.of(bytes(head))


def open_capture(path: str, block_bytes: int = BLOCK_BYTES) -> CaptureReader:
    """Open a capture file, or standard input for "-"."""
    return CaptureReader(path, block_bytes)


def find_captures(paths: Sequence[str]) -> FoundCaptures:
    """List captures, of files and folders together, in the order in which they are to be read.

    Raises:
        UnreadableInputError: a file that was named is no capture, or a folder has none.

    """
    captures: list[CaptureFile] = []
    notes: list[str] = []
    for path in paths:
        if path != STDIN and Path(path).is_dir():
            inside, skipped = _search(Path(path))
            captures += inside
            notes += skipped
        else:
            captures.append(CaptureFile(path, 0 if is_stream(path) else _first_ts_ns(path)))
    return FoundCaptures(tuple(in_order(captures)), tuple(notes))


def in_order(captures: Iterable[CaptureFile]) -> list[CaptureFile]:
    """Sort captures by their first frame; streams, of which nobody knows it, stay behind them."""
    files: list[CaptureFile] = []
    streams: list[CaptureFile] = []
    for capture in captures:
        (streams if is_stream(capture.path) else files).append(capture)
    return sorted(files, key=lambda capture: (capture.first_ts_ns, capture.path)) + streams


def _search(folder: Path) -> tuple[list[CaptureFile], list[str]]:
    captures: list[CaptureFile] = []
    notes: list[str] = []
    try:
        os.scandir(folder).close()  # what looks below a folder passes over those it may not read
    except OSError as error:
        raise UnreadableInputError(
            str(folder), f"the folder cannot be read ({error.strerror}); check its permissions"
        ) from error
    for file in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
        try:
            captures.append(CaptureFile(str(file), _first_ts_ns(str(file))))
        except UnreadableInputError as error:
            notes.append(f"passed over {error}")
    if not captures:
        raise UnreadableInputError(str(folder), "no capture (pcap or pcapng) in this folder")
    return captures, notes


def _first_ts_ns(path: str) -> int:
    with open_capture(path, _LEAST_BYTES) as reader:
        try:
            block = next(iter(reader), None)
        except UnreadableInputError:
            return 0  # it is a capture; what is wrong inside is told when it is read
    return 0 if block is None or not len(block.ts_ns) else int(block.ts_ns[0])


def count_frames(path: str) -> tuple[int, int]:
    """Return how many frames a capture holds and their bytes on the wire."""
    frames = wire = 0
    with open_capture(path) as reader:
        for block in reader:
            frames += len(block.ts_ns)
            wire += int(block.wire_bytes.sum(dtype=np.int64))
    return frames, wire

"""Byte streams of captures: a file or standard input, plain or compressed, told by magic bytes."""

import errno
import gzip
import io
import lzma
import sys
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import zstandard

from fwid_agent.errors import UnreadableInputError

STDIN = "-"
_GZIP, _XZ, _ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
# What the decompressors raise for a stream that is damaged or ends too early.
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError)


class _Reads(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...


class _Counting(io.RawIOBase):
    """Counts what is read of the file itself, compressed or not: the measure of progress."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        got = cast(_Reads, self._raw).readinto(memoryview(cast(bytearray, buffer))) or 0
        self.count += got
        return got


class ByteStream:
    """The uncompressed bytes of one input.

    Raises:
        UnreadableInputError: it does not exist, may not be read, is a folder, or is damaged.

    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.offset = 0  # of the next byte, uncompressed
        self.total_bytes: int | None = None  # of the input itself; None for a stream
        try:
            raw = sys.stdin.buffer if path == STDIN else cast(BinaryIO, Path(path).open("rb"))  # noqa: SIM115 - closed in close()
            if path != STDIN:
                self.total_bytes = Path(path).stat().st_size
        except OSError as error:
            raise UnreadableInputError(path, _explain(error)) from error
        self._raw = raw
        self._counting = _Counting(raw)
        buffered = io.BufferedReader(self._counting, 1 << 16)
        try:
            self._data = _decompress(buffered)
        except OSError as error:
            raise UnreadableInputError(path, _explain(error)) from error

    @property
    def bytes_read(self) -> int:
        """Bytes of the input itself that have been read."""
        return self._counting.count

    def fill(self, buffer: memoryview) -> int:
        """Fill the buffer as far as the stream goes; fewer bytes than asked for mean its end."""
        filled = 0
        try:
            while filled < len(buffer):
                got = self._data.readinto(buffer[filled:])
                if not got:
                    break
                filled += got
        except _DAMAGE as error:
            self.offset += filled
            reason = f"the compressed stream is damaged or cut short ({error})"
            raise UnreadableInputError(self.path, reason, self.offset) from error
        except OSError as error:
            raise UnreadableInputError(self.path, _explain(error), self.offset) from error
        self.offset += filled
        return filled

    def close(self) -> None:
        """Let go of the file; standard input stays open."""
        if self.path != STDIN:
            self._raw.close()


def _decompress(buffered: "io.BufferedReader[_Counting]") -> _Reads:
    magic = buffered.peek(len(_XZ))[: len(_XZ)]
    if magic.startswith(_GZIP):
        return cast(_Reads, gzip.GzipFile(fileobj=buffered))
    if magic.startswith(_XZ):
        return cast(
            _Reads, io.BufferedReader(cast(io.RawIOBase, lzma.LZMAFile(cast(BinaryIO, buffered))))
        )
    if magic.startswith(_ZSTD):
        reader = zstandard.ZstdDecompressor().stream_reader(buffered, read_across_frames=True)
        return cast(_Reads, reader)
    return cast(_Reads, buffered)


def _explain(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "no such file"
    if error.errno == errno.EISDIR:
        return "is a folder; give a capture file"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "may not be read by this user; check its permissions"
    return error.strerror or str(error)

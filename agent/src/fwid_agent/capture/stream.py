"""Byte streams of captures: a file or standard input, plain or compressed, told by magic bytes."""

import errno
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import zstandard

from fwid_agent.errors import UnreadableInputError

STDIN = "-"
_GZIP, _XZ, _ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
_CHUNK_BYTES = 1 << 16
# Four bytes of zstd can stand for a block of 128 KiB, so this bounds what one piece unpacks to.
_ZSTD_PIECE_BYTES = 1 << 10
# What the decompressors raise for a stream that is damaged or ends too early.
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError)


def is_stream(path: str) -> bool:
    """Say whether an input can be read but once: standard input, a pipe, a device."""
    place = Path(path)
    return path == STDIN or (place.exists() and not place.is_file() and not place.is_dir())


class _Fills(Protocol):
    """Reads no more than once for a call, so that an error loses nothing that was read before."""

    def readinto1(self, buffer: memoryview, /) -> int: ...


class _Reads(Protocol):
    def readinto(self, buffer: memoryview, /) -> int | None: ...


class _Reads1(Protocol):
    def read1(self, size: int, /) -> bytes: ...


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
        UnreadableInputError: it does not exist or may not be read.

    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.offset = 0  # of the next byte, uncompressed
        self.total_bytes: int | None = None  # of the input itself; None for a stream
        self.fault: UnreadableInputError | None = None  # what ended the stream before its end
        try:
            self._raw = sys.stdin.buffer if path == STDIN else _open(path)
            if not is_stream(path):
                self.total_bytes = Path(path).stat().st_size
        except OSError as error:
            raise UnreadableInputError(path, _explain(error)) from error
        self._counting = _Counting(self._raw)
        try:
            self._data = _decompress(io.BufferedReader(self._counting, _CHUNK_BYTES))
        except OSError as error:
            self.close()
            raise UnreadableInputError(path, _explain(error)) from error

    @property
    def bytes_read(self) -> int:
        """Bytes of the input itself that have been read."""
        return self._counting.count

    def fill(self, buffer: memoryview) -> int:
        """Fill the buffer as far as the stream goes and return how far.

        Fewer bytes than asked for mean the end, or damage: then `fault` says what is wrong.
        """
        filled = 0
        try:
            while filled < len(buffer):
                # Larger ones go past the reader's buffer, and what was in it is lost on an error.
                piece = buffer[filled : filled + _CHUNK_BYTES]
                got = self._data.readinto1(piece)
                if not got:
                    break
                filled += got
        except _DAMAGE as error:
            self._fail(f"the compressed stream is damaged or cut short ({error})", filled)
        except OSError as error:
            self._fail(_explain(error), filled)
        self.offset += filled
        return filled

    def close(self) -> None:
        """Let go of the file; standard input stays open."""
        if self.path != STDIN:
            self._raw.close()

    def _fail(self, reason: str, filled: int) -> None:
        self.fault = UnreadableInputError(self.path, reason, self.offset + filled)


class _Unpacked:
    """Hands on what a decompressor gives, chunk by chunk.

    Readers that fill a large buffer in one call lose what they unpacked when they meet damage.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readinto1(self, buffer: memoryview, /) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = memoryview(chunk)
        got = min(len(buffer), len(self._rest))
        buffer[:got] = self._rest[:got]
        self._rest = self._rest[got:]
        return got


def _open(path: str) -> BinaryIO:
    return Path(path).open("rb")


def _decompress(buffered: "io.BufferedReader[_Counting]") -> _Fills:
    magic = buffered.peek(len(_XZ))[: len(_XZ)]
    if magic.startswith(_GZIP):
        return _Unpacked(_read_chunks(gzip.GzipFile(fileobj=buffered)))
    if magic.startswith(_XZ):
        return _Unpacked(_read_chunks(lzma.LZMAFile(cast(BinaryIO, buffered))))
    if magic.startswith(_ZSTD):
        return _Unpacked(_unpack_zstd(buffered))
    return cast(_Fills, buffered)


def _read_chunks(file: _Reads1) -> Iterator[bytes]:
    while chunk := file.read1(_CHUNK_BYTES):
        yield chunk


def _unpack_zstd(buffered: _Reads1) -> Iterator[bytes]:
    """Unpack frame after frame; zstandard's own reader takes a cut stream for a whole one."""
    decompressor = zstandard.ZstdDecompressor()
    frame = None
    while piece := buffered.read1(_ZSTD_PIECE_BYTES):
        while piece:
            frame = frame or decompressor.decompressobj()
            yield frame.decompress(piece)
            piece = frame.unused_data if frame.eof else b""
            frame = None if frame.eof else frame
    if frame:
        raise EOFError("it ends inside a zstd frame")


def _explain(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "no such file"
    if error.errno == errno.EISDIR:
        return "is a folder; give a capture file"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "may not be read by this user; check its permissions"
    return error.strerror or str(error)

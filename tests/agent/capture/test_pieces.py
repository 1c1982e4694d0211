"""A stream read by a thread: nothing is lost, nobody waits for longer than they said."""

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from fwid_agent.capture.pieces import PieceReader


@pytest.fixture
def pipe() -> Iterator[tuple[Callable[[], bytes], int]]:
    """Return what reads a pipe, and the end to write to, which the test closes."""
    reading, writing = os.pipe()
    yield lambda: os.read(reading, 100), writing
    os.close(reading)


def test_everything_comes_once_and_in_order() -> None:
    """Also more than may wait at a time, and what was there before the end."""
    pieces = [b"%d," % n for n in range(1000)]
    source = iter([*pieces, b""])
    reader = PieceReader(lambda: next(source))
    got = b""
    while piece := reader.take(5):
        got += piece
    assert got == b"".join(pieces)
    assert piece == b""
    assert reader.take(0) == b""


def test_silence_is_none(pipe: tuple[Callable[[], bytes], int]) -> None:
    """Nothing has come yet is not the same as the end."""
    read, writing = pipe
    reader = PieceReader(read)
    assert reader.take(0.05) is None
    os.write(writing, b"piece")
    assert reader.take(5) == b"piece"
    os.close(writing)
    assert reader.take(5) == b""


def test_an_error_comes_after_what_was_read() -> None:
    """A connection that breaks takes nothing with it that had come."""
    source = iter([b"a", b"b"])

    def read() -> bytes:
        for piece in source:
            return piece
        raise ConnectionResetError("reset")

    reader = PieceReader(read)
    got = b""
    while got != b"ab":
        got += reader.take(5) or b""
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            reader.take(5)


def test_small_pieces_are_gathered(pipe: tuple[Callable[[], bytes], int]) -> None:
    """What comes within a moment is one piece, for each block costs something."""
    read, writing = pipe
    reader = PieceReader(read)
    os.write(writing, b"a")
    threading.Timer(0.02, os.write, (writing, b"b")).start()
    assert reader.take(5) == b"ab"
    os.close(writing)
    assert reader.take(5) == b""


def test_a_stream_that_nobody_takes_waits() -> None:
    """What waits is bounded, and dropping it frees the thread."""
    count = 0

    def read() -> bytes:
        nonlocal count
        count += 1
        return b"x" * 1000 if count < 500 else b""

    reader = PieceReader(read)
    time.sleep(0.1)
    assert count < 100
    until = time.monotonic() + 10
    while count < 500 and time.monotonic() < until:
        reader.drop()
        time.sleep(0.001)
    assert count == 500

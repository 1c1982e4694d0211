"""A capture through a pipe: each frame as it comes, and a clear end."""

import os
import time
from collections.abc import Callable, Iterator

import pytest
from fwid_agent.capture.pipe import PipeCapture
from fwid_agent.errors import CaptureEndedError

from tests.made_captures import START_NS, Frame, as_read, frames_of, pcap, pcapng, some_frames


class Pipe:
    """Both ends; the writing one is ours."""

    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        self.capture = PipeCapture(reading, "-")

    def write(self, data: bytes) -> None:
        os.write(self.writing, data)

    def read(self, count: int) -> list[Frame]:
        frames: list[Frame] = []
        while len(frames) < count:
            block = self.capture.read(5)
            frames += frames_of(block) if block else []
        return frames


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    monkeypatch.setattr(time, "time_ns", lambda: START_NS)
    made = Pipe()
    with made.capture:
        yield made


@pytest.mark.parametrize("make", [pcap, pcapng])
def test_frames_come_before_the_stream_ends(
    pipe: Pipe, make: Callable[[list[Frame]], bytes]
) -> None:
    """A frame that is whole is given although its stream goes on, and silence is no end."""
    data = make(some_frames(4))
    pipe.write(data[:-3])
    assert pipe.read(3) == as_read(some_frames(4))[:3]
    assert pipe.capture.read(0) is None
    pipe.write(data[-3:])
    assert pipe.read(1) == as_read(some_frames(4))[3:]


def test_a_wrong_clock_is_told_and_corrected(pipe: Pipe) -> None:
    """A router that has not got the time yet: its frames are of now."""
    pipe.write(pcap([Frame(b"frame", 5 * 10**9)]))
    assert pipe.read(1) == as_read([Frame(b"frame", START_NS)])
    (said,) = pipe.capture.notes
    assert said.startswith("-: its clock is 1,699,999,995 s behind ours; that is corrected")


def test_the_end_is_told(pipe: Pipe) -> None:
    """Whoever sent has stopped: nothing will come any more, and that stays so."""
    pipe.write(pcap(some_frames(2)))
    os.close(pipe.writing)
    assert pipe.read(2) == as_read(some_frames(2))
    for _ in range(2):
        with pytest.raises(CaptureEndedError, match=r"^-: the capture has ended$"):
            pipe.capture.read(5)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "nothing came"),
        (pcap(some_frames(1))[:-1], "cut off in the middle"),
        (b"tcpdump: no such device\n", "is no pcap or pcapng"),
        (b"\x1f\x8b\x08\x00" * 20, "is no pcap or pcapng"),
    ],
    ids=["nothing", "half a frame", "an error's text", "compressed"],
)
def test_what_is_no_capture_is_told(pipe: Pipe, data: bytes, reason: str) -> None:
    """One line that says what is wrong with which input."""
    pipe.write(data)
    os.close(pipe.writing)
    with pytest.raises(CaptureEndedError, match=f"-: .*{reason}"):
        pipe.read(1)

"""A capture that grows gives each frame once, as soon as it is whole."""

from collections.abc import Iterable

import pytest
from fwid_agent.capture.growing import GrowingCapture
from fwid_agent.errors import UnreadableInputError
from hypothesis import given
from hypothesis import strategies as st

from tests.made_captures import Frame, as_read, frames_of, ng_block, pcap, pcapng, some_frames

CAPTURES = {"pcap": pcap, "pcapng": pcapng}


def feed(capture: GrowingCapture, pieces: Iterable[bytes]) -> list[Frame]:
    blocks = [capture.feed(piece) for piece in pieces]
    return [frame for block in blocks if block for frame in frames_of(block)]


@given(st.sampled_from(sorted(CAPTURES)), st.lists(st.integers(0, 200), max_size=30))
def test_pieces_make_no_difference(kind: str, cuts: list[int]) -> None:
    """Wherever the pieces end, empty ones included: all frames, in order, once."""
    data = CAPTURES[kind](some_frames(9))
    ends = sorted({min(cut * 3, len(data)) for cut in cuts} | {len(data)})
    capture = GrowingCapture("name")
    pieces = [data[begin:end] for begin, end in zip([0, *ends[:-1]], ends, strict=True)]
    assert feed(capture, pieces) == as_read(some_frames(9))
    assert capture.bytes_used == len(data)
    capture.end()


@pytest.mark.parametrize("kind", sorted(CAPTURES))
def test_a_frame_comes_as_soon_as_it_is_whole(kind: str) -> None:
    """Nothing waits for a full buffer: a home's quiet night is watched too."""
    make, frames = CAPTURES[kind], some_frames(5)
    capture, fed = GrowingCapture("name"), 0
    for count in range(1, 6):
        data = make(frames[:count])
        assert feed(capture, [data[fed:-1]]) == []
        assert feed(capture, [data[-1:]]) == as_read(frames[count - 1 : count])
        fed = len(data)


@pytest.mark.parametrize("piece_bytes", [1, 1 << 20])
def test_frames_before_damage_are_given_first(piece_bytes: int) -> None:
    """Damage ends a capture, and takes nothing of what was whole."""
    data = pcapng(some_frames(4)) + ng_block(6, b"", "<")
    capture = GrowingCapture("name")
    pieces = iter(data[at : at + piece_bytes] for at in range(0, len(data), piece_bytes))
    read: list[Frame] = []

    def feed_on() -> None:
        while True:
            read.extend(feed(capture, [next(pieces, b"")]))

    for _ in range(2):  # it is damaged for good
        with pytest.raises(UnreadableInputError, match=r"^name: byte \d+: a block of 12 bytes"):
            feed_on()
    assert read == as_read(some_frames(4))


@pytest.mark.parametrize("data", [b"<html><body>Please log in", b"\x1f\x8b\x08\x00"])
def test_what_is_no_capture_is_told_at_once(data: bytes) -> None:
    """An error page instead of a capture is not waited for until it is as long as a header."""
    with pytest.raises(UnreadableInputError, match="name: byte 0: is no pcap or pcapng"):
        GrowingCapture("name").feed(data[:4])


@pytest.mark.parametrize("left_out", [1, 20])
def test_end_in_the_middle_of_a_packet_is_told(left_out: int) -> None:
    """A stream that breaks off is not taken for one that ended."""
    capture = GrowingCapture("name")
    capture.feed(pcap(some_frames(3))[:-left_out])
    with pytest.raises(UnreadableInputError, match="cut off in the middle"):
        capture.end()

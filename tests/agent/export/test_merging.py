"""Captures that overlap become one: nothing is lost, and each keeps its own order."""

from pathlib import Path

import numpy as np
from fwid_agent.capture.files import find_captures
from fwid_agent.core.packets import decode_packets
from fwid_agent.export.frames import GivenFrames
from fwid_agent.export.merging import merge_captures
from fwid_agent.types import FrameBlock
from hypothesis import given
from hypothesis import strategies as st

from tests.made_captures import START_NS, Frame, pcap

# For each capture: when it begins, and the steps from frame to frame, some of them back.
CAPTURES = st.lists(
    st.tuples(st.integers(0, 50), st.lists(st.integers(-3, 20), max_size=30)),
    min_size=1,
    max_size=6,
)


def as_they_are(block: FrameBlock) -> GivenFrames:
    """Give every frame of a block as it is."""
    ends = block.offsets + block.captured_bytes
    frames = [
        block.buffer[begin:end] for begin, end in zip(block.offsets, ends, strict=True)
    ]  # fmt: skip
    return GivenFrames(np.concatenate(frames), block.captured_bytes, block.wire_bytes, block.ts_ns)


@given(CAPTURES)
def test_captures_are_merged_by_their_clocks(
    tmp_path_factory: "object", captures: list[tuple[int, list[int]]]
) -> None:
    """Every frame once, whole, in its capture's order, and not before an earlier one of another."""
    folder: Path = tmp_path_factory.mktemp("captures")  # type: ignore[attr-defined]
    clocks = []
    for number, (begin, steps) in enumerate(captures):
        seconds = begin + np.cumsum([0, *steps])
        frames = [
            Frame(bytes([number, place]) * (7 + place % 5), START_NS + int(second) * 10**9)
            for place, second in enumerate(seconds)
        ]
        (folder / f"{number}.pcap").write_bytes(pcap(frames))
        clocks.append(np.maximum.accumulate(seconds))
    given_ = list(merge_captures(find_captures([str(folder)]).captures, as_they_are))
    order = []
    for part in given_:
        at = 0
        for length in part.length.tolist():
            frame = part.buffer[at : at + length].tobytes()
            at += length
            assert frame == frame[:2] * (7 + frame[1] % 5)
            order.append((frame[0], frame[1]))
    for number, clock in enumerate(clocks):
        assert [place for which, place in order if which == number] == list(range(len(clock)))
    times = [int(clocks[which][place]) for which, place in order]
    assert times == sorted(times)


def test_frames_are_decoded_as_before(tmp_path: Path) -> None:
    """Merging a single capture changes nothing in it."""
    frames = [Frame(bytes(range(20 + each)), START_NS - each) for each in range(9)]
    (tmp_path / "one.pcap").write_bytes(pcap(frames, nanoseconds=True))
    seen: list[FrameBlock] = []

    def give(block: FrameBlock) -> GivenFrames:
        seen.append(block)
        return as_they_are(block)

    merged = list(merge_captures(find_captures([str(tmp_path)]).captures, give))
    assert np.concatenate([part.ts_ns for part in merged]).tolist() == [
        START_NS - each for each in range(9)
    ]
    assert sum(len(decode_packets(block)) for block in seen) == 9

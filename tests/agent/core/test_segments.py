"""Merged frames cut into their segments: as many, as long and as flagged as on the wire."""

import numpy as np
from fwid_agent.core.segments import split_segments
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.core.batches import ACK, TCP, batch_of, freeze, packet

_FIN, _PUSH = 0x01, 0x08
_merged = st.lists(
    st.tuples(st.integers(0, 70_000), st.sampled_from([0, 0, 1, 536, 1448])),
    min_size=1,
    max_size=6,
)


def cut_plainly(payload: int, segment: int) -> list[int]:
    """Payload of each packet, as the sender's card cuts it."""
    if segment == 0:
        return [payload]
    pieces = [min(segment, payload - at) for at in range(0, payload, segment)]
    return pieces or [payload]


@given(_merged)
def test_segments_are_those_that_were_sent(given_frames: list[tuple[int, int]]) -> None:
    """Sizes, in order, and no byte more or less; the last segment bears PSH and FIN."""
    limited = [(payload % 3000 if segment == 1 else payload, segment)
               for payload, segment in given_frames]  # fmt: skip
    batch = batch_of(
        [
            packet((1, 2), (3, 4), proto=TCP, tcp_flags=ACK | _PUSH | _FIN, ts_ns=number,
                   payload_bytes=payload, size_bytes=payload + 52, wire_bytes=payload + 66)
            for number, (payload, _) in enumerate(limited)
        ]
    )  # fmt: skip
    segments = np.array([segment for _, segment in limited], np.uint16)
    split = split_segments(freeze(batch), segments)
    expected = [cut_plainly(*one) for one in limited]
    flat = [piece for pieces in expected for piece in pieces]
    assert split.payload_bytes.tolist() == flat
    assert (split.size_bytes - split.payload_bytes).tolist() == [52] * len(flat)
    assert (split.wire_bytes - split.payload_bytes).tolist() == [66] * len(flat)
    assert split.ts_ns.tolist() == [n for n, pieces in enumerate(expected) for _ in pieces]
    ends = [n == len(pieces) - 1 for pieces in expected for n in range(len(pieces))]
    assert ((split.tcp_flags & (_FIN | _PUSH)) > 0).tolist() == ends


def test_frames_of_files_are_left_alone() -> None:
    """Where nothing is kept beside the frames, they are as they were on the wire."""
    batch = batch_of([packet((1, 2), (3, 4), proto=TCP, payload_bytes=9000, size_bytes=9052)])
    assert split_segments(batch, None) is batch

"""Copies of frames: of mirror ports, of interfaces, of captures of one time, and nothing else."""

import itertools
import random
from dataclasses import replace

import numpy as np
from fwid_agent.core.copies import (
    COPY_WITHIN_NS,
    MAX_REMEMBERED,
    CopyFilter,
    InterfaceFilter,
    find_near,
)
from fwid_agent.core.packets import decode_packets
from fwid_agent.types import Bools, FrameBlock
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

_MS = 1_000_000
_SOURCE, _TARGET = "02:00:00:00:00:01", "02:00:00:00:00:02"


def block_of(frames: list[bytes], ts_ns: list[int]) -> FrameBlock:
    sizes = np.array([len(one) for one in frames], np.uint32)
    offsets = (np.cumsum(sizes) - sizes).astype(np.int64)
    columns = np.zeros(len(frames), np.uint16)
    times = np.array(ts_ns, np.int64)
    buffer = np.frombuffer(b"".join(frames), np.uint8)
    return FrameBlock(buffer, offsets, sizes, sizes.copy(), times, columns + 1, columns)


def kept(frames: list[bytes], ts_ns: list[int], at: int | None = None) -> Bools:
    """Run the filter over the frames, in two blocks where `at` says so."""
    copies = CopyFilter()
    cuts = [0, len(frames)] if at is None else [0, at, len(frames)]
    parts = []
    for begin, end in itertools.pairwise(cuts):
        block = block_of(frames[begin:end], ts_ns[begin:end])
        parts.append(copies.keep(block, decode_packets(block)))
    return np.concatenate(parts)


def tcp(number: int, data: bytes = b"", tag: int = 0, **fields: int) -> bytes:
    """One segment, numbered by its IP id and sequence number."""
    layers = Ether(src=_SOURCE, dst=_TARGET)
    if tag:
        layers /= Dot1Q(vlan=tag)
    packet = IP(src="10.0.0.2", dst="8.8.8.8", id=fields.get("ip_id", number))
    return bytes(layers / packet / TCP(sport=50_000, dport=443, seq=number, flags="A") / Raw(data))


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_each_copy_is_dropped_once_whatever_the_blocks(seed: int, at: int) -> None:
    """Frames doubled by a mirror count once; the first of them stays."""
    rng = random.Random(seed)
    frames, times, expected = [], [], []
    now_ns = 10**18
    for number in range(30):
        now_ns += rng.choice([0, 1000, 5 * _MS, 50 * _MS])
        frames.append(tcp(number, rng.randbytes(rng.choice([0, 3, 200]))))
        times.append(now_ns)
        expected.append(True)
        if rng.random() < 0.5:
            now_ns += rng.choice([0, 1000, COPY_WITHIN_NS])
            frames.append(frames[-1])
            times.append(now_ns)
            expected.append(False)
    assert kept(frames, times, min(at, len(frames))).tolist() == expected


def test_a_copy_may_have_lost_its_tag_or_gained_padding() -> None:
    """A mirror port sees a frame once with its VLAN tag and once without."""
    bare, tagged = tcp(1), tcp(1, tag=7)
    padded = bare + bytes(60 - len(bare))
    assert len(padded) > len(bare)
    assert kept([bare, tagged, padded], [0, 10, 20]).tolist() == [True, False, False]


def test_what_differs_is_no_copy() -> None:
    """Another sequence number, IP id, length or direction is another frame."""
    back = bytes(Ether(src=_TARGET, dst=_SOURCE)) + tcp(1)[14:]
    different = [tcp(1), tcp(2), tcp(1, ip_id=9), tcp(1, b"more"), back]
    assert kept(different, [0] * 5).all()


def test_the_same_later_is_no_copy() -> None:
    """A retransmission with the same bytes comes later than a mirror's copy."""
    late = [0, COPY_WITHIN_NS + 1]
    assert kept([tcp(1), tcp(1)], late).all()
    assert kept([tcp(1), tcp(1)], late, at=1).all()


def test_a_capture_without_clock_remembers_but_so_many() -> None:
    """All frames at one time cannot grow the memory."""
    one = bytes(Ether(src=_SOURCE, dst=_TARGET) / IP(src="10.0.0.2", dst="10.0.0.3") / UDP())
    count = MAX_REMEMBERED + 100
    frames = np.frombuffer(one * count, np.uint8).reshape(count, -1).copy()
    frames[:, 18:20] = np.arange(count, dtype=">u2").view(np.uint8).reshape(-1, 2)
    frames[:, 38:42] = np.arange(count, dtype=">u4").view(np.uint8).reshape(-1, 4)
    block = block_of([row.tobytes() for row in frames], [0] * count)
    copies = CopyFilter()
    assert copies.keep(block, decode_packets(block)).all()
    again = copies.keep(block, decode_packets(block))
    assert int((~again).sum()) >= MAX_REMEMBERED
    other = replace(block, ts_ns=block.ts_ns + 10**12)
    assert copies.keep(other, decode_packets(other)).all()


# --- several interfaces --------------------------------------------------------------------------

Event = tuple[int, int, int]  # what was sent, when, and on which interface


def kept_of_interfaces(events: list[Event], cuts: list[int]) -> list[bool]:
    """Run the filter over frames of several interfaces, in blocks."""
    copies = InterfaceFilter()
    kept: list[bool] = []
    for begin, end in itertools.pairwise([0, *sorted(cuts), len(events)]):
        part = events[begin:end]
        block = block_of([tcp(number) for number, _, _ in part], [ts_ns for _, ts_ns, _ in part])
        block = replace(block, source=np.array([source for _, _, source in part], np.uint16))
        answer = copies.keep(block, decode_packets(block))
        kept += [True] * len(part) if answer is None else answer.tolist()
    return kept


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 40), max_size=3))
def test_what_two_interfaces_show_counts_once(seed: int, cuts: list[int]) -> None:
    """Each frame that was sent counts once, also one sent twice and one shown by one alone."""
    rng = random.Random(seed)
    events: list[Event] = []
    sent = 0
    now_ns = 10**18
    for number in range(15):
        now_ns += rng.choice([5 * _MS, 50 * _MS])
        shown_by = rng.choice([[0], [1], [0, 1], [1, 0]])
        for again in range(rng.choice([1, 1, 1, 2])):  # sent again at once, by the device itself
            sent += 1
            for late, source in enumerate(shown_by):
                events.append((number, now_ns + again * 3 * _MS + late * 1000, source))
    kept = kept_of_interfaces(events, [min(cut, len(events)) for cut in cuts])
    assert sum(kept) == sent


def test_one_interface_is_left_alone() -> None:
    """What comes twice on a single one was sent twice: nothing is looked for, and nothing lost."""
    copies = InterfaceFilter()
    block = block_of([tcp(1)] * 5, [0, 1, 2, 3, 4])
    assert copies.keep(block, decode_packets(block)) is None


def test_the_same_on_another_interface_later_is_no_copy() -> None:
    """Files of two mornings, joined into one of two interfaces, are two mornings."""
    late = COPY_WITHIN_NS + 1
    assert kept_of_interfaces([(1, 0, 0), (1, late, 1)], []) == [True, True]
    assert kept_of_interfaces([(1, 0, 0), (2, 5, 1), (1, late, 1)], [1, 2]) == [True] * 3


@settings(max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 5)), max_size=12),
    st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 5)), max_size=12),
)
def test_frames_of_another_capture_are_found_as_plain_loops_find_them(
    ours: list[tuple[int, int]], others: list[tuple[int, int]]
) -> None:
    """Alike, and close in time on either side: clocks of two captures need not agree."""

    def columns(frames: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        return (
            np.array([hashed for hashed, _ in frames], np.uint64),
            np.array([ts_ns for _, ts_ns in frames], np.int64),
        )

    expected = [any(a == b and abs(t - u) <= 2 for b, u in others) for a, t in ours]
    assert find_near(*columns(ours), *columns(others), within_ns=2).tolist() == expected

"""Several sources of one network: every frame once, however late and however often it is shown."""

import random
from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.core.merging import MAX_REMEMBERED, SHOWN_WITHIN_NS, SourceMerge
from fwid_agent.core.packets import decode_packets
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.agent.core.test_copies import block_of, tcp

_MS = 1_000_000
_ARP = bytes.fromhex("ffffffffffff020000000001 0806 00010800060400010200000000010a000002") + bytes(
    10
)

_SEGMENTS = [tcp(number) for number in range(12)]


def keep(merge: SourceMerge, source: int, frames: list[bytes], ts_ns: list[int]) -> list[bool]:
    """Show frames as a source does."""
    block = block_of(frames, ts_ns)
    block = replace(block, source=np.full(len(frames), source, np.uint16))
    return merge.keep(block, decode_packets(block)).tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 4))
def test_each_frame_counts_once_whoever_shows_it(seed: int, sources: int) -> None:
    """Sources that miss frames, are late, have clocks of their own, and cut their blocks anywhere.

    What is kept is, of each content, as many as the source that shows most of it.
    """
    rng = random.Random(seed)
    alphabet = [_ARP, *_SEGMENTS]
    sent = [(rng.choice(alphabet), number * 300 * _MS) for number in range(rng.randrange(40))]
    queues = []
    for _ in range(sources):
        offset_ns = rng.choice([0, 20_000 * _MS, -20_000 * _MS])
        missing = rng.choice([0.0, 0.3])
        queues.append([(f, t + offset_ns + 10**18) for f, t in sent if rng.random() >= missing])
    expected = {
        frame: max(sum(shown == frame for shown, _ in queue) for queue in queues)
        for frame in alphabet
    }
    merge, kept = SourceMerge(), []
    while any(queues):
        source = rng.choice([number for number in range(sources) if queues[number]])
        count = rng.randint(1, 8)
        part, queues[source] = queues[source][:count], queues[source][count:]
        frames = [frame for frame, _ in part]
        new = keep(merge, source, frames, [ts_ns for _, ts_ns in part])
        kept += [frame for frame, is_new in zip(frames, new, strict=True) if is_new]
    assert {frame: kept.count(frame) for frame in alphabet} == expected


def test_one_source_alone_has_no_copies() -> None:
    """What a device truly sends again is not taken for another source's."""
    merge = SourceMerge()
    assert keep(merge, 3, [_ARP] * 3, [0, 1, 2]) == [True] * 3
    assert keep(merge, 3, [_ARP], [3]) == [True]


def test_a_block_may_hold_several_sources() -> None:
    """As a capture of two interfaces does."""
    merge = SourceMerge()
    block = block_of([tcp(1), tcp(1), tcp(2), tcp(2)], [0, 1, 2, 3])
    block = replace(block, source=np.array([0, 1, 1, 0], np.uint16))
    assert merge.keep(block, decode_packets(block)).tolist() == [True, False, False, True]


def test_what_was_shown_long_ago_is_another_frame() -> None:
    """The same bytes much later are sent again."""
    merge = SourceMerge()
    assert keep(merge, 0, [tcp(1)], [0]) == [True]
    keep(merge, 0, [tcp(2)], [SHOWN_WITHIN_NS + 1])
    assert keep(merge, 1, [tcp(1)], [SHOWN_WITHIN_NS + 1]) == [True]


@pytest.mark.parametrize("ts_ns", [0, 1])
def test_memory_is_bounded(ts_ns: int) -> None:
    """A flood is forgotten, also where all its frames bear one time."""
    merge = SourceMerge()
    count = 1 << 14
    block = block_of([tcp(1)] * count, [0] * count)
    batch = decode_packets(block)
    rng = np.random.default_rng(1)
    for number in range(2 * MAX_REMEMBERED // count):
        other = replace(batch, src_mac=rng.integers(0, 2**48, count, np.uint64))
        merge.keep(replace(block, ts_ns=block.ts_ns + ts_ns * number), other)
    assert len(merge._hash) == MAX_REMEMBERED

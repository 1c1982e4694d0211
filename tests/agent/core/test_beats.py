"""A period is told of packets that come regularly, whatever blocks they are read in."""

from collections import defaultdict

import numpy as np
from fwid_agent.core.beats import BeatBook
from hypothesis import given
from hypothesis import strategies as st

SECOND = 10


def tell(log_gaps: list[tuple[int, float]], cuts: list[int]) -> list[tuple[int, int]]:
    """Which gaps (by their place) end a series, and the period; read in blocks."""
    book, told = BeatBook(), []
    for begin, end in zip([0, *cuts], [*cuts, len(log_gaps)], strict=True):
        part = log_gaps[begin:end]
        slot = np.array([slot for slot, _ in part], np.int64)
        order = np.argsort(slot, kind="stable")
        gaps = np.array([gap for _, gap in part], np.float64)
        beats = book.update(slot[order], order + begin, gaps[order])
        told += list(zip(beats.contribution.tolist(), beats.period.tolist(), strict=True))
    return sorted(told)


def tell_one_by_one(log_gaps: list[tuple[int, float]]) -> list[int]:
    """The same in the plainest way: which gaps end three silences in a row that are alike."""
    silences: dict[int, list[float]] = defaultdict(list)
    told = []
    for place, (slot, gap) in enumerate(log_gaps):
        if -0.5 <= gap <= 5:
            silences[slot].append(gap)
            last = silences[slot][-3:]
            if len(last) == 3 and all(abs(gap - each) <= 0.0212 for each in last[:2]):
                told.append(place)
    return told


GAP = st.one_of(st.sampled_from([-3.0, 0.3, 0.31, 0.33, 1.0, 1.78, 6.0]), st.floats(-6, 6))


@given(
    st.lists(st.tuples(st.integers(0, 3), GAP), max_size=40),
    st.lists(st.integers(0, 40), max_size=3),
)
def test_beats_are_the_same_in_any_blocks(
    log_gaps: list[tuple[int, float]], cuts: list[int]
) -> None:
    """Where a block of packets ends says nothing of the device."""
    cuts = sorted(min(cut, len(log_gaps)) for cut in cuts)
    assert [place for place, _ in tell(log_gaps, cuts)] == tell_one_by_one(log_gaps)
    assert tell(log_gaps, cuts) == tell(log_gaps, [])


@given(st.sampled_from([1, 5, 15, 30, 60, 120, 300, 3600]), st.integers(0, 2**32))
def test_a_chosen_period_is_told_as_it_was_chosen(seconds: int, seed: int) -> None:
    """Jitter of some percent never makes a neighbour of it, so nothing comes and goes by chance."""
    jitter = np.random.default_rng(seed).uniform(0.985, 1.015, 20)
    told = tell([(0, float(each)) for each in np.log10(seconds * jitter)], [])
    assert {period for _, period in told} == {seconds * SECOND}


def test_another_device_with_the_index_of_a_forgotten_one_begins_anew() -> None:
    """The silences of one are no part of the other's series."""
    book, gap = BeatBook(), np.array([1.0])
    for _ in range(2):
        book.update(np.array([7]), np.array([0]), gap)
    book.forget(np.array([7, 900]))
    assert not len(book.update(np.array([7]), np.array([0]), gap).period)

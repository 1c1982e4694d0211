"""A remote machine's wrong clock moves its frames' times, never the gaps between them."""

import numpy as np
import pytest
from fwid_agent.capture.remote_clock import ANY_AGE_NS, TOLERATED_NS, RemoteClock
from hypothesis import given
from hypothesis import strategies as st

from tests.made_captures import Frame, block_of

SECOND_NS = 1_000_000_000
NOW_NS = 1_700_000_000 * SECOND_NS
NOTES: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_said() -> None:
    NOTES.clear()


def times(clock: RemoteClock, times_ns: list[int], now_ns: int) -> list[int]:
    block = block_of([Frame(b"frame", ts_ns) for ts_ns in times_ns])
    return clock.correct(block, now_ns, NOTES).ts_ns.tolist()


@given(st.integers(-TOLERATED_NS, TOLERATED_NS))
def test_a_clock_that_is_set_is_believed(behind_ns: int) -> None:
    """Within a minute frames keep their own times: arrival is later, and in bursts."""
    sent = [NOW_NS - behind_ns - 5, NOW_NS - behind_ns]
    clock = RemoteClock("router")
    assert times(clock, sent, NOW_NS) == sent
    assert clock.offset_ns == 0


@given(
    # Beyond what is tolerated, also at the last of the frames.
    st.integers(TOLERATED_NS + 6 * SECOND_NS, NOW_NS)
    | st.integers(-NOW_NS, -TOLERATED_NS - SECOND_NS),
    st.lists(st.integers(0, SECOND_NS), min_size=1, max_size=5),
)
def test_a_wrong_clock_keeps_the_gaps(behind_ns: int, gaps_ns: list[int]) -> None:
    """A router that starts in 1970 until it has the time: frames lie now, as far apart as sent."""
    clock = RemoteClock("router")
    sent = (NOW_NS - behind_ns + np.cumsum(gaps_ns)).tolist()
    got = times(clock, sent, NOW_NS)
    assert got[-1] == NOW_NS
    assert np.diff(got).tolist() == np.diff(sent).tolist()
    # The next block is moved by as much, however late it comes.
    later = sent[-1] + 3 * SECOND_NS
    assert times(clock, [later], NOW_NS + 10 * SECOND_NS) == [NOW_NS + 3 * SECOND_NS]


def test_a_clock_that_is_set_later_is_believed_from_then_on() -> None:
    """NTP reaches the router after a while: its times are taken as they are again."""
    clock = RemoteClock("router")
    assert times(clock, [0], NOW_NS) == [NOW_NS]
    assert NOTES == ["router: its clock is 1,700,000,000 s behind ours; that is corrected"]
    for _ in range(3):
        assert times(clock, [NOW_NS + SECOND_NS], NOW_NS + SECOND_NS) == [NOW_NS + SECOND_NS]
    assert NOTES[1:] == ["router: its clock agrees with ours again"]


def test_old_frames_of_files_keep_their_times() -> None:
    """A file is read later than it was written; only what has not happened yet cannot be."""
    clock = RemoteClock("folder", ANY_AGE_NS)
    assert times(clock, [SECOND_NS], NOW_NS) == [SECOND_NS]
    ahead_ns = NOW_NS + 100 * SECOND_NS
    assert times(clock, [ahead_ns], NOW_NS) == [NOW_NS]
    assert NOTES == ["folder: its clock is 100 s ahead of ours; that is corrected"]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3))
def test_times_that_cannot_be_break_nothing(sent: list[int]) -> None:
    """Damaged stamps are any 64 bits; the last frame of a block is then of now."""
    assert abs(times(RemoteClock("router"), sent, NOW_NS)[-1] - NOW_NS) <= TOLERATED_NS


def test_no_frames_tell_nothing() -> None:
    """An empty block is as it was."""
    clock = RemoteClock("router")
    assert times(clock, [], NOW_NS) == []
    assert clock.offset_ns == 0

"""By which time is forgotten what is old: never by that of a clock that is wrong for a while."""

from fwid_agent.core.age import BelievedTime
from hypothesis import given
from hypothesis import strategies as st

_HOUR_NS = 3_600_000_000_000
_DAY_NS = 24 * _HOUR_NS
_NOW_NS = 20_000 * _DAY_NS
_YEARS_NS = 10 * 365 * _DAY_NS


def test_an_hour_of_a_wrong_year_makes_nothing_old() -> None:
    """Years ahead until the network tells the time: less than a day is believed of it."""
    time = BelievedTime(_NOW_NS, 0)
    assert time.follow(_NOW_NS + _YEARS_NS, _HOUR_NS) < _NOW_NS + _DAY_NS
    assert time.follow(_NOW_NS + 2 * _HOUR_NS, 2 * _HOUR_NS) == _NOW_NS + 2 * _HOUR_NS


def test_restarted_again_and_again_a_wrong_year_is_still_not_believed() -> None:
    """What was believed is stored; each start goes on from it."""
    believed = _NOW_NS
    for _ in range(20):
        believed = BelievedTime(believed, 0).follow(_NOW_NS + _YEARS_NS, _HOUR_NS // 60)
    assert believed < _NOW_NS + _DAY_NS


def test_a_month_out_of_use_is_made_up_for() -> None:
    """Else the store would keep what is older than it should, for ever."""
    time = BelievedTime(_NOW_NS - 30 * _DAY_NS, 0)
    days = [time.follow(_NOW_NS + day * _DAY_NS, day * _DAY_NS) for day in range(1, 6)]
    assert days[-1] == _NOW_NS + 5 * _DAY_NS


def test_a_first_start_in_1970_is_forgotten_at_once() -> None:
    """A new machine's first minutes bar nothing for the years until today."""
    time = BelievedTime(None, 0)
    assert time.follow(_HOUR_NS, 0) == _HOUR_NS
    assert time.follow(_NOW_NS, _HOUR_NS) == _NOW_NS


@given(
    st.lists(
        st.tuples(st.integers(_NOW_NS - 100 * _DAY_NS, 3 * _NOW_NS), st.integers(0, 10 * _DAY_NS)),
        min_size=1,
        max_size=9,
    )
)
def test_it_is_never_later_than_the_clock_nor_much_faster_than_time(
    steps: list[tuple[int, int]],
) -> None:
    """Whatever the clock shows: forgetting too little is mended later, too much never."""
    time, steady_ns, last_ns = BelievedTime(_NOW_NS, 0), 0, _NOW_NS
    for now_ns, elapsed_ns in steps:
        steady_ns += elapsed_ns
        believed_ns = time.follow(now_ns, steady_ns)
        assert believed_ns <= now_ns
        assert believed_ns <= last_ns + 10 * elapsed_ns
        last_ns = believed_ns

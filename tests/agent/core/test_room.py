"""Room: whom to forget where devices become too many, and whom never."""

from fwid_agent.core.room import Resident, choose_leavers
from hypothesis import given
from hypothesis import strategies as st

_HOUR_NS = 3_600_000_000_000
_DAY_NS = 24 * _HOUR_NS
_NOW_NS = 20_000 * _DAY_NS
_MADE_UP, _LASTING = 0x020000000000, 0x900000000000
_PLACES = 16


def _resident(number: int, *, made_up: bool = True, hours: float = 5, **more: int) -> Resident:
    mac = (_MADE_UP if made_up else _LASTING) + number
    return Resident(mac, _NOW_NS - int(hours * _HOUR_NS), **{"packets_sent": 1} | more)


def _leavers(residents: list[Resident]) -> list[int]:
    return choose_leavers(residents, _PLACES, _NOW_NS, _HOUR_NS)


def test_nobody_leaves_while_there_is_room() -> None:
    """A home with few devices never forgets one, however long it is silent."""
    assert _leavers([_resident(n, hours=10_000) for n in range(14)]) == []


def test_a_crowd_of_strangers_leaves_and_the_home_stays() -> None:
    """After a flood of made-up addresses the devices of the home are what is left."""
    home = [_resident(n, made_up=False, learned_units=7, learnt=True) for n in range(4)]
    flood = [_resident(100 + n) for n in range(12)]
    assert set(_leavers(home + flood)) == {one.mac for one in flood}


def test_who_is_heard_stays() -> None:
    """A device that has just come has no history yet, and is not taken for a passer-by."""
    crowd = [_resident(n) for n in range(15)] + [_resident(99, hours=0.5)]
    assert _resident(99).mac not in _leavers(crowd)


def test_addresses_of_a_wrong_clock_make_room_too() -> None:
    """Seen years ahead of the time that it is: that is long ago, not for ever."""
    assert len(_leavers([_resident(n, hours=-20_000) for n in range(16)])) == 16


def test_made_up_addresses_leave_first_and_the_longest_silent_of_them() -> None:
    """What has learnt equally long goes by whether its address lasts, then by its silence."""
    learning = [_resident(n, made_up=n % 2 == 0, hours=10 + n, learned_units=2) for n in range(16)]
    assert _leavers(learning) == [_MADE_UP + n for n in (14, 12, 10, 8)]


_residents = st.lists(
    st.builds(
        Resident,
        st.integers(1, 2**48 - 1).map(lambda mac: mac & ~(1 << 40)),
        st.integers(_NOW_NS - 100 * _DAY_NS, _NOW_NS),
        st.integers(0, 10**6),
        st.integers(0, 7),
        learnt=st.booleans(),
        wanted=st.booleans(),
    ),
    unique_by=lambda one: one.mac,
    max_size=40,
)


@given(_residents)
def test_nobody_is_forgotten_who_is_wanted_watched_or_heard(residents: list[Resident]) -> None:
    """Whatever a crowd there is: an alarm of a device of the home is never lost for it."""
    leaving = set(_leavers(residents))
    assert not leaving or len(residents) > _PLACES * 7 / 8
    for one in residents:
        lasting_watch = one.learnt and not one.mac & (1 << 41)
        if one.wanted or lasting_watch or _NOW_NS - one.last_seen_ns <= _HOUR_NS:
            assert one.mac not in leaving

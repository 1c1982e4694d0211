"""Whom to forget where the table of devices fills up: passers-by and made-up addresses.

What is watched stays: a device that has been learnt, and one that a person has said a word about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fwid_agent.core.devices import is_randomised

_CROWDED, _ENOUGH = 7 / 8, 3 / 4  # of the places that there are
_FEW_PACKETS = 10
# A phone that has not used an address for so long has another one.
_GONE_NS = 30 * 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class Resident:
    """What speaks for a device to stay."""

    mac: int
    last_seen_ns: int
    packets_sent: int
    learned_units: int = 0
    learnt: bool = False  # it is watched, not only learnt still
    wanted: bool = False  # a person has said something about it


def choose_leavers(
    residents: Sequence[Resident], places: int, now_ns: int, silent_ns: int
) -> list[int]:
    """Return the MACs to be forgotten: none while there is room.

    Args:
        residents: all devices.
        places: how many there are.
        now_ns: what time it is.
        silent_ns: whoever was heard within so long a time stays.

    """
    if len(residents) <= _CROWDED * places:
        return []
    leaving = sorted((one for one in residents if _may_leave(one, now_ns, silent_ns)), key=_worth)
    excess = len(residents) - int(_ENOUGH * places)
    # Who has learnt nothing has nothing to lose, so the next crowd finds room as well.
    strangers = sum(one.learned_units == 0 and not one.learnt for one in leaving)
    return [one.mac for one in leaving[: max(excess, strangers)]]


def _may_leave(one: Resident, now_ns: int, silent_ns: int) -> bool:
    # A time still to come is that of a clock that was wrong.
    silence_ns = abs(now_ns - one.last_seen_ns)
    if one.learnt:
        silent_ns = max(silent_ns, _GONE_NS)
    return not one.wanted and silence_ns > silent_ns and (not one.learnt or is_randomised(one.mac))


def _worth(one: Resident) -> tuple[bool, int, bool, bool, int]:
    """Order by who is missed least."""
    lasting = not is_randomised(one.mac)
    return (
        one.learnt,
        one.learned_units,
        lasting,
        one.packets_sent >= _FEW_PACKETS,
        one.last_seen_ns,
    )

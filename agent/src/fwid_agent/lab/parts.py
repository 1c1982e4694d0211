"""Days in parts: what is gained or lost where a unit is shorter or longer than a day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from fwid_agent.core.evidence import Judge
from fwid_agent.core.periods import make_period, select_units
from fwid_agent.core.stability import Rules
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice
from fwid_agent.lab.daily import Outcome, watch_days, weigh_days
from fwid_agent.types import UnitTable

PARTS = 4  # of a day, the shortest unit
LENGTHS: Sequence[float] = (0.25, 0.5, 1.0, 2.0)  # of a unit, in days


@dataclass(frozen=True, slots=True)
class ByLength:
    """What was told of a device where units are of this length; its outcome counts in units."""

    length_days: float
    outcome: Outcome


def stretch(device: LabelledDevice, day_ns: int) -> LabelledDevice:
    """Spread the windows of a compressed day over its date, so that parts of a day are real ones.

    Args:
        device: read in windows of a PARTS-th of its day; a session is a day.
        day_ns: how long a compressed day lasts.

    """
    windows = device.windows
    _, first, which = np.unique(windows.session, return_index=True, return_inverse=True)
    begin = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(begin, which, windows.start_ns)
    part = (windows.start_ns - begin[which]) // (day_ns // PARTS)
    date = begin[which] // DAY_NS * DAY_NS
    start = date + np.minimum(part, PARTS - 1) * (DAY_NS // PARTS)
    return replace(device, windows=replace(windows, start_ns=start))


def watch_by_length(
    device: LabelledDevice, judge: Judge, learning_days: int
) -> tuple[ByLength, ...]:
    """Watch a device in units of every length, at the same rate of false alarms a year.

    Args:
        device: as `stretch` returns it.
        judge: its chance is that of a day.
        learning_days: that are learnt before any is judged; two units at the least.

    """
    result = []
    for length in LENGTHS:
        unit_ns = int(length * DAY_NS)
        learning = max(round(learning_days / length), 2)
        rules = Rules(UUID(int=0), learning_units=learning)
        scaled = replace(judge, chance=judge.chance * length)
        days = watch_days(device.mac, _list_units(device, unit_ns), scaled, rules, unit_ns)
        result.append(ByLength(length, weigh_days(device.name, days, learning)))
    return tuple(result)


def _list_units(device: LabelledDevice, unit_ns: int) -> list[tuple[Label, UnitTable]]:
    """Return each unit; one in which versions meet is of the later one."""
    period = make_period(device.windows, "day", unit_ns)
    units = []
    for number in range(period.units):
        observed = select_units(period, [number]).observations
        units.append((device.labels[int(observed.session.max())], observed))
    return units

"""Training pairs of the row-shared twin: pictures of comparisons that are, or are not, software."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from fwid_agent.core.comparison import compare_periods
from fwid_agent.core.image import row_image
from fwid_agent.core.periods import Period, make_period
from fwid_agent.core.prior import Prior
from fwid_agent.core.synthetic import change_settings, change_software
from fwid_agent.lab.cases import DAY_NS, LabelledDevice
from fwid_agent.tables import merge_tables, select_periods
from fwid_agent.types import U1, Bools, UnitTable


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pictures of comparisons, one element a comparison."""

    pictures: U1  # [n, ROW_COUNT, ROW_COLUMNS]
    software: Bools  # [n] whether the software changed
    device: Sequence[str]


def make_pairs(
    devices: Sequence[LabelledDevice], prior: Prior, count: int, rng: np.random.Generator
) -> Pairs:
    """Draw pairs: half of them software, and of both halves some with other settings and use too.

    A pair's days are made of the device's own sessions. Half of the time they come from one date,
    half from all, so that the drift between real dates is in the pairs that count as alike.
    """
    pictures: list[U1] = []
    software: list[bool] = []
    names: list[str] = []
    usable = [device for device in devices if len(_by_date(device)) > 0]
    while len(pictures) < count:
        device = usable[int(rng.integers(len(usable)))]
        changed = bool(rng.random() < 0.5)
        baseline, test = _draw_days(device, rng)
        if rng.random() < 0.6:
            test = change_settings(test, rng)
        if changed:
            before = test
            test = change_software(test, rng)
            if test is before:
                continue  # nothing there that could be replaced
        both = [make_period(table, "day", DAY_NS) for table in (baseline, test)]
        if not all(period.units for period in both):
            continue
        pictures.append(row_image(compare_periods(*_two(both), prior)))
        software.append(changed)
        names.append(device.name)
    return Pairs(np.stack(pictures), np.array(software), names)


def _two(periods: Sequence[Period]) -> tuple[Period, Period]:
    return periods[0], periods[1]


def _by_date(device: LabelledDevice) -> list[list[int]]:
    """Sessions of each date with at least four of them."""
    dates: dict[int, set[int]] = {}
    for start, session in zip(device.windows.start_ns, device.windows.session, strict=True):
        dates.setdefault(int(start) // DAY_NS, set()).add(int(session))
    return [sorted(sessions) for sessions in dates.values() if len(sessions) > 3]


def _draw_days(device: LabelledDevice, rng: np.random.Generator) -> tuple[UnitTable, UnitTable]:
    """Make two to seven baseline days and one to three test days of the device's sessions."""
    dates = _by_date(device)
    if rng.random() < 0.5:
        sessions = dates[int(rng.integers(len(dates)))]
        before = after = sessions
    else:
        sessions = [session for date in dates for session in date]
        before, after = sessions, dates[int(rng.integers(len(dates)))]
    days_before, days_after = int(rng.integers(2, 8)), int(rng.integers(1, 4))
    a_day = int(rng.integers(1, 4))
    return (
        _days(device.windows, before, range(days_before), a_day, rng),
        _days(device.windows, after, range(days_before, days_before + days_after), a_day, rng),
    )


def _days(
    windows: UnitTable, sessions: Sequence[int], days: range, a_day: int, rng: np.random.Generator
) -> UnitTable:
    parts = []
    for day in days:
        for number, session in enumerate(rng.choice(np.array(sessions), a_day)):
            part = select_periods(windows, np.flatnonzero(windows.session == session))
            moved = np.full(len(part), day * DAY_NS)
            own = np.full(len(part), day * 16 + number, np.int32)
            parts.append(merge_tables([replace(part, start_ns=moved, session=own)]))
    return merge_tables(parts)

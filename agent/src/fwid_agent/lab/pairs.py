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
from fwid_agent.lab.known_days import Drawn, KnownDays
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
    """Draw pairs, about half of them software.

    Where versions are known day by day, most pairs are real: two versions, or one version in two
    settings. All others are made up of a device's own days, and of both halves some with other
    settings and use too. Where a device was set up again and again, days are made of its sessions:
    half of the time of one date, half of all, so that the drift between real dates is in the pairs
    that count as alike.
    """
    pictures: list[U1] = []
    software: list[bool] = []
    names: list[str] = []
    sources = _find_sources(devices)
    while len(pictures) < count:
        name, source = sources[int(rng.integers(len(sources)))]
        drawn = source.draw(rng)
        pair = drawn if drawn is None or drawn.software is not None else _make_up(drawn, rng)
        if pair is None or pair.software is None:
            continue
        both = [make_period(table, "day", DAY_NS) for table in (pair.baseline, pair.test)]
        if not all(period.units for period in both):
            continue
        pictures.append(row_image(compare_periods(*_two(both), prior)))
        software.append(pair.software)
        names.append(name)
    return Pairs(np.stack(pictures), np.array(software), names)


def _find_sources(devices: Sequence[LabelledDevice]) -> list[tuple[str, "SetUps | KnownDays"]]:
    sources: list[tuple[str, SetUps | KnownDays]] = []
    for device in devices:
        known = KnownDays.of(device)
        dates = _by_date(device)
        if known is not None:
            sources.append((device.name, known))
        elif dates:
            sources.append((device.name, SetUps(device.windows, dates)))
    return sources


def _make_up(pair: Drawn, rng: np.random.Generator) -> Drawn | None:
    """Change days of one version: their software, their settings, both or neither."""
    test = pair.test
    if rng.random() < 0.6:
        test = change_settings(test, rng)
    if rng.random() < 0.5:
        return replace(pair, test=test, software=False)
    changed = change_software(test, rng)
    if changed is test:
        return None  # nothing there that could be replaced
    return replace(pair, test=changed, software=True)


@dataclass(frozen=True, slots=True)
class SetUps:
    """A device that was set up again and again; nothing is known of its versions."""

    windows: UnitTable
    dates: Sequence[Sequence[int]]  # sessions of each date

    def draw(self, rng: np.random.Generator) -> Drawn:
        """Make two to seven baseline days and one to three test days of the device's sessions."""
        if rng.random() < 0.5:
            sessions = self.dates[int(rng.integers(len(self.dates)))]
            before = after = sessions
        else:
            before = [session for date in self.dates for session in date]
            after = self.dates[int(rng.integers(len(self.dates)))]
        days_before, days_after = int(rng.integers(2, 8)), int(rng.integers(1, 4))
        later = range(days_before, days_before + days_after)
        a_day = int(rng.integers(1, 4))
        return Drawn(
            _days(self.windows, before, range(days_before), a_day, rng),
            _days(self.windows, after, later, a_day, rng),
            None,
        )


def _two(periods: Sequence[Period]) -> tuple[Period, Period]:
    return periods[0], periods[1]


def _by_date(device: LabelledDevice) -> list[list[int]]:
    """Sessions of each date with at least four of them."""
    dates: dict[int, set[int]] = {}
    for start, session in zip(device.windows.start_ns, device.windows.session, strict=True):
        dates.setdefault(int(start) // DAY_NS, set()).add(int(session))
    return [sorted(sessions) for sessions in dates.values() if len(sessions) > 3]


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

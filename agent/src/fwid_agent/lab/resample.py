"""Years of a device that never changes: captures of one version, drawn anew for each day.

A simulation. It is kind where a device does something only once a month, which is not among a dozen
captures, and unkind where a rare capture is drawn on two days in a row, exactly alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np

from fwid_agent.core.evidence import Judge
from fwid_agent.core.periods import make_period, select_units
from fwid_agent.core.stability import Rules
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice, label_of
from fwid_agent.lab.daily import Outcome, watch_days, weigh_days
from fwid_agent.types import UnitTable

LEAST_CAPTURES = 5
YEAR_DAYS = 365


def run_years(
    devices: Sequence[LabelledDevice], judge: Judge, learning_units: int, years: int, seed: int
) -> Iterator[Outcome]:
    """Watch so many device-years in all, by turns of the devices that have captures enough."""
    pools = [(device, pool) for device in devices if (pool := one_version(device))]
    rng = np.random.default_rng(seed)
    rules = Rules(UUID(int=0), learning_units=learning_units)
    for number in range(years if pools else 0):
        device, pool = pools[number % len(pools)]
        drawn = rng.integers(0, len(pool), learning_units + YEAR_DAYS)
        units = ((Label("same"), _on_day(pool[which], day)) for day, which in enumerate(drawn))
        days = watch_days(device.mac, units, judge, rules)
        yield weigh_days(device.name, days, learning_units)


def one_version(device: LabelledDevice) -> list[UnitTable]:
    """Return the most captures that are of one version: known to be, or else of one date.

    One in one set-up: a setting or an address that was changed once and for good would come and go
    from day to day. The day of an update has two versions in it and is left out.
    """
    files = make_period(device.windows, "file", DAY_NS)
    groups: dict[tuple[str, str, str, int], list[int]] = {}
    for unit in range(files.units):
        label = label_of(device, files, unit)
        if label.update == "episode":
            continue
        date = 0 if label.version else int(files.start_ns[unit]) // DAY_NS
        setup = (label.version, label.settings, label.address, date)
        groups.setdefault(setup, []).append(unit)
    most = max(groups.values(), key=len, default=[])
    if len(most) < LEAST_CAPTURES:
        return []
    return [select_units(files, [unit]).observations for unit in most]


def _on_day(unit: UnitTable, day: int) -> UnitTable:
    return replace(
        unit,
        start_ns=np.full(len(unit), day * DAY_NS),
        session=np.full(len(unit), day, np.int32),
    )

"""What a household has to learn from: labelled devices' days, and one that none is learnt from.

Every device gives its own newest days, so that one that was off for a while is not forgotten. The
newest day of the home is kept apart, and models are measured on it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fwid_agent.store import Store
from fwid_agent.types import F4, FlowDay

WINDOW_DAYS = 7  # docs/identification.md: longer ones last longer, and a week is what was measured
LEAST_DAYS = 4  # of a device: three to learn from, one to measure on
FLOWS_LEARNT = 100  # of a device's day, so that time and memory have bounds
_LOOK_BACK_DAYS = 28
_LEAST_FLOWS = 5  # of a day: fewer say nothing
_FLOOD, _FLOOD_FLOWS = 10, 100  # times the device's median day, and not less than this


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """Some of a device's flows of one day."""

    device: int  # MAC
    start_ns: int
    values: F4  # [n, 19]


@dataclass(frozen=True, slots=True)
class Household:
    """The days of a home, and what its devices are said to be."""

    labels: Mapping[int, str]  # of those that have days enough
    categories: Mapping[str, str | None]  # of labels
    learnt: tuple[Day, ...]  # to learn from
    held: tuple[Day, ...]  # the newest day of each device that has it
    strangers: tuple[Day, ...] = ()  # days of devices that nobody said what they are
    flooded: tuple[tuple[int, int], ...] = ()  # device, start_ns of days that were left out
    newest_ns: int = 0  # start of the day that is measured on
    unit_ns: int = 0  # how long a day is
    doubted: Mapping[int, str] = field(default_factory=dict)  # device -> label not believed

    def believe(
        self, instead: Mapping[int, str], categories: Mapping[str, str | None]
    ) -> "Household":
        """Return the home with other labels for some devices: those that they had before."""
        doubted = {device: self.labels[device] for device in instead}
        return replace(
            self,
            labels={**self.labels, **instead},
            categories={**categories, **self.categories},
            doubted=doubted,
        )


def read_household(store: Store, unit_ns: int, now_ns: int) -> Household:
    """Read what a store has; a day that is not over yet is left out."""
    kinds = store.labelled()
    days = [day for day in store.flows() if day.start_ns + unit_ns <= now_ns]
    labels = {device: kind.label for device, kind in kinds.items()}
    categories: dict[str, str | None] = {}
    for kind in kinds.values():
        categories[kind.label] = categories.get(kind.label) or kind.category
    return make_household(days, labels, categories, unit_ns)


def make_household(
    days: Iterable[FlowDay],
    labels: Mapping[int, str],
    categories: Mapping[str, str | None],
    unit_ns: int,
) -> Household:
    """Part the days into those to learn from and the newest one.

    Args:
        days: of all devices.
        labels: what devices are said to be.
        categories: of labels.
        unit_ns: how long a day is.

    """
    of_device: dict[int, list[FlowDay]] = {}
    for day in days:
        if len(day.values) >= _LEAST_FLOWS:
            # A file that is a unit of its own begins when it likes: a day is a day all the same.
            begins_ns = day.start_ns // unit_ns * unit_ns
            of_device.setdefault(day.device, []).append(replace(day, start_ns=begins_ns))
    newest_ns = _newest(of_device, labels)
    if newest_ns is None:
        return Household({}, {}, (), ())
    kept, learnt, held, strangers, flooded = {}, list[Day](), list[Day](), list[Day](), []
    since_ns = newest_ns - _LOOK_BACK_DAYS * unit_ns
    for device, all_days in sorted(of_device.items()):
        own = sorted(all_days, key=lambda day: day.start_ns)
        own = [day for day in own if since_ns <= day.start_ns <= newest_ns]
        calm = _without_floods(own)
        left = {day.start_ns for day in calm}
        flooded += [(device, day.start_ns) for day in own if day.start_ns not in left]
        newest = [day for day in calm if day.start_ns == newest_ns]
        before = [day for day in calm if day.start_ns < newest_ns][-WINDOW_DAYS:]
        if device not in labels:
            strangers += map(_shorten, before)
        elif len(before) + len(newest) >= LEAST_DAYS:
            kept[device] = labels[device]
            learnt += map(_shorten, before)
            held += map(_shorten, newest)
    told = {label: categories.get(label) for label in kept.values()}
    parts = (tuple(learnt), tuple(held), tuple(strangers), tuple(flooded))
    return Household(kept, told, *parts, newest_ns, unit_ns)


def _newest(of_device: Mapping[int, Sequence[FlowDay]], labels: Mapping[int, str]) -> int | None:
    """Return the newest day on which most of the labelled devices that are ever on are."""
    known = [
        {day.start_ns for day in days} for device, days in of_device.items() if device in labels
    ]
    for start_ns in sorted(set().union(*known), reverse=True):
        if 2 * sum(start_ns in days for days in known) > len(known):
            return int(start_ns)
    return None


def _without_floods(days: Sequence[FlowDay]) -> list[FlowDay]:
    """Leave days out that have many times the flows of the device's usual one."""
    if not days:
        return []
    usual = float(np.median([day.seen for day in days]))
    most = max(_FLOOD * usual, _FLOOD_FLOWS)
    return [day for day in days if day.seen <= most]


def _shorten(day: FlowDay) -> Day:
    """Take the first flows of a sample, which are a sample of their own."""
    return Day(day.device, day.start_ns, day.values[:FLOWS_LEARNT])

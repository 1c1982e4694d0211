"""A home of six devices with 14 days of real flows, and what may go wrong in it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from fwid_agent.core.flow_features import FLOW_FEATURES
from fwid_agent.identify.identifier import Identifier
from fwid_agent.lab.identification.samples import Home, Reading, Timeouts, load_home
from fwid_agent.retrain.days import Household, make_household
from fwid_agent.types import FlowDay

CORPUS = Path(__file__).parents[2] / "data" / "made-corpus"
DAY_NS = 86_400_000_000_000
FIRST_NS = 20_000 * DAY_NS


@cache
def read_corpus() -> Home:
    """Read once."""
    return load_home(CORPUS, Reading(Timeouts(10, 20)), lambda _: None)


def labels() -> dict[int, str]:
    """What each device is: its MAC is its number."""
    return {number + 1: name for number, name in enumerate(read_corpus().devices)}


def categories() -> dict[str, str | None]:
    home = read_corpus()
    return dict(zip(home.devices, home.categories, strict=True))


def flow_days(first: int, end: int) -> list[FlowDay]:
    """The days from `first` up to before `end`."""
    home = read_corpus()
    found = []
    for number in range(len(home.devices)):
        for day in range(first, end):
            values = home.values[(home.device == number) & (home.day == day)].astype(np.float32)
            found.append(FlowDay(number + 1, FIRST_NS + day * DAY_NS, len(values), values))
    return found


def household(days: Iterable[FlowDay], said: Mapping[int, str] | None = None) -> Household:
    """A home with these days, in which devices are said to be this."""
    return make_household(days, labels() if said is None else said, categories(), DAY_NS)


def swapped(one: int, other: int) -> dict[int, str]:
    """Two devices under each other's name."""
    true = labels()
    return {**true, one: true[other], other: true[one]}


def flood(days: Iterable[FlowDay], device: int, day: int, times: int) -> list[FlowDay]:
    """On one day a device has so many times its flows, of which none is like any other."""
    rng = np.random.default_rng(day)
    result = []
    for each in days:
        if each.device == device and each.start_ns == FIRST_NS + day * DAY_NS:
            seen = each.seen * times
            junk = rng.lognormal(4, 4, (min(seen, 256), len(FLOW_FEATURES)))
            junk[:, :2] = rng.integers(1, 65_536, (len(junk), 2))
            result.append(replace(each, seen=seen, values=junk.astype(np.float32)))
        else:
            result.append(each)
    return result


def worth(model: Identifier, days: Iterable[FlowDay]) -> int:
    """Device-days that are called what the device truly is, less those that are called another."""
    true = labels()
    said = [(model.identify(day.values).label, true[day.device]) for day in days]
    return sum((name == own) - (name is not None and name != own) for name, own in said)

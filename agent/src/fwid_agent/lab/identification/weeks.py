"""Eight weeks of a home whose devices are updated, with retraining on the device and without.

No corpus here is eight weeks long. Each device's days of all homes are put one behind the other, in
the order of its versions and, within a version, in the order in which they were recorded; what is
missing is filled with days of the same version that are drawn again. Days that are drawn again are
learnt from and never asked about, so that no answer is about a day that was seen.

Retraining is the agent's own (retrain.attempt), guard and all.
"""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from fwid_agent.errors import UsageError
from fwid_agent.identify.identifier import Identifier
from fwid_agent.identify.kept import read_shipped
from fwid_agent.lab.identification.experiments import OnStep, Row, Table
from fwid_agent.lab.identification.samples import DAY_NS, Home
from fwid_agent.retrain.attempt import try_retraining
from fwid_agent.retrain.days import make_household
from fwid_agent.retrain.models import Recipe
from fwid_agent.retrain.trees import Growth
from fwid_agent.types import FLOWS_KEPT, FlowDay

WEEKS, WEEK = 8, 7
FIRST = 8  # days until the first model: seven to learn from, one to measure on
NEVER, WEEKLY, CHANGES = "none", "weekly", "weekly and after a change"
PLANS = (NEVER, WEEKLY, CHANGES)
_SETTLE = 1  # days that a version has been there before it is learnt
_BASE_NS = 20_000 * DAY_NS
_GROWTH = Growth(trees=40)  # instead of 100: fifty forests and their calibration take long


@dataclass(frozen=True, slots=True)
class LongDay:
    """One of a device's days."""

    flows: FlowDay
    version: int
    again: bool  # drawn again: it is learnt from and not asked about


@dataclass(frozen=True, slots=True)
class LongHome:
    """Eight weeks of a home."""

    days: tuple[LongDay, ...]
    labels: dict[int, str]
    categories: dict[str, str | None]

    def before(self, day: int) -> list[FlowDay]:
        """What has happened until that morning."""
        return [each.flows for each in self.days if _number(each) < day]

    def on(self, day: int) -> list[LongDay]:
        """The days that are asked about then."""
        return [each for each in self.days if _number(each) == day and not each.again]

    def changes(self) -> dict[int, int]:
        """Return how many devices have a new version on each day."""
        found: dict[int, int] = {}
        last: dict[int, int] = {}
        for each in sorted(self.days, key=_number):
            device = each.flows.device
            if last.setdefault(device, each.version) != each.version:
                found[_number(each)] = found.get(_number(each), 0) + 1
                last[device] = each.version
        return found


def _number(day: LongDay) -> int:
    return (day.flows.start_ns - _BASE_NS) // DAY_NS


def make_long(homes: Sequence[Home], seed: int) -> LongHome:
    """Put the days of homes with the same devices one behind the other.

    Raises:
        UsageError: the versions of a device are not known.

    """
    first = homes[0]
    rng = np.random.default_rng(seed)
    days: list[LongDay] = []
    for device in range(len(first.devices)):
        places = [
            (int(version), at, int(day))
            for at, home in enumerate(homes)
            for day in np.unique(home.day[home.device == device]).tolist()
            for version in [_version_of(home, device, day)]
        ]
        if any(not first.versions[version] for version, *_ in places):
            raise UsageError(f"{first.devices[device]}: its version is not known on every day")
        for number, (version, at, day, again) in enumerate(_order(places, first.versions, rng)):
            flows = _flows(homes[at], (device, day), number)
            days.append(LongDay(flows, version, again))
    labels = {number + 1: name for number, name in enumerate(first.devices)}
    categories: dict[str, str | None] = dict(zip(first.devices, first.categories, strict=True))
    return LongHome(tuple(days), labels, categories)


def _version_of(home: Home, device: int, day: int) -> int:
    """Return the version of most flows of a device's day: one may change in the middle."""
    which = (home.device == device) & (home.day == day)
    return int(np.bincount(home.version[which]).argmax())


def _order(
    places: Sequence[tuple[int, int, int]], names: Sequence[str], rng: np.random.Generator
) -> Iterator[tuple[int, int, int, bool]]:
    """Yield version, home, day and whether it is drawn again, as many as there are to be."""
    versions = sorted({version for version, *_ in places}, key=lambda each: _natural(names[each]))
    missing = max(WEEKS * WEEK - len(places), 0)
    share = np.array([sum(place[0] == version for place in places) for version in versions])
    ends = np.round(np.cumsum(share) / share.sum() * missing).astype(int)
    given = 0
    for version, end, begin in zip(versions, ends, (0, *ends[:-1]), strict=True):
        own = [place for place in places if place[0] == version]
        drawn = [own[at] for at in rng.integers(0, len(own), end - begin)]
        for again, part in ((False, own), (True, drawn)):
            for _, at, day in part:
                if given < WEEKS * WEEK:
                    yield version, at, day, again
                given += 1


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]


def _flows(home: Home, which: tuple[int, int], number: int) -> FlowDay:
    device, day = which
    values = home.values[(home.device == device) & (home.day == day)].astype(np.float32)
    order = np.random.default_rng([device, day]).permutation(len(values))[:FLOWS_KEPT]
    return FlowDay(device + 1, _BASE_NS + number * DAY_NS, len(values), values[order])


def weeks(homes: Sequence[Home], seed: int, on_step: OnStep) -> Table:
    """Return how many device-days are right in each week, by when models are trained."""
    home = make_long(homes, seed)
    changes = home.changes()
    table: Table = []
    with ProcessPoolExecutor(len(PLANS), get_context("spawn")) as pool:
        asked = {plan: pool.submit(run_plan, home, plan) for plan in PLANS}
        for plan, rows in asked.items():
            on_step(f"retraining: {plan}")
            for week, row in enumerate(rows.result(), 1):
                days = range((week - 1) * WEEK, week * WEEK)
                changed = sum(changes.get(day, 0) for day in days)
                table.append({"retraining": plan, "week": week, "changes": changed} | row)
    return table


def run_plan(home: LongHome, plan: str) -> Table:
    """Live through eight weeks; gives a row a week."""
    used, row, table = read_shipped(), _nothing(), list[Row]()
    tried = accepted = -WEEKS * WEEK
    changes = home.changes()
    for day in range(WEEKS * WEEK):
        if day >= FIRST and is_due(plan, day, (tried, accepted), changes):
            household = make_household(home.before(day), home.labels, home.categories, DAY_NS)
            attempt = try_retraining(household, used, Recipe("forest", growth=_GROWTH))
            tried, row["attempts"] = day, row["attempts"] + 1
            if not attempt.fault:
                used, accepted, row["accepted"] = attempt.model, day, row["accepted"] + 1
        if day >= FIRST:
            _ask(used, home, day, row)
        if day % WEEK == WEEK - 1:
            table.append(_shares(row))
            row = _nothing()
    return table


def is_due(plan: str, day: int, last: tuple[int, int], changes: dict[int, int]) -> bool:
    """Say whether a model is trained on a morning, by when one was tried and accepted last."""
    tried, accepted = last
    if accepted < 0:
        return True
    if plan == NEVER:
        return False
    if day - tried >= WEEK:
        return True
    settled = [each for each in changes if each >= FIRST and accepted < each + 1 + _SETTLE <= day]
    return plan == CHANGES and bool(settled)


def _nothing() -> Row:
    return dict.fromkeys(("days", "right", "wrong", "refused", "attempts", "accepted"), 0)


def _ask(used: Identifier, home: LongHome, day: int, row: Row) -> None:
    for each in home.on(day):
        answer = used.identify(each.flows.values)
        name = home.labels[each.flows.device]
        row["days"] += 1
        row["right"] += answer.label == name
        row["refused"] += answer.label is None
        row["wrong"] += answer.label not in {None, name}
        row["likeliest"] = row.get("likeliest", 0) + (answer.candidate == name)


def _shares(row: Row) -> Row:
    days = row["days"]
    likeliest = row.pop("likeliest", 0)
    shares = {"right_share": row["right"], "likeliest_share": likeliest}
    told = {name: round(n / days, 4) if days else None for name, n in shares.items()}
    return row | told

"""Slow drift, simulated: how much of it is told, and how much is learnt along with it.

Plain days of one version are drawn anew, and from a day on something moves by a little more each
day: the volume of all that the device sends, or a packet size of its own that ever more of its
packets have instead of the old one. Nobody's firmware changes at once, so no alarm is demanded: the
curve shows where the detector begins to see a change, as it looks at days and the baseline moves
along.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

import numpy as np

from fwid_agent.core.evidence import Judge
from fwid_agent.core.periods import make_period, select_units
from fwid_agent.core.stability import Rules
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice, label_of
from fwid_agent.lab.corpus.model import Hard
from fwid_agent.lab.daily import ALARMS, watch_days
from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    SENT,
    EventType,
    TokenKind,
    UnitTable,
)

SPEEDS: Sequence[float] = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # share moved in a day
CALM_DAYS = 7  # after what is learnt
LEAST_DAYS = 4
_SIZE_KINDS = (TokenKind.SIZE, TokenKind.FIRST_SIZE)
_STEP_BYTES = 4
_FOR_GOOD = (Hard.SETTINGS, Hard.NEW_IP)  # what is as on such a day from then on


class What(StrEnum):
    """What drifts."""

    VOLUME = "volume"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class DriftPlan:
    """Which drifts are tried."""

    seed: int
    speeds: Sequence[float] = SPEEDS
    days: int = 40


@dataclass(frozen=True, slots=True)
class Drifted:
    """What was told of a device that drifts."""

    device: str
    what: What
    speed: float
    alarmed_after: int | None  # days of drift until an alarm, the first one included
    different_after: int | None  # until it was told that the device behaves differently


def drift_device(
    device: LabelledDevice, judge: Judge, learning: int, plan: DriftPlan
) -> Iterator[Drifted]:
    """Watch a device at every speed; none where it has too few plain days of one version."""
    pool = plain_days(device)
    if len(pool) < LEAST_DAYS:
        return
    rng = np.random.default_rng(plan.seed)
    begin = learning + CALM_DAYS
    drawn = rng.integers(0, len(pool), begin + plan.days)
    rules = Rules(UUID(int=0), learning_units=learning)
    cell = _fixture(pool)
    for what in What:
        if what is What.SIZE and cell is None:
            continue
        for speed in plan.speeds:
            units = []
            for day, which in enumerate(drawn):
                gone = speed * max(day - begin + 1, 0)
                unit = _on_day(pool[which], day)
                if what is What.VOLUME:
                    unit = _grow(unit, gone)
                elif cell is not None:
                    unit = _move_size(unit, cell, min(gone, 1.0))
                units.append((Label("same"), unit))
            days = watch_days(device.mac, units, judge, rules)[begin:]
            told = [set(day.told) for day in days]
            yield Drifted(
                device.name,
                what,
                speed,
                _first([bool(each & set(ALARMS)) for each in told]),
                _first([EventType.BEHAVES_DIFFERENTLY in each for each in told]),
            )


def plain_days(device: LabelledDevice) -> list[UnitTable]:
    """Return the most days in a row of one version and one setting, without the hard ones."""
    period = make_period(device.windows, "day", DAY_NS)
    best: list[int] = []
    here: list[int] = []
    before = ""
    for unit in range(period.units):
        label = label_of(device, period, unit)
        if label.version != before or label.hard in _FOR_GOOD:
            here, before = [], label.version
        if label.version and not label.hard:
            here = [*here, unit]
            best = max(best, here, key=len)
    return [select_units(period, [unit]).observations for unit in best]


def _first(told: Sequence[bool]) -> int | None:
    return told.index(True) + 1 if True in told else None


def _on_day(unit: UnitTable, day: int) -> UnitTable:
    return replace(
        unit,
        start_ns=np.full(len(unit), day * DAY_NS),
        session=np.full(len(unit), day, np.int32),
    )


def _grow(unit: UnitTable, gone: float) -> UnitTable:
    """Let the device send (1 + gone) times as much, in the same sizes."""
    sums, tokens = unit.sums.copy(), unit.tokens.copy()
    sums[:, SENT] *= 1 + gone
    here = SENT[tokens["row"]]
    tokens["count"][here] = np.round(tokens["count"][here] * (1 + gone)).astype(np.int64)
    return replace(unit, sums=sums, tokens=tokens)


def _fixture(pool: Sequence[UnitTable]) -> tuple[int, int] | None:
    """Return row and value of the size that the device sends most, of those of every capture."""
    counts: dict[tuple[int, int], int] = {}
    seen: dict[tuple[int, int], int] = {}
    for unit in pool:
        tokens = unit.tokens
        tokens = tokens[SENT[tokens["row"]] & (tokens["kind"] == TokenKind.SIZE)]
        told = set()
        for row, value, count in zip(
            tokens["row"].tolist(), tokens["value"].tolist(), tokens["count"].tolist(), strict=True
        ):
            counts[row, value] = counts.get((row, value), 0) + count
            told.add((row, value))
        for cell in told:
            seen[cell] = seen.get(cell, 0) + 1
    always = [cell for cell, days in seen.items() if days == len(pool)]
    return max(always, key=lambda cell: (counts[cell], cell), default=None)


def _move_size(unit: UnitTable, cell: tuple[int, int], share: float) -> UnitTable:
    """Let a share of the packets of one size have another; of few packets, whole ones."""
    row, old = cell
    tokens = unit.tokens
    here = (tokens["row"] == row) & (tokens["value"] == old) & np.isin(tokens["kind"], _SIZE_KINDS)
    moved = tokens[here].copy()
    moved["value"] = old + _STEP_BYTES
    count = np.round(moved["count"] * share).astype(np.int64)
    rest = tokens.copy()
    rest["count"][here] = tokens["count"][here] - count
    moved["count"] = count
    joined = np.concatenate([rest[rest["count"] > 0], moved[count > 0]])
    joined = joined[np.argsort(joined["period"], kind="stable")]
    # What the mean size moves by is less than it varies.
    return merge_tables([replace(unit, tokens=joined)])

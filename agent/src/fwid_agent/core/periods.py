"""From windows to periods: observations, the units they belong to, and the visits of units.

A *unit* (a calendar day, or a file) is the independent observation. A *visit* is the units that
begin within a night of its first: sessions recorded one after the other on one date are alike in
ways that another date breaks (peers, addresses, servers), so a comparison across a pause counts
visits. Days in a row are a visit each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fwid_agent.tables import group_pairs, merge_tables, select_periods
from fwid_agent.types import I4, I8, SUM_INDEX, UnitTable

UnitKind = Literal["day", "file"]
VISIT_PAUSE_NS = 12 * 3600 * 1_000_000_000  # a night: what is nearer is of the same visit


@dataclass(frozen=True, slots=True)
class Period:
    """Baseline or test: what was observed, and which unit each observation belongs to."""

    observations: UnitTable  # one a session and unit, in order of time
    unit: I4  # [n] index of the observation's unit, 0 .. units - 1, in order of time
    start_ns: I8  # [units] when each unit's traffic began
    end_ns: I8  # [units] start of its last window

    @property
    def units(self) -> int:
        """How many independent observations there are."""
        return len(self.start_ns)


def make_period(windows: UnitTable, kind: UnitKind, unit_ns: int) -> Period:
    """Add windows up into observations and say which unit each is part of.

    Units without a packet are left out: a device that was off was not observed.

    Args:
        windows: one device's windows.
        kind: "day" makes every `unit_ns` of the epoch one unit, "file" every session.
        unit_ns: length of a day; shorter where laboratory time is compressed.

    """
    windows = select_periods(windows, np.argsort(windows.start_ns, kind="stable"))
    labels = windows.session.astype(np.int64) if kind == "file" else windows.start_ns // unit_ns
    packets = windows.sums[:, :, SUM_INDEX["packets"]].sum(axis=1)
    if (labels[1:] > labels[:-1]).all() and (packets > 0).all():
        # A unit each, as in a baseline that was kept.
        each = np.arange(len(labels), dtype=np.int32)
        return Period(windows, each, windows.start_ns, windows.start_ns)
    # An observation is a session's part of a unit; one without a packet is no observation.
    _, first, place = group_pairs(labels, windows.session)
    spoken = np.flatnonzero((np.bincount(place, packets, len(first)) > 0)[place])
    windows, labels = select_periods(windows, spoken), labels[spoken]
    heard = packets[spoken] > 0
    _, first, number = np.unique(labels, return_index=True, return_inverse=True)
    in_time = np.argsort(np.argsort(first)).astype(np.int32)  # label rank -> rank in time
    unit = in_time[number]
    count = len(first)
    start = np.full(count, np.iinfo(np.int64).max)
    end = np.zeros(count, np.int64)
    np.minimum.at(start, unit[heard], windows.start_ns[heard])
    np.maximum.at(end, unit[heard], windows.start_ns[heard])
    # Equal (session, start) are added: the unit's number stands in for the start meanwhile.
    merged = replace(windows, start_ns=unit.astype(np.int64))
    if not (unit[1:] > unit[:-1]).all():
        merged = merge_tables([merged])
    observation_unit = merged.start_ns.astype(np.int32)
    return Period(replace(merged, start_ns=start[observation_unit]), observation_unit, start, end)


def select_units(period: Period, keep: Sequence[int]) -> Period:
    """Return the period of only these units, renumbered in the order given."""
    number = np.full(period.units, -1, np.int32)
    number[list(keep)] = np.arange(len(keep), dtype=np.int32)
    rows = np.flatnonzero(number[period.unit] >= 0)
    order = list(keep)
    return Period(
        select_periods(period.observations, rows),
        number[period.unit[rows]],
        period.start_ns[order],
        period.end_ns[order],
    )


def replicates(baseline: Period, test: Period) -> tuple[I4, I4]:
    """Number the replicates of both periods: units, or visits where a pause parts the periods.

    Returns:
        [baseline units] and [test units] replicate index of each unit, from 0 in each period.

    """
    if _apart(baseline, test):
        return _visits(baseline), _visits(test)
    return np.arange(baseline.units, dtype=np.int32), np.arange(test.units, dtype=np.int32)


def _apart(baseline: Period, test: Period) -> bool:
    """Say whether no unit of the test lies within a visit of the baseline."""
    pause = VISIT_PAUSE_NS
    near = (test.start_ns[:, None] <= baseline.end_ns[None, :] + pause) & (
        baseline.start_ns[None, :] <= test.end_ns[:, None] + pause
    )
    return not near.any()


def _visits(period: Period) -> I4:
    starts_ns: list[int] = period.start_ns.tolist()
    visit, begin_ns = 0, starts_ns[0]
    visits = []
    for start_ns in starts_ns:
        if start_ns - begin_ns > VISIT_PAUSE_NS:
            visit, begin_ns = visit + 1, start_ns
        visits.append(visit)
    return np.array(visits, np.int32)

"""A watch as text, so that a later run goes on where this one stopped.

The traffic itself lies in the store's units; the text says which of them are the baseline, which
wait, and which belong to earlier versions.
"""

from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from fwid_agent.core.evidence import Own
from fwid_agent.core.scan import Watch
from fwid_agent.core.stability import DeviceState, from_json, to_json
from fwid_agent.errors import StoreError
from fwid_agent.tables import merge_tables, select_periods
from fwid_agent.types import UnitTable


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Observations are named by session number and when their unit began, in nanoseconds."""

    state: str
    judged_ns: int  # start of the newest unit that was judged
    baseline: list[tuple[int, int]]
    waiting: list[tuple[int, int]]
    earlier: dict[int, list[tuple[int, int]]]
    own: Own
    newest: list[tuple[int, int]] = field(default_factory=list)


def write_watch(watch: Watch, judged_ns: int) -> str:
    """Write a watch; units are named, their traffic is not repeated."""
    remembered = _Remembered(
        to_json(watch.state),
        judged_ns,
        _names(watch.baseline),
        _names(watch.waiting),
        {version: _names(table) for version, table in watch.earlier.items()},
        watch.own,
        _names(watch.newest),
    )
    return msgspec.json.encode(remembered).decode()


def read_watch(text: str, units: UnitTable, unit_ns: int) -> tuple[Watch, int]:
    """Read a watch and when its newest judged unit began.

    Args:
        text: what `write_watch` gave.
        units: the device's traffic, one period a unit and session; units that are no longer kept
            are left out of the watch.
        unit_ns: length of those periods, which begin at its multiples.

    Raises:
        StoreError: the text is damaged.

    """
    remembered, state = _decode(text)
    earlier = {
        version: table
        for version, names in remembered.earlier.items()
        if (table := _find(units, names, unit_ns)) is not None
    }
    watch = Watch(
        state,
        _find(units, remembered.baseline, unit_ns),
        _find(units, remembered.newest, unit_ns),
        _find(units, remembered.waiting, unit_ns),
        earlier,
        remembered.own,
    )
    return watch, remembered.judged_ns


def remembers_since(text: str, unit_ns: int) -> int:
    """When the first unit began that a watch is made of; raises StoreError where it is damaged."""
    remembered, _ = _decode(text)
    named = (remembered.baseline, remembered.newest, remembered.waiting)
    starts = [start for names in (*named, *remembered.earlier.values()) for _, start in names]
    return min(starts, default=remembered.judged_ns) // unit_ns * unit_ns


def read_watch_state(text: str) -> DeviceState:
    """Read only the state of a watch; raises StoreError."""
    return _decode(text)[1]


def write_state(text: str, state: DeviceState, *, forget: bool) -> str:
    """Put another state into a watch's text; `forget` also empties what it has learnt."""
    remembered, _ = _decode(text)
    remembered = replace(remembered, state=to_json(state))
    if forget:
        remembered = replace(remembered, baseline=[], newest=[], waiting=[], earlier={}, own=Own())
    return msgspec.json.encode(remembered).decode()


def _decode(text: str) -> tuple[_Remembered, DeviceState]:
    try:
        remembered = msgspec.json.decode(text, type=_Remembered)
        return remembered, from_json(remembered.state)
    except (msgspec.DecodeError, ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"the memory of a device is damaged ({error}); restore a backup"
        ) from error


def _names(table: UnitTable | None) -> list[tuple[int, int]]:
    if table is None:
        return []
    return sorted(set(zip(table.session.tolist(), table.start_ns.tolist(), strict=True)))


def _find(units: UnitTable, names: list[tuple[int, int]], unit_ns: int) -> UnitTable | None:
    begun = {(session, start // unit_ns * unit_ns): start for session, start in names}
    here = list(zip(units.session.tolist(), units.start_ns.tolist(), strict=True))
    rows = np.flatnonzero([name in begun for name in here])
    if not len(rows):
        return None
    # When a unit's traffic began says which units are of one visit.
    starts = np.array([begun[here[row]] for row in rows], np.int64)
    return merge_tables([replace(select_periods(units, rows), start_ns=starts)])

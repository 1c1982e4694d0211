"""A watch as text, so that a later run goes on where this one stopped.

The traffic itself lies in the store's units; the text says which of them are the baseline, which
wait, and which belong to earlier versions.
"""

from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from fwid_agent.core.evidence import Own
from fwid_agent.core.stability import DeviceState, from_json, to_json
from fwid_agent.core.watch import Watch
from fwid_agent.errors import StoreError
from fwid_agent.tables import merge_tables, select_periods
from fwid_agent.types import UnitTable


@dataclass(frozen=True, slots=True)
class _Remembered:
    """Observations are named by session number and start of their unit in nanoseconds."""

    state: str
    judged_ns: int  # start of the newest unit that was judged
    baseline: list[tuple[int, int]]
    waiting: list[tuple[int, int]]
    earlier: dict[int, list[tuple[int, int]]]
    own: Own
    newest: list[tuple[int, int]] = field(default_factory=list)


def write_watch(watch: Watch, judged_ns: int, unit_ns: int) -> str:
    """Write a watch; units are named, their traffic is not repeated."""
    remembered = _Remembered(
        to_json(watch.state),
        judged_ns,
        _names(watch.baseline, unit_ns),
        _names(watch.waiting, unit_ns),
        {version: _names(table, unit_ns) for version, table in watch.earlier.items()},
        watch.own,
        _names(watch.newest, unit_ns),
    )
    return msgspec.json.encode(remembered).decode()


def read_watch(text: str, units: UnitTable) -> tuple[Watch, int]:
    """Read a watch and when its newest judged unit began.

    Args:
        text: what `write_watch` gave.
        units: the device's traffic, one period a unit and session; units that are no longer kept
            are left out of the watch.

    Raises:
        StoreError: the text is damaged.

    """
    remembered, state = _decode(text)
    earlier = {
        version: table
        for version, names in remembered.earlier.items()
        if (table := _find(units, names)) is not None
    }
    watch = Watch(
        state,
        _find(units, remembered.baseline),
        _find(units, remembered.newest),
        _find(units, remembered.waiting),
        earlier,
        remembered.own,
    )
    return watch, remembered.judged_ns


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


def _names(table: UnitTable | None, unit_ns: int) -> list[tuple[int, int]]:
    if table is None:
        return []
    starts = table.start_ns // unit_ns * unit_ns
    return sorted(set(zip(table.session.tolist(), starts.tolist(), strict=True)))


def _find(units: UnitTable, names: list[tuple[int, int]]) -> UnitTable | None:
    wanted = set(names)
    here = zip(units.session.tolist(), units.start_ns.tolist(), strict=True)
    rows = np.flatnonzero([name in wanted for name in here])
    return merge_tables([select_periods(units, rows)]) if len(rows) else None

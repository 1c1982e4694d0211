"""Windows and units: rows of (device, start, session) whose traffic adds up.

Days older than windows are kept are folded into one unit a day and session, so that each packet
is counted in exactly one row.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from fwid_agent.store.blobs import decode_period, encode_periods
from fwid_agent.tables import merge_tables, select_periods
from fwid_agent.types import ROW_COUNT, SUMS, TOKEN_DTYPE, UnitTable

Kind = Literal["windows", "units"]
KINDS: tuple[Kind, ...] = ("units", "windows")


def add_periods(connection: sqlite3.Connection, kind: Kind, device: int, table: UnitTable) -> None:
    """Add each period to the row of the same start and session, or make the row."""
    keys = list(zip(table.start_ns.tolist(), table.session.tolist(), strict=True))
    select = (
        f"SELECT start_ns, session, observed, body FROM {kind}"  # noqa: S608
        " WHERE device = ? AND start_ns = ? AND session = ?"
    )
    there = [connection.execute(select, (device, *key)).fetchone() for key in dict.fromkeys(keys)]
    table = merge_tables([_table(row for row in there if row is not None), table])
    connection.executemany(
        f"INSERT INTO {kind} (device, start_ns, session, observed, body)"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET observed = excluded.observed, body = excluded.body",
        zip(
            [device] * len(table),
            table.start_ns.tolist(),
            table.session.tolist(),
            table.observed.tolist(),
            encode_periods(table),
            strict=True,
        ),
    )


def read_periods(
    connection: sqlite3.Connection, kind: Kind, device: int, begin_ns: int, end_ns: int
) -> UnitTable:
    """Read a device's rows that start in [begin, end), in the order of their start."""
    return _table(
        connection.execute(
            f"SELECT start_ns, session, observed, body FROM {kind}"  # noqa: S608
            " WHERE device = ? AND start_ns >= ? AND start_ns < ? ORDER BY start_ns, session",
            (device, begin_ns, end_ns),
        )
    )


def drop_periods(connection: sqlite3.Connection, kind: Kind, device: int, end_ns: int) -> None:
    """Delete a device's rows that start before the end."""
    connection.execute(
        f"DELETE FROM {kind} WHERE device = ? AND start_ns < ?",  # noqa: S608
        (device, end_ns),
    )


def since(table: UnitTable, begin_ns: int) -> UnitTable:
    """Return the periods that start then or later."""
    return select_periods(table, np.flatnonzero(table.start_ns >= begin_ns))


def floor_starts(table: UnitTable, length_ns: int) -> UnitTable:
    """Let each period begin where its longer period begins."""
    starts = table.start_ns // length_ns * length_ns
    return UnitTable(starts, table.session, table.observed, table.sums, table.tokens)


def _table(rows: Iterable[Sequence[Any]]) -> UnitTable:
    """Make a table of rows (start_ns, session, observed, body), in their order."""
    kept = list(rows)
    bodies = [decode_period(row[3]) for row in kept]
    tokens = np.concatenate([np.empty(0, TOKEN_DTYPE), *(each for _, each in bodies)])
    tokens["period"] = np.repeat(np.arange(len(kept)), [len(each) for _, each in bodies])
    return UnitTable(
        start_ns=np.array([row[0] for row in kept], np.int64),
        session=np.array([row[1] for row in kept], np.int32),
        observed=np.array([row[2] for row in kept], np.float64),
        sums=np.stack([sums for sums, _ in bodies])
        if bodies
        else np.zeros((0, ROW_COUNT, len(SUMS))),
        tokens=tokens,
    )

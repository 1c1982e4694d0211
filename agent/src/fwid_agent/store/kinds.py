"""What devices are said to be, and what their traffic was taken for."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fwid_agent.store.rows import IdentificationRow
from fwid_agent.types import Identification, Kind, KindSource

_COLUMNS = "device, start_ns, label, category, certainty, candidate, model, number, learnt_as"


def put_kind(connection: sqlite3.Connection, device: int, kind: Kind) -> None:
    """Keep what somebody says a device is."""
    row = (device, kind.source, kind.label, kind.category)
    connection.execute("INSERT OR REPLACE INTO kinds VALUES (?, ?, ?, ?)", row)


def drop_kind(connection: sqlite3.Connection, device: int, source: KindSource) -> None:
    """Forget what somebody says a device is."""
    connection.execute("DELETE FROM kinds WHERE device = ? AND source = ?", (device, source))


def read_kinds(connection: sqlite3.Connection) -> dict[int, Kind]:
    """Read what each device is said to be; a person's word stands above Home Assistant's."""
    rows = connection.execute(
        # The later row of a device takes the place of the earlier one.
        "SELECT device, label, category, source FROM kinds ORDER BY device, source = 'person'"
    )
    return {device: Kind(label, category, source) for device, label, category, source in rows}


def put_identifications(
    connection: sqlite3.Connection, identifications: Iterable[IdentificationRow]
) -> None:
    """Keep what units were taken for."""
    connection.executemany(
        f"INSERT OR REPLACE INTO identifications ({_COLUMNS})"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                row.device,
                row.start_ns,
                row.answer.label,
                row.answer.category,
                row.answer.certainty,
                row.answer.candidate,
                row.model,
                row.number,
                row.learnt_as,
            )
            for row in identifications
        ),
    )


def read_identifications(
    connection: sqlite3.Connection, device: int, since_ns: int
) -> tuple[IdentificationRow, ...]:
    """Read what a device's units from then on were taken for, oldest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM identifications"  # noqa: S608
        " WHERE device = ? AND start_ns >= ? ORDER BY start_ns",
        (device, since_ns),
    )
    return tuple(_rows(rows))


def read_latest_identifications(connection: sqlite3.Connection) -> dict[int, IdentificationRow]:
    """Read what the newest unit of each device was taken for."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM devices JOIN identifications USING (device)"  # noqa: S608
        " WHERE start_ns = (SELECT max(start_ns) FROM identifications AS latest"
        " WHERE latest.device = devices.device)"
    )
    return {row.device: row for row in _rows(rows)}


def drop_identifications(connection: sqlite3.Connection, device: int, before_ns: int) -> None:
    """Forget what a device's units before a time were taken for."""
    connection.execute(
        "DELETE FROM identifications WHERE device = ? AND start_ns < ?", (device, before_ns)
    )


def _rows(rows: Iterable[Sequence[Any]]) -> Iterator[IdentificationRow]:
    for device, start_ns, label, category, certainty, candidate, *model in rows:
        answer = Identification(label, category, certainty, candidate)
        yield IdentificationRow(device, start_ns, answer, *model)

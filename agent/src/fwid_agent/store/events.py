"""Events: the store numbers them, keeps each once, and knows what it no longer has."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from fwid_agent.store.rows import EventPage
from fwid_agent.types import Cause, Event, EventReason, EventType, parse_time

_COLUMNS = "seq, id, time, device, type, from_version, to_version, cause, expected, reasons"
_DROPPED = "events_dropped"  # key in meta: highest seq that is no longer kept


def put_events(connection: sqlite3.Connection, events: Iterable[Event]) -> tuple[Event, ...]:
    """Store events that are not stored yet (by id), and give them with their `seq`."""
    stored = []
    for event in events:
        known = connection.execute("SELECT 1 FROM events WHERE id = ?", (event.id,)).fetchone()
        if known is None:
            cursor = connection.execute(
                f"INSERT INTO events VALUES (NULL, {', '.join('?' * 10)})",  # noqa: S608
                _to_row(event),
            )
            stored.append(replace(event, seq=cursor.lastrowid or 0))
    return tuple(stored)


def read_events(
    connection: sqlite3.Connection, after_seq: int, limit: int, device: str | None
) -> EventPage:
    """Read at most `limit` events after `after_seq`, oldest first; of one device where named."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM events"  # noqa: S608
        " WHERE seq > ?1 AND (?2 IS NULL OR device = ?2) ORDER BY seq LIMIT ?3",
        (after_seq, device, limit),
    )
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    last_seq = int(last[0]) if last else 0
    return EventPage(
        events=tuple(map(_from_row, rows)),
        gap=after_seq < _dropped(connection) or after_seq > last_seq,
        last_seq=last_seq,
    )


def read_latest_events(
    connection: sqlite3.Connection, types: Sequence[EventType]
) -> dict[str, Event]:
    """Read each device's latest event of these types."""
    marks = ", ".join("?" * len(types))
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM events WHERE seq IN"  # noqa: S608
        f" (SELECT max(seq) FROM events WHERE type IN ({marks}) GROUP BY device) ORDER BY seq",
        types,
    )
    return {event.device: event for event in map(_from_row, rows)}


def drop_events(connection: sqlite3.Connection, before_ns: int) -> None:
    """Delete the oldest events, up to the last that is older than the time."""
    (last,) = connection.execute(
        "SELECT max(seq) FROM events WHERE time_ns < ?", (before_ns,)
    ).fetchone()
    if last is None:
        return
    connection.execute("DELETE FROM events WHERE seq <= ?", (last,))
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_DROPPED, str(last)))


def _dropped(connection: sqlite3.Connection) -> int:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (_DROPPED,)).fetchone()
    return int(row[0]) if row else 0


def _to_row(event: Event) -> tuple[Any, ...]:
    return (
        event.id,
        event.time,
        parse_time(event.time),
        event.device,
        event.type,
        event.from_version,
        event.to_version,
        event.cause,
        event.expected,
        msgspec.json.encode(event.reasons).decode(),
    )


def _from_row(row: tuple[Any, ...]) -> Event:
    seq, id_, time, device, type_, from_version, to_version, cause, expected, reasons = row
    return Event(
        seq=seq,
        id=id_,
        time=time,
        device=device,
        type=EventType(type_),
        from_version=from_version,
        to_version=to_version,
        cause=Cause(cause),
        expected=bool(expected),
        reasons=msgspec.json.decode(reasons, type=tuple[EventReason, ...]),
    )

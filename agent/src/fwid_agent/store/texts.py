"""What devices said in their handshakes, in their own words; numbers stand for it in the tables."""

import sqlite3
from collections.abc import Iterable

from fwid_agent.tables import MOST_TEXTS
from fwid_agent.types import HandshakeText


def put_texts(connection: sqlite3.Connection, device: int, texts: Iterable[HandshakeText]) -> None:
    """Keep what a device said, and of all that it ever said the latest."""
    connection.executemany(
        "INSERT INTO texts VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " last_ns = max(last_ns, excluded.last_ns)",
        ((device, each.kind, each.value, each.text, each.last_ns) for each in texts),
    )
    connection.execute(
        "DELETE FROM texts WHERE device = ? AND (kind, value) IN (SELECT kind, value FROM texts"
        " WHERE device = ? ORDER BY last_ns DESC LIMIT -1 OFFSET ?)",
        (device, device, MOST_TEXTS),
    )


def read_texts(connection: sqlite3.Connection) -> dict[int, tuple[HandshakeText, ...]]:
    """Read what every device said."""
    found: dict[int, list[HandshakeText]] = {}
    rows = connection.execute("SELECT device, kind, value, text, last_ns FROM texts")
    for device, *said in rows:
        found.setdefault(device, []).append(HandshakeText(*said))
    return {device: tuple(texts) for device, texts in found.items()}


def drop_texts(connection: sqlite3.Connection, before_ns: int | None) -> None:
    """Forget what was said last before a time; None: all."""
    if before_ns is None:
        connection.execute("DELETE FROM texts")
    else:
        connection.execute("DELETE FROM texts WHERE last_ns < ?", (before_ns,))

"""What is known of the store itself: whose it is, and what time it has come to."""

import sqlite3
from uuid import UUID, uuid4

from fwid_agent.store.database import transaction

_BELIEVED = "believed_ns"  # the time by which was forgotten last
_BORDER = "border_ns"  # units that began before it have been judged


def read_agent(connection: sqlite3.Connection) -> UUID | None:
    """Read the id of the agent that the store belongs to; None while it has none."""
    value = _read(connection, "agent")
    return None if value is None else UUID(value)


def make_agent(connection: sqlite3.Connection) -> UUID:
    """Make an id, unless another program is faster."""
    with transaction(connection):
        connection.execute("INSERT OR IGNORE INTO meta VALUES ('agent', ?)", (str(uuid4()),))
        agent = read_agent(connection)
    assert agent is not None
    return agent


def put_believed_ns(connection: sqlite3.Connection, time_ns: int) -> None:
    """Keep what time it was when what is old was forgotten."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_BELIEVED, str(time_ns)))


def read_believed_ns(connection: sqlite3.Connection) -> int | None:
    """Read that time; where it is not known, when any device was seen last."""
    value = _read(connection, _BELIEVED)
    if value is not None:
        return int(value)
    (newest_ns,) = connection.execute("SELECT max(last_seen_ns) FROM devices").fetchone()
    return None if newest_ns is None else int(newest_ns)


def put_border_ns(connection: sqlite3.Connection, border_ns: int) -> None:
    """Keep up to where units were judged."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_BORDER, str(border_ns)))


def read_border_ns(connection: sqlite3.Connection) -> int | None:
    """Read up to where units were judged; None where no run has said it."""
    value = _read(connection, _BORDER)
    return None if value is None else int(value)


def _read(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])

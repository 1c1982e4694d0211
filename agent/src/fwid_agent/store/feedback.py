"""What people say of alarms: that they want none for a while, or that one was wrong."""

import sqlite3

WRONG_ALARM = "wrong_alarm"


def put_mute(connection: sqlite3.Connection, device: int, until_ns: int | None) -> None:
    """Mute a device until then; None: until further notice."""
    connection.execute("INSERT OR REPLACE INTO mutes VALUES (?, ?)", (device, until_ns))


def drop_mute(connection: sqlite3.Connection, device: int) -> None:
    """End a mute."""
    connection.execute("DELETE FROM mutes WHERE device = ?", (device,))


def read_mutes(connection: sqlite3.Connection) -> dict[int, int | None]:
    """Read until when each muted device is muted."""
    return dict(connection.execute("SELECT device, until_ns FROM mutes ORDER BY device"))


def put_wrong_alarm(connection: sqlite3.Connection, event: str, time_ns: int) -> bool:
    """Keep that an event's alarm was wrong; False where there is no such event."""
    known = connection.execute("SELECT 1 FROM events WHERE id = ?", (event,)).fetchone()
    if known is None:
        return False
    row = (event, time_ns, WRONG_ALARM)
    connection.execute("INSERT OR REPLACE INTO feedback VALUES (?, ?, ?)", row)
    return True


def read_wrong_alarms(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Read the ids of all events whose alarm was called wrong, oldest word first."""
    rows = connection.execute(
        "SELECT event FROM feedback WHERE kind = ? ORDER BY time_ns", (WRONG_ALARM,)
    )
    return tuple(event for (event,) in rows)

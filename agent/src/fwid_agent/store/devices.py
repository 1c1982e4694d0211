"""Devices with their states, names and labels, and the sessions that were read."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping

from fwid_agent.store.rows import DeviceName, DeviceRow, SessionProgress
from fwid_agent.types import format_mac

# What refers to a device comes before the device itself.
_OF_DEVICES = (
    "windows", "units", "verdicts", "states", "labels", "names", "mutes", "wanted", "texts",
    "flows", "kinds", "identifications", "devices",
)  # fmt: skip


def add_devices(connection: sqlite3.Connection, devices: Iterable[DeviceRow]) -> None:
    """Add what is new of each device to what is known of it."""
    connection.executemany(
        """
        INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
            first_seen_ns = min(first_seen_ns, excluded.first_seen_ns),
            last_seen_ns = max(last_seen_ns, excluded.last_seen_ns),
            packets_sent = packets_sent + excluded.packets_sent,
            packets_received = packets_received + excluded.packets_received,
            bytes = bytes + excluded.bytes
        """,
        (
            (
                row.device,
                row.first_seen_ns,
                row.last_seen_ns,
                row.packets_sent,
                row.packets_received,
                row.bytes,
            )
            for row in devices
        ),
    )


def read_devices(connection: sqlite3.Connection) -> tuple[DeviceRow, ...]:
    """Read all devices, by address."""
    rows = connection.execute("SELECT * FROM devices ORDER BY device")
    return tuple(DeviceRow(*row) for row in rows)


def read_wanted(connection: sqlite3.Connection) -> frozenset[int]:
    """Read which devices a person has said a word about."""
    rows = connection.execute(
        "SELECT device FROM wanted UNION SELECT device FROM mutes UNION SELECT device FROM labels"
        " UNION SELECT device FROM kinds WHERE source = 'person'"
        " UNION SELECT device FROM names WHERE given IS NOT NULL"
    )
    return frozenset(device for (device,) in rows)


def put_wanted(connection: sqlite3.Connection, device: int) -> None:
    """Keep that a person wants a device watched."""
    connection.execute("INSERT OR IGNORE INTO wanted VALUES (?)", (device,))


def drop_device(connection: sqlite3.Connection, device: int) -> None:
    """Forget a device with everything that is known of it."""
    connection.execute("DELETE FROM events WHERE device = ?", (format_mac(device),))
    for table in _OF_DEVICES:
        connection.execute(f"DELETE FROM {table} WHERE device = ?", (device,))  # noqa: S608


def put_states(connection: sqlite3.Connection, states: Mapping[int, str]) -> None:
    """Replace the states of these devices."""
    connection.executemany("INSERT OR REPLACE INTO states VALUES (?, ?)", states.items())


def read_states(connection: sqlite3.Connection) -> dict[int, str]:
    """Read the state of every device that has one."""
    return dict(connection.execute("SELECT device, state FROM states ORDER BY device"))


def put_positions(connection: sqlite3.Connection, positions: Mapping[str, str]) -> None:
    """Replace how far these sources were read."""
    connection.executemany("INSERT OR REPLACE INTO positions VALUES (?, ?)", positions.items())


def read_position(connection: sqlite3.Connection, source: str) -> str:
    """Read how far a source was read; "" where that is not known."""
    found = connection.execute("SELECT position FROM positions WHERE source = ?", (source,))
    return next((str(row[0]) for row in found), "")


def put_name(
    connection: sqlite3.Connection, device: int, name: str | None, *, learnt: bool = False
) -> None:
    """Keep what a person (or, learnt, the device itself) calls a device; None: no more."""
    column = "learnt" if learnt else "given"
    connection.execute(
        f"INSERT INTO names (device, {column}) VALUES (?, ?)"  # noqa: S608
        f" ON CONFLICT DO UPDATE SET {column} = excluded.{column}",
        (device, name),
    )


def read_names(connection: sqlite3.Connection) -> dict[int, DeviceName]:
    """Read what the devices are called that have a name."""
    rows = connection.execute("SELECT device, given, learnt FROM names ORDER BY device")
    return {device: DeviceName(given, learnt) for device, given, learnt in rows}


def put_label(connection: sqlite3.Connection, device: int, version: int, label: str) -> None:
    """Name a version of a device, or name it anew."""
    connection.execute("INSERT OR REPLACE INTO labels VALUES (?, ?, ?)", (device, version, label))


def read_labels(connection: sqlite3.Connection, device: int) -> dict[int, str]:
    """Read the names of a device's versions."""
    return dict(
        connection.execute(
            "SELECT version, label FROM labels WHERE device = ? ORDER BY version", (device,)
        )
    )


def put_session(connection: sqlite3.Connection, session: SessionProgress) -> int:
    """Set how far an input has been read; gives the session's number in the store."""
    ((number,),) = connection.execute(
        "INSERT INTO sessions (fingerprint, name, frames_done, opening, ended)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (fingerprint) DO UPDATE SET"
        " frames_done = excluded.frames_done, opening = excluded.opening, ended = excluded.ended"
        " RETURNING session",
        (
            session.fingerprint,
            session.name,
            session.frames_done,
            session.opening,
            session.ended,
        ),
    ).fetchall()
    return int(number)


def read_session(connection: sqlite3.Connection, fingerprint: str) -> SessionProgress | None:
    """Read how far an input has been read, if at all."""
    found = _read_sessions(connection, "fingerprint = ?", fingerprint)
    return next(found, None)


def find_capture(connection: sqlite3.Connection, opening: bytes) -> SessionProgress | None:
    """Read how far a capture that begins like this has been read, if at all."""
    found = _read_sessions(connection, "substr(opening, 1, 8) = ?", opening[:8])
    alike = (
        each
        for each in found
        if opening.startswith(each.opening) or each.opening.startswith(opening)
    )
    return max(alike, key=lambda each: (len(each.opening), each.frames_done), default=None)


def _read_sessions(
    connection: sqlite3.Connection, condition: str, value: str | bytes
) -> Iterator[SessionProgress]:
    rows = connection.execute(
        "SELECT fingerprint, name, frames_done, opening, ended FROM sessions"  # noqa: S608
        f" WHERE {condition}",
        (value,),
    )
    for mark, name, frames_done, opening, ended in rows:
        yield SessionProgress(mark, name, frames_done, opening, bool(ended))

"""Contacts: they stand in the rows of windows and units, so that a commit touches no further page.

The networks of a row are bytes: a version, and behind it, compressed, the networks (u8) and then
their flows (u4), little-endian; no bytes where there are none.
"""

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from fwid_agent.store.database import decoding
from fwid_agent.store.periods import Kind
from fwid_agent.tables import merge_contacts
from fwid_agent.types import CONTACT_DTYPE, SEEN, ContactTable, Table

_LAYOUT = 1
_NAMES = (*SEEN, "beyond", "networks")
_COLUMNS = f"start_ns, {', '.join(_NAMES)}"


def add_contacts(
    connection: sqlite3.Connection, kind: Kind, device: int, session: int, table: ContactTable
) -> None:
    """Add each period to the row of the same start and session, which has to be there."""
    where = "WHERE device = ? AND session = ? AND start_ns = ?"
    select = f"SELECT {_COLUMNS} FROM {kind} {where}"  # noqa: S608
    there = [
        connection.execute(select, (device, session, start_ns)).fetchone()
        for start_ns in table.start_ns.tolist()
    ]
    table = merge_contacts([_table(row for row in there if row is not None), table])
    values = ", ".join(f"{name} = ?" for name in _NAMES)
    connection.executemany(
        f"UPDATE {kind} SET {values} {where}",  # noqa: S608
        (
            (*seen, beyond, networks, device, session, start_ns)
            for start_ns, seen, beyond, networks in zip(
                table.start_ns.tolist(),
                table.seen.tolist(),
                table.beyond.tolist(),
                _encode(table),
                strict=True,
            )
        ),
    )


def read_contacts(
    connection: sqlite3.Connection, kind: Kind, device: int, since_ns: int
) -> ContactTable:
    """Read a device's contacts of rows that start at `since_ns` or later, all sessions added up."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM {kind}"  # noqa: S608
        " WHERE device = ? AND start_ns >= ? ORDER BY start_ns",
        (device, since_ns),
    )
    return merge_contacts([_table(rows)])


def read_seen(connection: sqlite3.Connection, last_ns: int) -> dict[int, tuple[int, ...]]:
    """Add up what was seen of each device in so long a time before it was seen last."""
    sums = ", ".join(f"sum({name})" for name in SEEN)
    rows = connection.execute(
        f"SELECT device, {sums} FROM devices JOIN windows USING (device)"  # noqa: S608
        # One step in the index for each device; grouping all rows would read the whole table.
        " WHERE start_ns > -? + (SELECT max(start_ns) FROM windows AS latest"
        " WHERE latest.device = devices.device) GROUP BY device",
        (last_ns,),
    )
    return {device: tuple(seen) for device, *seen in rows}


def fold_contacts(connection: sqlite3.Connection, device: int, end_ns: int, length_ns: int) -> None:
    """Add what windows before the end hold to the units that they are of."""
    found: dict[int, list[Sequence[Any]]] = {}
    for session, *row in connection.execute(
        f"SELECT session, {_COLUMNS} FROM windows WHERE device = ? AND start_ns < ?",  # noqa: S608
        (device, end_ns),
    ):
        found.setdefault(session, []).append(row)
    for session, rows in found.items():
        table = _table(rows)
        starts = table.start_ns // length_ns * length_ns
        folded = ContactTable(starts, table.seen, table.networks, table.beyond)
        add_contacts(connection, "units", device, session, merge_contacts([folded]))


def _encode(table: ContactTable) -> Iterator[bytes]:
    """Write the networks of each period."""
    bounds = np.searchsorted(table.networks["period"], np.arange(len(table) + 1))
    for begin, end in pairwise(bounds):
        part = table.networks[begin:end]
        networks, flows = part["network"].astype("<u8"), part["flows"].astype("<u4")
        body = bytes([_LAYOUT]) + zlib.compress(networks.tobytes() + flows.tobytes())
        yield body if len(part) else b""


def _decode(body: bytes) -> Table:
    with decoding():
        if not body:
            return np.zeros(0, CONTACT_DTYPE)
        if body[0] != _LAYOUT:
            raise ValueError(body[0])
        data = zlib.decompress(memoryview(body)[1:])
        count, rest = divmod(len(data), 12)
        if rest:
            raise ValueError(len(data))
        networks = np.zeros(count, CONTACT_DTYPE)
        networks["network"] = np.frombuffer(data, "<u8", count)
        networks["flows"] = np.frombuffer(data, "<u4", count, 8 * count)
        return networks


def _table(rows: Iterable[Sequence[Any]]) -> ContactTable:
    """Make a table of rows as `_COLUMNS`, in their order."""
    kept = list(rows)
    bodies = [_decode(row[-1]) for row in kept]
    networks = np.concatenate([np.zeros(0, CONTACT_DTYPE), *bodies])
    networks["period"] = np.repeat(np.arange(len(kept)), [len(each) for each in bodies])
    return ContactTable(
        np.array([row[0] for row in kept], np.int64),
        np.array([row[1 : 1 + len(SEEN)] for row in kept], np.int64).reshape(-1, len(SEEN)),
        networks,
        np.array([row[-2] for row in kept], np.int64),
    )

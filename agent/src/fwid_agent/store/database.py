"""Open the database: pragmas, ordered migrations, transactions, and errors as one clear line."""

import os
import sqlite3
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import MsgspecError

from fwid_agent.errors import StoreError, StoreLostError
from fwid_agent.store.migrations import MIGRATIONS

_APPLICATION_ID = 0x66776964  # "fwid"
_IN_MEMORY = Path(":memory:")  # SQLite's name for a store without a file
_BUSY_S = 5.0

_DAMAGED = "the store is damaged: restore a backup or name another file"
_MEANING: Mapping[int, str] = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space (what was stored before is kept)",
    sqlite3.SQLITE_READONLY: "the store is read-only: give the right to write to it",
    sqlite3.SQLITE_PERM: "no right to open the store",
    sqlite3.SQLITE_BUSY: "another program is writing to the store: try again when it has ended",
    sqlite3.SQLITE_LOCKED: "another program is writing to the store: try again when it has ended",
    sqlite3.SQLITE_NOTADB: "not a fwid store: name another file",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: "the store cannot be opened: look at the path and its rights",
    sqlite3.SQLITE_IOERR: "the disk fails: look at the system's log",
}


class DamagedError(Exception):
    """A value in the store is not what was written."""


@contextmanager
def decoding() -> Iterator[None]:
    """Turn every way in which a stored value can be unreadable into DamagedError."""
    try:
        yield
    except (ValueError, TypeError, IndexError, struct.error, zlib.error, MsgspecError) as error:
        raise DamagedError(str(error)) from error


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        meaning = _MEANING.get(code & 0xFF, str(error)) if code is not None else str(error)
        kind = StoreLostError if meaning == _DAMAGED else StoreError
        raise kind(f"{path}: {meaning}") from error
    except (DamagedError, UnicodeDecodeError) as error:  # the latter: SQLite quotes damaged text
        raise StoreLostError(f"{path}: {_DAMAGED}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def identify(path: Path) -> tuple[int, int] | None:
    """Return which file lies there; None where none does."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Store everything inside, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back after some errors
            connection.execute("ROLLBACK")
        raise


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open a store and bring it to the present version; without the right to write, to read it.

    Raises:
        StoreError: there is none (with `create` false), it is none, or it is of a newer version.

    """
    with clear_errors(path):
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists() and path != _IN_MEMORY:
                # Nobody else's to read, and so are the files that SQLite makes beside it.
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        elif not path.is_file():
            raise StoreError(f"{path}: there is no store: name one that a run has written")
        if path.is_file() and not os.access(path, os.W_OK, effective_ids=True):
            if create:
                raise StoreError(f"{path}: {_MEANING[sqlite3.SQLITE_READONLY]}")
            return _connect_to_read(path)
        connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        try:
            _check(connection, path, create=create)
            # A commit is on the disk when it returns, so that a power cut loses none: in a guest
            # whose power was cut, NORMAL lost what had been stored within the last half minute.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            _migrate(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a store that may only be read."""
    address = path.absolute().as_uri() + "?mode=ro"
    if not path.with_name(path.name + "-wal").exists():
        # Whoever has a store open has its journal beside it. Where nobody has, it is read as it is:
        # SQLite would make a journal, which may not be allowed, or be in a later writer's way.
        address += "&immutable=1"
    connection = sqlite3.connect(address, timeout=_BUSY_S, isolation_level=None, uri=True)
    try:
        _check(connection, path, create=False)
        _migrate(connection)  # an older store says here that it cannot be written
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path, *, create: bool) -> None:
    connection.execute("BEGIN")  # all three of one moment: somebody else may be making the store
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    version, owner = _number(connection, "user_version"), _number(connection, "application_id")
    connection.execute("COMMIT")
    new = objects == 0 and version == 0 and create
    if owner != _APPLICATION_ID and not new:
        raise StoreError(f"{path}: {_MEANING[sqlite3.SQLITE_NOTADB]}")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"{path}: a store of version {version}, and this fwid knows versions up to "
            f"{len(MIGRATIONS)}: update fwid-agent"
        )


def _migrate(connection: sqlite3.Connection) -> None:
    for number, migration in enumerate(MIGRATIONS, start=1):
        if _number(connection, "user_version") >= number:
            continue
        with transaction(connection):
            if _number(connection, "user_version") >= number:
                continue  # another program was faster
            for statement in migration.statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {number}")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])

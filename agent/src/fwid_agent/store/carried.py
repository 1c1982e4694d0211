"""Files beside a store that belong to its copy: carried inside it, in a table of its own."""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

_TABLE = "CREATE TABLE carried (name TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT"


def put_files(copy: sqlite3.Connection, folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Put those files of the folder into a copy that are there; returns their names."""
    found = {name: _read(folder / name) for name in names if (folder / name).is_file()}
    copy.execute("DROP TABLE IF EXISTS carried")
    if found:
        copy.execute(_TABLE)
        copy.executemany("INSERT INTO carried VALUES (?, ?)", found.items())
        copy.commit()
    return tuple(found)


def _read(path: Path) -> bytes:
    # Root must not carry away what a link in somebody's folder leads to.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read()


def take_files(copy: sqlite3.Connection, names: Sequence[str]) -> dict[str, bytes]:
    """Take files of these names out of a copy; nothing of any is left in it."""
    there = copy.execute("SELECT 1 FROM sqlite_schema WHERE name = 'carried'").fetchone()
    if there is None:
        return {}
    marks = ", ".join("?" * len(names))
    rows = copy.execute(f"SELECT name, data FROM carried WHERE name IN ({marks})", names)  # noqa: S608
    files = {str(name): bytes(data) for name, data in rows}
    copy.execute("PRAGMA secure_delete = ON")  # a store holds no key, in no page
    copy.execute("DROP TABLE carried")
    return files


def write_file(path: Path, data: bytes, owner: os.stat_result | None) -> None:
    """Write a file that nobody else may read; what was there is kept beside it."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    # Anew: root must not write to where a link in somebody's folder leads.
    number = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if owner is not None:
        os.chown(part, owner.st_uid, owner.st_gid, follow_symlinks=False)
    if path.exists():
        path.replace(path.with_name(path.name + ".before-restore"))
    part.replace(path)

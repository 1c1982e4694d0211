"""A copy of a store while it is written to, and the way back; files beside it go with it."""

import os
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from fwid_agent.errors import StoreError
from fwid_agent.store.carried import put_files, take_files, write_file
from fwid_agent.store.database import clear_errors, connect


def back_up(store: Path, target: Path, beside: Sequence[str] = ()) -> tuple[str, ...]:
    """Copy a store as it is at one moment, also while an agent writes to it.

    Args:
        store: what to copy.
        target: the copy.
        beside: names of files in the store's folder that the copy holds too, where they are there.

    Returns:
        The names of those that were.

    Raises:
        StoreError: there is none, or the copy cannot be written; nothing is left of it then.

    """
    if target.exists():
        raise StoreError(f"{target}: is there already; name another file")
    source = connect(store, create=False)
    part = target.with_name(target.name + ".part")
    try:
        with clear_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            copy = sqlite3.connect(part)
            try:
                source.backup(copy)
                # One file to carry away: without a journal beside it.
                copy.execute("PRAGMA journal_mode = DELETE")
                carried = put_files(copy, store.parent, beside)
            finally:
                copy.close()
            part.replace(target)
    finally:
        source.close()
        part.unlink(missing_ok=True)
    return carried


def restore(backup: Path, store: Path, beside: Sequence[str] = ()) -> tuple[str, ...]:
    """Make a store from a copy; a store that is there already is kept beside it.

    Root gives it to whose the replaced store is, or else the folder.

    Args:
        backup: the copy.
        store: what to make of it.
        beside: names of files that are put into the store's folder, where the copy holds them.

    Returns:
        The names of those that were.

    Raises:
        StoreError: the copy is no store, is damaged, or is of a newer version.

    """
    kept = store.with_name(store.name + ".before-restore")
    part = store.with_name(store.name + ".part")
    if not backup.is_file():
        raise StoreError(f"{backup}: there is no such file")
    try:
        with clear_errors(store):
            store.parent.mkdir(parents=True, exist_ok=True)
            owner = (store if store.exists() else store.parent).stat()
            part.unlink(missing_ok=True)
            # Anew: root must not write to where a link in somebody's folder leads.
            number = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with backup.open("rb") as source, os.fdopen(number, "wb") as copy:
                shutil.copyfileobj(source, copy)
            if os.geteuid() == 0:  # whoever runs the agent has to be able to write to it
                os.chown(part, owner.st_uid, owner.st_gid, follow_symlinks=False)
        try:
            checked = connect(part, create=False)
        except StoreError as error:
            raise StoreError(str(error).replace(str(part), str(backup))) from error
        try:
            with clear_errors(backup):
                (answer,) = checked.execute("PRAGMA integrity_check").fetchone()
                files = take_files(checked, beside) if answer == "ok" else {}
        finally:
            checked.close()
        if answer != "ok":
            raise StoreError(f"{backup}: the copy is damaged; take another one")
        with clear_errors(store):
            for suffix in ("", "-wal", "-shm"):
                old = store.with_name(store.name + suffix)
                if old.exists():
                    old.replace(kept.with_name(kept.name + suffix))
            part.replace(store)
            for name, data in files.items():
                write_file(store.with_name(name), data, owner if os.geteuid() == 0 else None)
    finally:
        for suffix in ("", "-wal", "-shm"):
            part.with_name(part.name + suffix).unlink(missing_ok=True)
    return tuple(files)

"""Files that hold secrets: readable by the agent alone, and whole after a power cut."""

import os
from pathlib import Path

from fwid_agent.errors import StoreError


def write_private(path: Path, data: bytes) -> None:
    """Replace a file at once with one of mode 0600; raises StoreError."""
    new = path.with_name(path.name + ".new")
    try:
        # A file left over from a power cut may have any mode: it is not written into.
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def read_private(path: Path) -> bytes | None:
    """Read such a file, None where there is none; others lose their right to it.

    Raises:
        StoreError: it cannot be read.

    """
    try:
        data = path.read_bytes()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    return data


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

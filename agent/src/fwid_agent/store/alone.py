"""One run at a time goes on with a store: two would each count what the other counts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fwid_agent.locking import locked


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep other runs away from a store; to be held until it is closed.

    The kernel lets go of it with the process, however that ends. Who reads the store is not kept
    away, nor who steers it.

    Raises:
        StoreError: another run goes on with it.

    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_CREAT, 0o600)
    except OSError:
        yield  # who opens the store says what is wrong with it
        return
    busy = f"{path}: another run goes on with this store: stop it, or wait until it has ended"
    # It is closed only in the end: closing any handle on the file takes away SQLite's own locks.
    with locked(number, busy):
        yield

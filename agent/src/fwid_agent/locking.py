"""A lock on a file that the kernel lets go of with the process, however that ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from fwid_agent.errors import StoreError


@contextmanager
def locked(number: int, busy: str) -> Iterator[None]:
    """Hold the lock of an open file, which is closed in the end.

    Args:
        number: of the file.
        busy: what to say where another process has the lock.

    Raises:
        StoreError: another process has it.

    """
    try:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreError(busy) from error
        yield
    finally:
        os.close(number)

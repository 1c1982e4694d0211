"""Files that the commands write: whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from fwid_agent.errors import UsageError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there: an earlier one is kept until it is whole.

    Raises:
        UsageError: there is no such folder, or it cannot be written.

    """
    part = _part_of(path)
    try:
        if path.exists() and not path.is_file():  # a device or a pipe cannot be replaced
            path.write_bytes(content)
            return
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def writing_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its place when all of it is written, or not at all.

    Raises:
        UsageError: as of `write_whole`.

    """
    part = _part_of(path)
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        part.unlink(missing_ok=True)


def _part_of(path: Path) -> Path:
    if not path.name:
        raise UsageError(f"{path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}; make it first")
    return path.with_name(f".{path.name}.{os.getpid()}.part")

"""Files that the commands write: whole, or not at all."""

import os
from pathlib import Path

from fwid_agent.errors import UsageError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there: an earlier one is kept until it is whole.

    Raises:
        UsageError: there is no such folder, or it cannot be written.

    """
    if not path.name:
        raise UsageError(f"{path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}; make it first")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
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

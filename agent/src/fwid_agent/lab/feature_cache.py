"""Windows that were read before, kept by what they were made of.

The key is a digest of the captures, of how they were asked to be read and of the code that reads
them: nothing in here can be out of date, and all of it may be deleted at any time.
"""

import ast
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from fwid_agent.lab.corpus.place import cache_folder
from fwid_agent.lab.extract import Task
from fwid_agent.types import UnitTable

_SOURCE = Path(__file__).parents[1]
_READING = "fwid_agent.lab.extract"


def feature_folder() -> Path:
    """Return the folder that windows are kept in; it need not be there."""
    return cache_folder().parent / "features"


def key_of(task: Task) -> str:
    """Return the key of a task; raises OSError where a capture cannot be read."""
    told = [code_digest(_READING), task.mac, task.window_ns, task.handshakes]
    told += [digest_file(path) for path in task.paths]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def digest_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's content."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_windows(key: str) -> UnitTable | None:
    """Return the windows that were kept under a key, or None."""
    try:
        with np.load(_file(key)) as kept:
            return UnitTable(*(kept[field.name] for field in fields(UnitTable)))
    except (OSError, EOFError, KeyError, ValueError, BadZipFile):
        return None


def keep_windows(key: str, table: UnitTable) -> None:
    """Keep windows under a key; where that cannot be written, they are read again next time."""
    file = _file(key)
    part = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as target:
            columns = {field.name: getattr(table, field.name) for field in fields(UnitTable)}
            np.savez_compressed(target, **columns)
        part.replace(file)
    except OSError:
        with suppress(OSError):
            part.unlink()


def _file(key: str) -> Path:
    return feature_folder() / f"{key}.npz"


@cache
def code_digest(*modules: str) -> str:
    """Return a digest of modules of this package and of all of it that they import, however far."""
    paths: dict[str, Path] = {}
    ahead = [*modules]
    while ahead:
        name = ahead.pop()
        path = _path_of(name)
        if path is not None and name not in paths:
            paths[name] = path
            ahead += _imports(path)
    digests = [(name, digest_file(path)) for name, path in sorted(paths.items())]
    return hashlib.sha256(repr(digests).encode()).hexdigest()


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _path_of(module: str) -> Path | None:
    """Return a module's file; None for packages, which only gather names, and other projects'."""
    top, _, rest = module.partition(".")
    if top != "fwid_agent" or not rest:
        return None
    path = _SOURCE.joinpath(*rest.split(".")).with_suffix(".py")
    return path if path.is_file() else None


def digest_all(digests: Sequence[str]) -> str:
    """Return one digest of many, in their order."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()

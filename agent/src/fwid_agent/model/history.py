"""The networks that were refined at home: kept beside the store, one of them in use.

A folder beside the store holds `refined-N` (weights and what goes with them), `current` (which one
is in use; none: the network that came with the agent) and `attempts.jsonl`. Each file is written
elsewhere, flushed and moved into place: a power cut leaves the old one or the new one.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from fwid_agent.errors import ModelError, StoreError, UsageError
from fwid_agent.locking import locked
from fwid_agent.types import F4

MODELS_KEPT, ATTEMPTS_KEPT = 10, 200
_MOST_BYTES = 1 << 20  # of a file: a network at home is some 20 kB
_VERSION = 1
_CURRENT, _ATTEMPTS, _LOCK = "current", "attempts.jsonl", "lock"
_NAME = re.compile(r"refined-([0-9]{1,6})")
Attempt = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Array:
    shape: tuple[int, ...]
    values: bytes  # float32, little-endian


@dataclass(frozen=True, slots=True)
class _File:
    version: int
    base: str
    slope: float
    offset: float
    weights: tuple[_Array, ...]


@dataclass(frozen=True, slots=True)
class Refined:
    """A network that was refined: its weights, and from which distance on it says "software"."""

    base: str  # SHA-256 of the trainable file that it was made from
    weights: tuple[F4, ...]
    slope: float
    offset: float


class History:
    """The networks of one store.

    Raises:
        ModelError: by every method that reads, where a file is damaged.
        StoreError: by every method that writes, where it cannot.

    """

    def __init__(self, store: Path) -> None:
        self.store = store
        self.folder = store.with_name(store.name + ".models")

    def current(self) -> int | None:
        """Number of the network in use; None: the one that came with the agent."""
        text = self._read(_CURRENT)
        if text is None or not text.strip():
            return None
        match = _NAME.fullmatch(text.decode("utf-8", "replace").strip())
        if match is None:
            raise ModelError(
                f"{self.folder / _CURRENT}: names no network; `fwid refine --roll-back`"
            )
        return int(match.group(1))

    def numbers(self) -> tuple[int, ...]:
        """List the networks that are kept, oldest first."""
        with suppress(OSError):
            found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
            return tuple(sorted(int(match.group(1)) for match in found if match))
        return ()

    def read(self, number: int) -> Refined:
        """Read a network."""
        path = self.folder / f"refined-{number}"
        content = self._read(path.name)
        if content is None:
            raise ModelError(f"{path}: is missing; `fwid refine --roll-back`")
        try:
            file = msgspec.msgpack.decode(content, type=_File)
            weights = tuple(
                np.frombuffer(each.values, "<f4").reshape(each.shape).astype(np.float32)
                for each in file.weights
            )
        except (msgspec.DecodeError, ValueError) as error:
            raise ModelError(f"{path}: cannot be used ({error}); `fwid refine`") from error
        if file.version != _VERSION:
            raise ModelError(f"{path}: is of version {file.version}, this agent reads {_VERSION}")
        return Refined(file.base, weights, file.slope, file.offset)

    def attempts(self) -> list[Attempt]:
        """Return the record of each attempt, oldest first; a damaged line is left out."""
        found = []
        for line in (self._read(_ATTEMPTS) or b"").splitlines():
            with suppress(msgspec.DecodeError):
                found.append(msgspec.json.decode(line, type=Attempt))
        return found

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other refinements of this store away; raises StoreError where one is under way."""
        with self._writing():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            number = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        with locked(number, f"{self.folder}: a refinement is under way; wait until it has ended"):
            yield

    def keep(self, refined: Refined) -> int:
        """Write a network and use it from now on; gives its number."""
        number = max((*self.numbers(), self._last_number()), default=0) + 1
        arrays = tuple(
            _Array(each.shape, np.ascontiguousarray(each, "<f4").tobytes())
            for each in refined.weights
        )
        file = _File(_VERSION, refined.base, refined.slope, refined.offset, arrays)
        with self._writing():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self._write(f"refined-{number}", msgspec.msgpack.encode(file))
            self._write(_CURRENT, f"refined-{number}\n".encode())
            for old in self.numbers()[:-MODELS_KEPT]:
                (self.folder / f"refined-{old}").unlink(missing_ok=True)
        return number

    def roll_back(self) -> int | None:
        """Use what was used before: an older network, or None for the one of the agent.

        Raises:
            UsageError: the one that came with the agent is in use already.

        """
        try:
            now = self.current()
        except ModelError:
            return self._use(None)
        if now is None:
            raise UsageError("the network that came with the agent is in use: nothing to roll back")
        return self._use(max((each for each in self.numbers() if each < now), default=None))

    def reset(self) -> None:
        """Use the network that came with the agent."""
        self._use(None)

    def record(self, attempt: Attempt) -> None:
        """Add to the record of attempts."""
        kept = [*self.attempts(), attempt][-ATTEMPTS_KEPT:]
        with self._writing():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self._write(_ATTEMPTS, b"".join(msgspec.json.encode(each) + b"\n" for each in kept))

    def _use(self, number: int | None) -> int | None:
        with self._writing():
            self._write(_CURRENT, b"" if number is None else f"refined-{number}\n".encode())
            # What was rolled back is not come back to: a newer one takes its number's place.
            for newer in self.numbers():
                if number is None or newer > number:
                    (self.folder / f"refined-{newer}").unlink(missing_ok=True)
        return number

    def _last_number(self) -> int:
        return max((int(each.get("model") or 0) for each in self.attempts()), default=0)

    def _read(self, name: str) -> bytes | None:
        path = self.folder / name
        try:
            with path.open("rb") as file:
                content = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror or error}") from error
        if len(content) > _MOST_BYTES:
            raise ModelError(f"{path}: is too large to be ours; remove it")
        return content

    def _write(self, name: str, content: bytes) -> None:
        path, beside = self.folder / name, self.folder / f".{name}.new"
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror or error}") from error

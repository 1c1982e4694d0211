"""Models that were made at home: kept beside the store, one of them in use.

A folder beside the store holds `KIND-N` (one model each), `current` (which one is in use; none: the
one that came with the agent) and `attempts.jsonl`. Each file is written elsewhere, flushed and
moved into place: a power cut leaves the old one or the new one.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fwid_agent.errors import ModelError, StoreError, UsageError
from fwid_agent.locking import locked

MODELS_KEPT, ATTEMPTS_KEPT = 10, 200
_CURRENT, _ATTEMPTS, _LOCK = "current", "attempts.jsonl", "lock"
_MOST_NOTED = 1 << 20  # bytes of what is no model: names and records
Attempt = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a shelf is of."""

    kind: str  # what its files are called
    folder: str  # behind the store's name
    noun: str  # of one of them, in words
    command: str  # that makes them
    doing: str  # what another process is at where the shelf is locked
    most_bytes: int  # of a file: more is not ours


class Shelf:
    """The models of one store.

    Raises:
        ModelError: by every method that reads, where a file is damaged.
        StoreError: by every method that writes, where it cannot.

    """

    def __init__(self, store: Path, kept: Kept) -> None:
        self.store = store
        self.kept = kept
        self.folder = store.with_name(f"{store.name}.{kept.folder}")
        self._name = re.compile(rf"{kept.kind}-([0-9]{{1,6}})")

    def current(self) -> int | None:
        """Number of the model in use; None: the one that came with the agent."""
        text = self._read(_CURRENT, _MOST_NOTED)
        if text is None or not text.strip():
            return None
        match = self._name.fullmatch(text.decode("utf-8", "replace").strip())
        if match is None:
            raise ModelError(
                f"{self.folder / _CURRENT}: names no {self.kept.noun}; "
                f"`{self.kept.command} --roll-back`"
            )
        return int(match.group(1))

    def numbers(self) -> tuple[int, ...]:
        """List the models that are kept, oldest first."""
        with suppress(OSError):
            found = (self._name.fullmatch(path.name) for path in self.folder.iterdir())
            return tuple(sorted(int(match.group(1)) for match in found if match))
        return ()

    def read_file(self, number: int) -> tuple[bytes, str]:
        """Read the file of a model; gives its path too, for what else is wrong with it."""
        path = self.folder / self._file(number)
        content = self._read(path.name, self.kept.most_bytes)
        if content is None:
            raise ModelError(f"{path}: is missing; `{self.kept.command} --roll-back`")
        return content, str(path)

    def attempts(self) -> list[Attempt]:
        """Return the record of each attempt, oldest first; a damaged line is left out."""
        found = []
        for line in (self._read(_ATTEMPTS, _MOST_NOTED) or b"").splitlines():
            with suppress(msgspec.DecodeError):
                found.append(msgspec.json.decode(line, type=Attempt))
        return found

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others who make such models of this store away; raises StoreError where one does."""
        with self._writing():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            number = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        with locked(number, f"{self.folder}: {self.kept.doing}; wait until it has ended"):
            yield

    def keep_file(self, content: bytes) -> int:
        """Write a model and use it from now on; gives its number."""
        number = max((*self.numbers(), self._last_number()), default=0) + 1
        with self._writing():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self._write(self._file(number), content)
            self._write(_CURRENT, f"{self._file(number)}\n".encode())
            for old in self.numbers()[:-MODELS_KEPT]:
                (self.folder / self._file(old)).unlink(missing_ok=True)
        return number

    def roll_back(self) -> int | None:
        """Use what was used before: an older model, or None for the one of the agent.

        Raises:
            UsageError: the one that came with the agent is in use already.

        """
        try:
            now = self.current()
        except ModelError:
            return self._use(None)
        if now is None:
            raise UsageError(
                f"the {self.kept.noun} that came with the agent is in use: nothing to roll back"
            )
        return self._use(max((each for each in self.numbers() if each < now), default=None))

    def reset(self) -> None:
        """Use the model that came with the agent."""
        self._use(None)

    def record(self, attempt: Attempt) -> None:
        """Add to the record of attempts."""
        kept = [*self.attempts(), attempt][-ATTEMPTS_KEPT:]
        with self._writing():
            self.folder.mkdir(mode=0o700, exist_ok=True)
            self._write(_ATTEMPTS, b"".join(msgspec.json.encode(each) + b"\n" for each in kept))

    def _use(self, number: int | None) -> int | None:
        with self._writing():
            self._write(_CURRENT, b"" if number is None else f"{self._file(number)}\n".encode())
            # What was rolled back is not come back to: a newer one takes its number's place.
            for newer in self.numbers():
                if number is None or newer > number:
                    (self.folder / self._file(newer)).unlink(missing_ok=True)
        return number

    def _last_number(self) -> int:
        return max((int(each.get("model") or 0) for each in self.attempts()), default=0)

    def _file(self, number: int) -> str:
        return f"{self.kept.kind}-{number}"

    def _read(self, name: str, most_bytes: int) -> bytes | None:
        path = self.folder / name
        try:
            with path.open("rb") as file:
                content = file.read(most_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror or error}") from error
        if len(content) > most_bytes:
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

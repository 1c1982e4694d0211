"""The networks that were refined at home."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from fwid_agent.errors import ModelError
from fwid_agent.model.shelf import Kept, Shelf
from fwid_agent.types import F4

_KEPT = Kept(
    kind="refined",
    folder="models",
    noun="network",
    command="fwid refine",
    doing="a refinement is under way",
    most_bytes=1 << 20,  # a network at home is some 20 kB
)
_VERSION = 1


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


class History(Shelf):
    """The networks of one store, which judge whether software changed."""

    def __init__(self, store: Path) -> None:
        super().__init__(store, _KEPT)

    def read(self, number: int) -> Refined:
        """Read a network."""
        content, path = self.read_file(number)
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

    def keep(self, refined: Refined) -> int:
        """Write a network and use it from now on; gives its number."""
        arrays = tuple(
            _Array(each.shape, np.ascontiguousarray(each, "<f4").tobytes())
            for each in refined.weights
        )
        file = _File(_VERSION, refined.base, refined.slope, refined.offset, arrays)
        return self.keep_file(msgspec.msgpack.encode(file))

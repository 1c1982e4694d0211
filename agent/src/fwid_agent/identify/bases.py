"""What comes with the agent to identify devices by: a model of real ones, and networks to train."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
import zstandard

from fwid_agent.errors import ModelError
from fwid_agent.model.trainable import Trainable, Weights

OUTPUTS = 64  # of a network that is trained at home: a device each, the rest is masked
MANIFEST, SHIPPED = "manifest.json", "shipped.identifier"
BASES = {"fc": "fc_train.tflite.zst", "conv1d": "conv1d_train.tflite.zst"}
_MOST_BYTES = 16 << 20  # of a network that can be trained
_AGAIN = "install the agent again"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of manifest.json."""

    sha256: Mapping[str, str]  # file name -> digest
    trained_on: tuple[str, ...]  # what the shipped model knows
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Base:
    """A network that can be trained, and its digest."""

    name: str
    content: bytes
    digest: str


def read_manifest() -> Manifest:
    """Read what there is; raises ModelError."""
    file = files("fwid_agent.identify") / MANIFEST
    try:
        return msgspec.json.decode(file.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{file}: cannot be used ({error}); {_AGAIN}") from error


def read_shipped_file(name: str) -> tuple[bytes, str]:
    """Read a file and its digest; raises ModelError where it is not that of the manifest."""
    file = files("fwid_agent.identify") / name
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror or error}; {_AGAIN}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != read_manifest().sha256.get(name):
        raise ModelError(f"{file}: is not the file of the manifest; {_AGAIN}")
    return content, digest


@cache
def read_base(kind: str) -> Base:
    """Read a network that can be trained; raises ModelError where there is none of this kind."""
    name = BASES.get(kind)
    if name is None:
        raise ModelError(f"{kind}: is no network that can be trained")
    packed, digest = read_shipped_file(name)
    try:
        content = zstandard.ZstdDecompressor().decompress(packed, max_output_size=_MOST_BYTES)
    except zstandard.ZstdError as error:
        raise ModelError(f"{name}: is damaged ({error}); {_AGAIN}") from error
    return Base(name, content, digest)


def network_of(base: Base) -> Trainable:
    """Load a network; each call gives one of its own, with weights of nothing."""
    return Trainable(base.content, base.name)


def draw_weights(network: Trainable, rng: np.random.Generator) -> Weights:
    """Draw what a training begins with (Glorot and Bengio, AISTATS 2010), as Keras does."""
    drawn = []
    for shape in network.shapes:
        around = int(np.prod(shape[:-2]))
        limit = np.sqrt(6 / (around * sum(shape[-2:]))) if len(shape) > 1 else 0
        drawn.append(rng.uniform(-limit, limit, shape).astype(np.float32))
    return tuple(drawn)

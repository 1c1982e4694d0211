"""What comes with the models: which files, made of what, and the numbers that go with them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from fwid_agent.errors import ModelError
from fwid_agent.model.encoder import Encoder

MANIFEST_VERSION = 1
MANIFEST, PRIOR = "manifest.json", "prior.json"
ROW_TWIN, PUBLISHED = "row_twin.tflite", "published.tflite"
TRAINABLE = "row_twin_train.tflite"  # the row-shared twin, to be refined at home


@dataclass(frozen=True, slots=True)
class Logistic:
    """How likely the software changed, from the distance of two pictures."""

    slope: float
    offset: float


@dataclass(frozen=True, slots=True)
class Range:
    """The range of each column of a global picture over the training devices."""

    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The contents of manifest.json."""

    version: int
    seed: int
    trained_on: tuple[str, ...]  # devices
    sha256: Mapping[str, str]  # file name -> digest
    logistic: Logistic
    scale: Range
    metrics: Mapping[str, float]


def model_folder() -> Traversable:
    """Return the folder of the models that come with the agent."""
    return files("fwid_agent.model")


def read_manifest(folder: Traversable) -> Manifest:
    """Read the manifest; raises ModelError where it is missing, damaged or of another version."""
    file = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{file}: cannot be used ({error}); install the agent again") from error
    if manifest.version != MANIFEST_VERSION:
        raise ModelError(
            f"{file}: is of version {manifest.version}, this agent reads {MANIFEST_VERSION}; "
            "install the agent again"
        )
    return manifest


def read_file(folder: Traversable, manifest: Manifest, name: str) -> bytes:
    """Read a file that the manifest names; raises ModelError where it is not that very file."""
    file = folder / name
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror or error}; install the agent again") from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256.get(name):
        raise ModelError(f"{file}: is not the file of the manifest; install the agent again")
    return content


def load_encoder(folder: Traversable, manifest: Manifest, name: str) -> Encoder:
    """Load one of the encoders; raises ModelError."""
    return Encoder(read_file(folder, manifest, name), name)

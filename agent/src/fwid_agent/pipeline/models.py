"""The judge as it is shipped: the prior and the row-shared twin network, wired together."""

from collections.abc import Sequence
from functools import cache
from importlib.resources.abc import Traversable
from typing import Protocol

import msgspec
import numpy as np

from fwid_agent.core.comparison import Comparison
from fwid_agent.core.evidence import Likeness, Model
from fwid_agent.core.image import row_image, still_image
from fwid_agent.core.prior import PRIOR_VERSION, Prior
from fwid_agent.errors import ModelError
from fwid_agent.model.manifest import (
    PRIOR,
    ROW_TWIN,
    Logistic,
    load_encoder,
    model_folder,
    read_file,
    read_manifest,
)
from fwid_agent.types import F4, F8, U1


class RowEncoder(Protocol):
    """What turns row pictures into embeddings: a model that is shipped, or one trained at home."""

    @property
    def name(self) -> str:
        """What errors call it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one picture."""

    def encode(self, pictures: U1) -> F4:
        """Turn pictures [n, columns] into embeddings [n, width]."""


class RowTwin:
    """The row-shared twin network over comparisons: how alike, and is it software?"""

    def __init__(self, encoder: RowEncoder, logistic: Logistic) -> None:
        self._encoder = encoder
        self._logistic = logistic
        still = still_image()
        if encoder.shape != still.shape[1:]:
            raise ModelError(
                f"{encoder.name}: takes rows of {encoder.shape}, not {still.shape[1:]}; "
                "train it again"
            )
        self._still = still
        self._at_rest = encoder.encode(still)

    def __call__(self, comparisons: Sequence[Comparison]) -> list[Likeness]:
        """Look at each comparison; a model as core.evidence takes it."""
        if not comparisons:
            return []
        distances = self.distances(np.stack([row_image(each) for each in comparisons]))
        software = self.software(distances)
        return [
            Likeness(float(1 / (1 + distance)), float(likely))
            for distance, likely in zip(distances, software, strict=True)
        ]

    def software(self, distances: F8) -> F8:
        """Return how likely distances are of software, 0 to 1."""
        likely: F8 = 1 / (1 + np.exp(-(self._logistic.slope * distances + self._logistic.offset)))
        return likely

    def distances(self, pictures: U1) -> F8:
        """Return how far each picture [n, rows, columns] is from the one in which nothing moved."""
        which, row = np.nonzero((pictures != self._still).any(axis=2))
        distances = np.zeros(len(pictures))
        if len(which):  # a row in which nothing moved is at no distance: it need not be encoded
            apart = self._encoder.encode(pictures[which, row]) - self._at_rest[row]
            np.maximum.at(distances, which, np.linalg.norm(apart, axis=1))
        return distances


def read_prior(folder: Traversable) -> Prior:
    """Read the prior of a folder of models; raises ModelError."""
    content = read_file(folder, read_manifest(folder), PRIOR)
    try:
        prior = msgspec.json.decode(content, type=Prior)
    except msgspec.DecodeError as error:
        raise ModelError(f"{folder / PRIOR}: cannot be used ({error})") from error
    if prior.version != PRIOR_VERSION:
        raise ModelError(
            f"{folder / PRIOR}: is of version {prior.version}, this agent reads {PRIOR_VERSION}; "
            "install the agent again"
        )
    return prior


def read_row_twin(folder: Traversable) -> RowTwin:
    """Load the row-shared twin of a folder of models; raises ModelError."""
    manifest = read_manifest(folder)
    return RowTwin(load_encoder(folder, manifest, ROW_TWIN), manifest.logistic)


@cache
def load_prior() -> Prior:
    """Read the prior that comes with the agent; raises ModelError."""
    return read_prior(model_folder())


@cache
def load_model() -> Model:
    """Load the network that comes with the agent; raises ModelError."""
    return read_row_twin(model_folder())

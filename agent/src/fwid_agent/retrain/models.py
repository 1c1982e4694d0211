"""Training of one model of each type, on flows and classes as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from fwid_agent.errors import ModelError, UsageError
from fwid_agent.identify.bases import OUTPUTS, draw_weights, network_of, read_base
from fwid_agent.identify.identifier import Identifier, ModelType, Rows
from fwid_agent.identify.inputs import DEFAULT_INPUTS, Standard, select_inputs
from fwid_agent.identify.trees import FlatTrees
from fwid_agent.model.training import Bounds, Trained, train
from fwid_agent.retrain.trees import Growth, TreeModel
from fwid_agent.types import F4, F8, I8

TYPES: tuple[ModelType, ...] = ("forest", "tree", "fc", "conv1d")
_GROWTH = Growth(trees=100, least_leaf=1)
_EPOCHS = 60  # of networks, as in the study; a home with many flows has fewer
_STEPS = {"fc": (400, 2000), "conv1d": (300, 600)}


def default_type() -> ModelType:
    """Return the best type that can be trained here: a forest needs scikit-learn."""
    return "forest" if can_train("forest") else "fc"


def can_train(kind: ModelType) -> bool:
    """Say whether a type can be trained here."""
    return kind not in {"forest", "tree"} or find_spec("sklearn") is not None


def check_type(kind: ModelType) -> None:
    """Raise UsageError where a type cannot be trained here."""
    if not can_train(kind):
        raise UsageError(
            f"{kind}: needs scikit-learn; `pip install 'fwid-agent[retrain]'`, or take fc"
        )


class Model(Protocol):
    """What was trained."""

    def probabilities(self, values: F4) -> F8:
        """Return how likely each class is [n, classes], of flows [n, 19]."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees and the inputs that they take."""

    flat: FlatTrees

    def probabilities(self, values: F4) -> F8:
        """Return how likely each class is [n, classes], of flows [n, 19]."""
        return self.flat.probabilities(select_inputs(values.astype(np.float64), DEFAULT_INPUTS))


@dataclass(frozen=True, slots=True)
class Network:
    """A network of so many classes."""

    rows: Rows
    classes: int

    def probabilities(self, values: F4) -> F8:
        """Return how likely each class is [n, classes], of flows [n, 19]."""
        return self.rows.probabilities(values.astype(np.float64), self.classes)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained."""

    kind: ModelType
    seed: int = 1
    frozen: int = 0  # first layers of a network that stay as they are in the model in use
    bounds: Bounds = field(
        default_factory=lambda: Bounds(steps=0, frozen=0, seconds=60.0, memory_bytes=640 << 20)
    )
    growth: Growth = _GROWTH  # of trees
    start: Rows | None = None  # the network in use, whose layers are frozen
    share: float = 1.0  # of a network's steps that are made


def check_frozen(frozen: int, kind: ModelType, used: Identifier) -> None:
    """Raise UsageError where so many layers cannot be frozen."""
    if frozen and kind not in _STEPS:
        raise UsageError(f"--frozen {frozen}: trees have no layers; take fc or conv1d")
    if frozen and (used.network is None or used.type != kind):
        raise UsageError(
            f"--frozen {frozen}: no {kind} model of this home is in use, so there is nothing to "
            "freeze; train one without it first"
        )


def fit(values: F4, target: I8, classes: int, recipe: Recipe) -> Model:
    """Train on flows [n, 19] and their classes [n].

    Raises:
        UsageError: the time was up, or there are too many classes.
        StoreError: it takes more memory than it may.
        ModelError: the network cannot be used.

    """
    if recipe.kind in _STEPS:
        return _fit_network(values, target, classes, recipe)
    grown = TreeModel(recipe.kind, recipe.seed, recipe.growth)
    grown.fit(select_inputs(values.astype(np.float64), DEFAULT_INPUTS), target, classes)
    return Trees(grown.flat())


def _fit_network(values: F4, target: I8, classes: int, recipe: Recipe) -> Network:
    if classes > OUTPUTS:
        raise UsageError(f"{recipe.kind}: tells {OUTPUTS} devices apart at the most; take forest")
    network = network_of(read_base(recipe.kind))
    rng = np.random.default_rng(recipe.seed)
    if recipe.start is None:
        standard = Standard.of(values.astype(np.float64), DEFAULT_INPUTS)
        network.restore(draw_weights(network, rng))
    else:
        standard = recipe.start.standard  # the frozen layers know these inputs
        network.restore(recipe.start.weights)
    least, most = _STEPS[recipe.kind]
    steps = min(max(_EPOCHS * len(values) // network.batch, least), most)
    bounds = Bounds(
        steps=max(int(steps * recipe.share), 1),
        frozen=recipe.frozen,
        seconds=recipe.bounds.seconds,
        memory_bytes=recipe.bounds.memory_bytes,
    )
    given = standard.apply(values.astype(np.float64))
    trained = train(network, (given, _wanted(target, classes)), bounds, rng)
    _check_finished(trained)
    weights = network.weights()
    return Network(Rows(standard, weights, network), classes)


def _check_finished(trained: Trained) -> None:
    if not trained.finished:
        raise UsageError("the time was up; nothing was changed")
    if not np.isfinite(trained.losses).all():
        raise ModelError("the training came to no end that makes sense; nothing was changed")


def _wanted(target: I8, classes: int) -> F4:
    """Return what each output is to be; those that no class has are negative."""
    wanted = np.full((len(target), OUTPUTS), -1, np.float32)
    wanted[:, :classes] = 0
    wanted[np.arange(len(target)), target] = 1
    return wanted


def join_flows(parts: Sequence[F4]) -> F4:
    """Return all flows one behind the other."""
    return np.concatenate(parts) if parts else np.zeros((0, 19), np.float32)

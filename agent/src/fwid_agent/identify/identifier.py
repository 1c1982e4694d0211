"""A model that says which device it is by its flows of a day: trees or a network, in one safe file.

A file is arrays and what is said of them (identify.packed); all of it is checked before it is used.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from fwid_agent.core.flow_features import FLOW_FEATURES
from fwid_agent.errors import ModelError
from fwid_agent.identify.bases import OUTPUTS, network_of, read_base
from fwid_agent.identify.inputs import Standard, select_inputs
from fwid_agent.identify.open_set import OpenSet
from fwid_agent.identify.packed import pack, unpack
from fwid_agent.identify.trees import FlatTrees
from fwid_agent.model.trainable import Trainable, Weights
from fwid_agent.types import F4, F8, Identification

ModelType = Literal["forest", "tree", "fc", "conv1d"]
_VERSION = 1
_TREES = ("forest", "tree")
_RANGE = ("centre", "spread")
_MOST_CLASSES = 1000
_BATCH = 1024  # flows at a time: the runtime keeps all layers of a batch in memory
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Mac = Annotated[int, msgspec.Meta(ge=0, lt=1 << 48)]


@dataclass(frozen=True, slots=True)
class Known:
    """A class: what devices of it are called, and of which it was learnt."""

    label: _Text
    category: _Text | None = None
    devices: tuple[_Mac, ...] = ()  # MACs at home; none in what came with the agent


@dataclass(frozen=True, slots=True)
class About:
    """When and on what a model was trained."""

    trained_ns: int | None = None  # end of the newest day that was learnt from
    window_days: int | None = None
    accuracy: float | None = None  # share of right device-days on the newest held-out day


@dataclass(frozen=True, slots=True)
class Rows:
    """A network: the trainable file that came with the agent, and weights of its own."""

    standard: Standard
    weights: Weights
    network: Trainable

    def probabilities(self, values: F8, classes: int) -> F8:
        """Return how likely each class is [n, classes], of flows [n, 19]."""
        inputs = self.standard.apply(values)
        parts = [
            self.network.infer(inputs[begin : begin + _BATCH])[:, :classes]
            for begin in range(0, len(inputs), _BATCH)
        ]
        scores = np.concatenate(parts) if parts else np.zeros((0, classes))
        scores = scores.astype(np.float64)
        shifted = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
        result: F8 = shifted / shifted.sum(axis=1, keepdims=True)
        return result


class _Said(msgspec.Struct, frozen=True):
    version: int
    type: ModelType
    classes: Annotated[tuple[Known, ...], msgspec.Meta(min_length=1, max_length=_MOST_CLASSES)]
    inputs: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=len(FLOW_FEATURES))]
    open_set: OpenSet
    about: About
    trees: tuple[int, int] | None = None  # kind, inputs
    base: str | None = None  # SHA-256 of the trainable file


@dataclass(frozen=True, slots=True)
class Identifier:
    """One model. Either `trees` or `network` is there."""

    type: ModelType
    classes: tuple[Known, ...]
    inputs: tuple[str, ...]  # of FLOW_FEATURES
    open_set: OpenSet
    about: About = About()
    trees: FlatTrees | None = None
    network: Rows | None = None

    def __post_init__(self) -> None:
        """Raise ModelError where the parts do not fit each other."""
        fault = self._fault()
        if fault:
            raise ModelError(f"the {self.type} model: {fault}")

    @property
    def knows(self) -> frozenset[int]:
        """The devices at home that it was trained on."""
        return frozenset(mac for known in self.classes for mac in known.devices)

    def class_of(self, device: int) -> Known | None:
        """Return the class that was learnt of a device, whatever that is called now."""
        return next((known for known in self.classes if device in known.devices), None)

    def probabilities(self, values: F4) -> F8:
        """Return how likely each class is [n, classes], of flows [n, 19]."""
        exact = values.astype(np.float64)
        if self.trees is not None:
            return self.trees.probabilities(select_inputs(exact, self.inputs))
        if self.network is None:
            raise ModelError(f"the {self.type} model: is empty")
        return self.network.probabilities(exact, len(self.classes))

    def identify(self, values: F4) -> Identification:
        """Answer by flows [n, 19] of one device's day.

        Raises:
            ValueError: there are none.
            ModelError: the model fails.

        """
        if not len(values):
            raise ValueError("no flow, no answer")
        answer = self.open_set.answer(self.probabilities(values))
        best = self.classes[answer.best]
        if not answer.accepted:
            return Identification(None, None, 1 - answer.known, best.label)
        return Identification(best.label, best.category, answer.known, best.label)

    def dump(self) -> bytes:
        """Return its file."""
        said = _Said(
            _VERSION, self.type, self.classes, self.inputs, self.open_set, self.about,
            trees=(int(self.trees.kind), self.trees.inputs) if self.trees is not None else None,
            base=read_base(self.type).digest if self.network is not None else None,
        )  # fmt: skip
        arrays: dict[str, np.ndarray] = {}
        if self.trees is not None:
            arrays = self.trees.arrays()
        elif self.network is not None:
            standard = self.network.standard
            arrays = {f"w{n}": each for n, each in enumerate(self.network.weights)}
            arrays |= {"centre": standard.centre, "spread": standard.spread}
        return pack(msgspec.to_builtins(said), arrays)

    @classmethod
    def load(cls, content: bytes, name: str) -> "Identifier":
        """Read a file; raises ModelError where anything in it cannot be used."""
        said, arrays = unpack(content, name)
        try:
            told = msgspec.convert(said, type=_Said)
        except msgspec.ValidationError as error:
            raise ModelError(f"{name}: is damaged ({error})") from error
        if told.version != _VERSION:
            raise ModelError(f"{name}: is of version {told.version}, this agent reads {_VERSION}")
        if not set(told.inputs) <= set(FLOW_FEATURES):
            raise ModelError(f"{name}: takes inputs that this agent does not have")
        trees = FlatTrees.of_arrays(*told.trees, arrays, name) if told.trees else None
        network = _read_network(told, arrays, name) if told.base else None
        try:
            return cls(
                told.type, told.classes, told.inputs, told.open_set, told.about, trees, network
            )
        except ModelError as error:
            raise ModelError(f"{name}: {error}") from error

    def _fault(self) -> str:
        labels = [known.label for known in self.classes]
        devices = [mac for known in self.classes for mac in known.devices]
        if len(set(labels)) < len(labels) or len(set(devices)) < len(devices):
            return "a label or a device is in it twice"
        numbers = (*self.open_set.weights, self.open_set.offset, self.open_set.limit)
        if not np.isfinite(numbers).all():
            return "says nothing of when an answer is believed"
        grown = self.type in _TREES
        if (self.trees is not None) != grown or (self.network is None) != grown:
            return "holds a model of another type"
        if self.trees is not None and (
            self.trees.inputs != len(self.inputs) or self.trees.classes != len(self.classes)
        ):
            return "its trees are of other inputs or classes"
        if self.network is not None and len(self.classes) > OUTPUTS:
            return f"a network tells {OUTPUTS} classes at the most"
        return ""


def make_rows(kind: str, standard: Standard, weights: Weights) -> Rows:
    """Return a network with these weights; raises ModelError where they do not fit."""
    network = network_of(read_base(kind))
    network.restore(weights)
    return Rows(standard, weights, network)


def _read_network(told: _Said, arrays: dict[str, Any], name: str) -> Rows:
    if told.base != read_base(told.type).digest:
        raise ModelError(f"{name}: was trained by another version of the agent; `fwid retrain`")
    standard = Standard(told.inputs, *(arrays.pop(key, np.zeros(0)) for key in _RANGE))
    shape = (len(told.inputs),)
    if standard.centre.shape != shape or standard.spread.shape != shape:
        raise ModelError(f"{name}: does not say what its inputs' range is")
    if not (np.isfinite(standard.centre).all() and (standard.spread > 0).all()):
        raise ModelError(f"{name}: the range of its inputs makes no sense")
    weights = tuple(arrays.get(f"w{n}", np.zeros(0, np.float32)) for n in range(len(arrays)))
    return make_rows(told.type, standard, weights)

"""Every kind of model behind one face: flows of a home in, how likely each class is out."""

from dataclasses import dataclass, field, replace

import numpy as np

from fwid_agent.identify.inputs import DEFAULT_INPUTS, Standard, select_inputs
from fwid_agent.lab.identification.networks import EPOCHS, NETWORKS, NetworkModel
from fwid_agent.lab.identification.samples import Home
from fwid_agent.retrain.trees import TREES, TreeModel
from fwid_agent.types import F8, I8

KINDS = (*TREES, *NETWORKS)
LABELS = {
    "forest": "random forest",
    "tree": "decision tree",
    "boosted": "boosted trees",
    "fc": "fully connected",
    "lstm": "LSTM",
    "conv1d": "Conv1D",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a model is made of."""

    kind: str
    seed: int = 1
    inputs: tuple[str, ...] = DEFAULT_INPUTS
    epochs: int = EPOCHS  # of networks


@dataclass
class Classifier:
    """A model of one kind; networks remember the range of their inputs."""

    recipe: Recipe
    network: NetworkModel | None = None
    trees: TreeModel | None = None
    standard: Standard | None = None
    classes: int = 0
    seconds: float = field(default=0.0)

    def fit(self, home: Home, target: I8, classes: int) -> "Classifier":
        """Train on all flows of a home; `target` [n] are their classes."""
        recipe, self.classes = self.recipe, classes
        if recipe.kind in NETWORKS:
            self.standard = Standard.of(home.values, recipe.inputs)
            self.network = NetworkModel(recipe.kind, recipe.seed, recipe.epochs)
            self.network.fit(self.standard.apply(home.values), target, classes)
            self.seconds = self.network.seconds
        else:
            self.trees = TreeModel(recipe.kind, recipe.seed)
            self.trees.fit(select_inputs(home.values, recipe.inputs), target, classes)
        return self

    def update(self, home: Home, target: I8, frozen: int, epochs: int) -> "Classifier":
        """Return this network trained on with flows of another home; it stays as it is itself."""
        if self.network is None or self.standard is None:
            raise ValueError("only networks are trained on")
        network = self.network.copy()
        network.update(self.standard.apply(home.values), target, frozen, epochs)
        return replace(self, network=network, seconds=network.seconds)

    def probabilities(self, home: Home) -> F8:
        """Return how likely each class is [n, classes]."""
        if self.network is not None and self.standard is not None:
            return self.network.probabilities(self.standard.apply(home.values))
        if self.trees is None:
            raise ValueError("not trained yet")
        return self.trees.probabilities(select_inputs(home.values, self.recipe.inputs))

    def answer(self, home: Home) -> I8:
        """Return the most likely class of each flow [n]."""
        answer: I8 = self.probabilities(home).argmax(axis=1)
        return answer


def one_against_rest(recipe: Recipe, home: Home, target: I8, classes: int) -> list[Classifier]:
    """Return a model a class that says yes or no."""
    return [
        Classifier(recipe).fit(home, (target == each).astype(np.int64), 2)
        for each in range(classes)
    ]

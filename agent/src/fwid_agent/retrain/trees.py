"""Trees of scikit-learn, and the same trees as flat arrays."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from fwid_agent.identify.trees import FlatTrees, TreeKind
from fwid_agent.types import F4, F8, I8, Bools

TREES = ("forest", "tree", "boosted")
_ROUNDS, _LEAVES = 60, 15


@dataclass(frozen=True, slots=True)
class Growth:
    """How large trees grow; as scikit-learn does where nothing is said."""

    trees: int = 100  # of a forest
    least_leaf: int = 1  # flows


class TreeModel:
    """One of TREES: random forest, decision tree, gradient-boosted trees."""

    def __init__(self, kind: str, seed: int, growth: Growth = Growth()) -> None:
        self.kind = kind
        self._model = _make(kind, seed, growth)

    def fit(self, inputs: F4, target: I8, classes: int) -> None:
        """Grow the trees on inputs [n, inputs] and classes [n]."""
        self._classes = classes
        with _one_thread():
            self._model.fit(inputs, target)

    def probabilities(self, inputs: F4) -> F8:
        """Return how likely each class is [n, classes]; 0 for those that were in no sample."""
        result: F8 = np.zeros((len(inputs), self._classes))
        with _one_thread():
            result[:, self._model.classes_] = self._model.predict_proba(inputs)
        return result

    @property
    def present(self) -> I8:
        """The classes that were in the samples."""
        return np.asarray(self._model.classes_, np.int64)

    def flat(self) -> FlatTrees:
        """Return the trees as flat arrays, of the classes that were in the samples."""
        return flatten(self._model)


def _one_thread() -> AbstractContextManager[Any]:
    """Threads that wait for each other on a busy machine take seven times as long as one."""
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - comes with scikit-learn

    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _make(kind: str, seed: int, growth: Growth) -> Any:  # noqa: ANN401 - no types
    from sklearn.ensemble import (  # noqa: PLC0415 - an extra, and slow to load
        HistGradientBoostingClassifier,
        RandomForestClassifier,
    )
    from sklearn.tree import DecisionTreeClassifier  # noqa: PLC0415

    if kind == "forest":
        return RandomForestClassifier(
            growth.trees, min_samples_leaf=growth.least_leaf, random_state=seed
        )
    if kind == "tree":
        return DecisionTreeClassifier(min_samples_leaf=growth.least_leaf, random_state=seed)
    return HistGradientBoostingClassifier(
        max_iter=_ROUNDS, max_leaf_nodes=_LEAVES, early_stopping=False, random_state=seed
    )


def flatten(model: Any) -> FlatTrees:  # noqa: ANN401
    """Copy a fitted classifier of scikit-learn: a tree, a forest, or boosted trees by histogram."""
    if hasattr(model, "_predictors"):
        return _flatten_boosted(model)
    grown = [each.tree_ for each in getattr(model, "estimators_", [model])]
    counts = [each.node_count for each in grown]
    roots = np.cumsum(counts) - counts
    leaf = np.concatenate([each.children_left < 0 for each in grown])
    left, right = (
        np.concatenate(
            [getattr(each, side) + root for each, root in zip(grown, roots, strict=True)]
        )
        for side in ("children_left", "children_right")
    )
    value, row = _kept_once(np.concatenate([each.value[:, 0, :] for each in grown]), leaf)
    return FlatTrees(
        TreeKind.MEAN,
        roots.astype(np.int32),
        np.zeros(len(grown), np.int32),
        np.where(leaf, -1, np.concatenate([each.feature for each in grown])).astype(np.int16),
        _thresholds(np.concatenate([each.threshold for each in grown]), leaf),
        np.where(leaf, row, left).astype(np.int32),
        np.where(leaf, -1, right).astype(np.int32),
        value,
        np.zeros(0),
        int(model.n_features_in_),
    )


def _thresholds(values: F8, leaf: Bools) -> F4:
    """Round them down to what inputs can be: every input lies on the side where it lay."""
    rounded = values.astype(np.float32)
    below = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(leaf, 0, np.where(rounded > values, below, rounded)).astype(np.float32)


def _kept_once(values: F8, leaf: Bools) -> tuple[F8, I8]:
    """Return the different values of leaves, and which of them each node has."""
    different, which = np.unique(values[leaf], axis=0, return_inverse=True)
    row = np.zeros(len(values), np.int64)
    row[leaf] = which.reshape(-1)
    return np.ascontiguousarray(different), row


def _flatten_boosted(model: Any) -> FlatTrees:  # noqa: ANN401
    grown = [
        (output, each.nodes) for round_ in model._predictors for output, each in enumerate(round_)
    ]
    counts = [len(nodes) for _, nodes in grown]
    roots = np.cumsum(counts) - counts
    nodes = np.concatenate([nodes for _, nodes in grown])
    shift = np.repeat(roots, counts)
    leaf = nodes["is_leaf"].astype(bool)
    value, row = _kept_once(nodes["value"][:, None].astype(np.float64), leaf)
    return FlatTrees(
        TreeKind.BOOSTED,
        roots.astype(np.int32),
        np.array([output for output, _ in grown], np.int32),
        np.where(leaf, -1, nodes["feature_idx"]).astype(np.int16),
        _thresholds(nodes["num_threshold"], leaf),
        np.where(leaf, row, nodes["left"] + shift).astype(np.int32),
        np.where(leaf, -1, nodes["right"] + shift).astype(np.int32),
        value,
        np.asarray(model._baseline_prediction, np.float64).reshape(-1),
        int(model.n_features_in_),
    )

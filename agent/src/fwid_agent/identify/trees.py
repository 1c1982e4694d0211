"""Trees as flat arrays: what scikit-learn grew, without scikit-learn and without its pickles.

A file is numpy's npz with plain arrays, which are checked before any is followed: a damaged or
made-up file ends as an error, never as an endless walk.
"""

import io
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import numpy as np
from scipy.special import expit

from fwid_agent.errors import ModelError
from fwid_agent.types import F8, I4, I8

_LEAF = -1
_DTYPES = {
    "kind": "i4", "roots": "i4", "output": "i4", "feature": "i4", "threshold": "f8",
    "left": "i4", "right": "i4", "value": "f8", "start": "f8", "inputs": "i4",
}  # fmt: skip


class TreeKind(IntEnum):
    """How the answers of trees are put together."""

    MEAN = 0  # a tree, or a forest: the mean of what each leaf holds
    BOOSTED = 1  # the sum of one number a tree, each for one class, on a logarithmic scale


@dataclass(frozen=True, slots=True)
class FlatTrees:
    """The nodes of all trees, one behind the other."""

    kind: TreeKind
    roots: I4  # [trees]
    output: I4  # [trees] the class that a boosted tree speaks for; 0 in a forest
    feature: I4  # [nodes] input that is compared; -1 in a leaf
    threshold: F8  # [nodes] at most that much: left
    left: I4  # [nodes]
    right: I4  # [nodes]
    value: F8  # [nodes, classes], or [nodes, 1] where boosted
    start: F8  # [classes] what boosted sums begin with, one of two classes; [0] in a forest
    inputs: int

    def probabilities(self, inputs: np.ndarray) -> F8:
        """Return how likely each class is [n, classes], of inputs [n, inputs].

        The arithmetic is scikit-learn's, in its order, so that every bit is the same.
        """
        if inputs.shape[1:] != (self.inputs,):
            raise ModelError(f"the trees take {self.inputs} inputs, not {inputs.shape[1:]}")
        values = inputs.astype(np.float32).astype(np.float64)
        if self.kind is TreeKind.BOOSTED:
            return _squash(self._sum(values))
        total: F8 = np.zeros((len(values), self.value.shape[1]))
        for root in self.roots.tolist():
            total += self.value[self._leaves(values, root)]
        return total / len(self.roots)

    def _sum(self, values: F8) -> F8:
        # By columns, as scikit-learn has it: sums over a row depend on how it lies in memory.
        raw: F8 = np.zeros((len(values), len(self.start)), order="F")
        raw += self.start
        for root, output in zip(self.roots.tolist(), self.output.tolist(), strict=True):
            raw[:, output] += self.value[self._leaves(values, root), 0]
        return raw

    def _leaves(self, values: F8, root: int) -> I8:
        at = np.full(len(values), root, np.int64)
        rows = np.arange(len(values))
        while len(rows):
            here = at[rows]
            feature = self.feature[here]
            inner = feature != _LEAF
            rows, here, feature = rows[inner], here[inner], feature[inner]
            low = values[rows, feature] <= self.threshold[here]
            at[rows] = np.where(low, self.left[here], self.right[here])
        return at

    def dump(self) -> bytes:
        """Return the file."""
        file = io.BytesIO()
        columns: dict[str, Any] = {
            field.name: np.asarray(getattr(self, field.name), _DTYPES[field.name])
            for field in fields(self)
        }
        np.savez_compressed(file, **columns)
        return file.getvalue()

    @classmethod
    def load(cls, content: bytes, name: str) -> "FlatTrees":
        """Read a file; raises ModelError where it is none, or its trees cannot be walked."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                columns: dict[str, Any] = {key: np.asarray(file[key]) for key in _DTYPES}
        except Exception as error:
            raise ModelError(f"{name}: holds no trees ({error})") from error
        for key, dtype in _DTYPES.items():
            if columns[key].dtype != np.dtype(dtype):
                raise ModelError(f"{name}: {key} is of {columns[key].dtype}, not {dtype}")
        scalars = [columns[key] for key in ("kind", "inputs")]
        if any(each.shape != () for each in scalars) or int(columns["kind"]) not in set(TreeKind):
            raise ModelError(f"{name}: its trees are of no known kind")
        kind, inputs = TreeKind(int(columns.pop("kind"))), int(columns.pop("inputs"))
        trees = cls(kind=kind, inputs=inputs, **columns)
        fault = trees.fault()
        if fault:
            raise ModelError(f"{name}: {fault}")
        return trees

    def fault(self) -> str:
        """Say why the trees cannot be walked; "" where they can."""
        return self._fault_of_shapes() or self._fault_of_nodes()

    def _fault_of_shapes(self) -> str:
        nodes, trees = len(self.feature), len(self.roots)
        shapes = [self.threshold.shape, self.left.shape, self.right.shape]
        boosted = self.kind is TreeKind.BOOSTED
        if any(shape != (nodes,) for shape in shapes) or self.output.shape != (trees,):
            return "its columns differ in length"
        if self.value.ndim != 2 or self.value.shape[0] != nodes or self.value.shape[1] < 1:
            return "its values have another shape"
        if not trees or self.start.ndim != 1 or boosted != (len(self.start) > 0):
            return "it has no trees, or nothing to begin with"
        if boosted and not ((self.output >= 0) & (self.output < len(self.start))).all():
            return "a tree speaks for a class that is not there"
        return ""

    def _fault_of_nodes(self) -> str:
        nodes = len(self.feature)
        inner = np.flatnonzero(self.feature != _LEAF)
        if not ((self.roots >= 0) & (self.roots < nodes)).all():
            return "a tree begins outside of its nodes"
        for side in (self.left[inner], self.right[inner]):
            # Behind its parent, so that every walk comes to an end.
            if not ((side > inner) & (side < nodes)).all():
                return "a branch leads back or nowhere"
        if not ((self.feature >= _LEAF) & (self.feature < self.inputs)).all():
            return "a node compares an input that is not there"
        if not (np.isfinite(self.threshold).all() and np.isfinite(self.value).all()):
            return "not all of its numbers are numbers"
        return ""


def _squash(raw: F8) -> F8:
    if raw.shape[1] == 1:
        positive = expit(raw[:, 0])
        return np.stack([1 - positive, positive], axis=1)
    result = np.exp(raw - raw.max(axis=1, keepdims=True))
    result /= result.sum(axis=1)[:, None]
    scaled: F8 = result
    return scaled

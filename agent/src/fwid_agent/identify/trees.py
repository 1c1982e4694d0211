"""Trees as flat arrays: what scikit-learn grew, without scikit-learn and without its pickles.

Arrays of a file are checked before any is followed: a damaged or made-up file ends as an error,
never as an endless walk. Most leaves of a forest hold the same few answers, so each is kept once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from scipy.special import expit

from fwid_agent.errors import ModelError
from fwid_agent.identify.packed import pack, unpack
from fwid_agent.types import F4, F8, I2, I4, I8

_LEAF = -1
_DTYPES = {
    "roots": "i4", "output": "i4", "feature": "i2", "threshold": "f4", "left": "i4",
    "right": "i4", "value": "f8", "start": "f8",
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
    feature: I2  # [nodes] input that is compared; -1 in a leaf
    threshold: F4  # [nodes] at most that much: left
    left: I4  # [nodes] the node; of a leaf the row of its value
    right: I4  # [nodes]
    value: F8  # [rows, classes], or [rows, 1] where boosted
    start: F8  # [classes] what boosted sums begin with, one of two classes; [0] in a forest
    inputs: int

    def probabilities(self, inputs: np.ndarray) -> F8:
        """Return how likely each class is [n, classes], of inputs [n, inputs].

        The arithmetic is scikit-learn's, in its order, so that every bit is the same.
        """
        if inputs.shape[1:] != (self.inputs,):
            raise ModelError(f"the trees take {self.inputs} inputs, not {inputs.shape[1:]}")
        values = inputs.astype(np.float32)
        if self.kind is TreeKind.BOOSTED:
            return _squash(self._sum(values))
        total: F8 = np.zeros((len(values), self.value.shape[1]))
        for root in self.roots.tolist():
            total += self.value[self.left[self._leaves(values, root)]]
        return total / len(self.roots)

    def _sum(self, values: F4) -> F8:
        # By columns, as scikit-learn has it: sums over a row depend on how it lies in memory.
        raw: F8 = np.zeros((len(values), len(self.start)), order="F")
        raw += self.start
        for root, output in zip(self.roots.tolist(), self.output.tolist(), strict=True):
            raw[:, output] += self.value[self.left[self._leaves(values, root)], 0]
        return raw

    def _leaves(self, values: F4, root: int) -> I8:
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

    @property
    def classes(self) -> int:
        """How many classes an answer is shared among."""
        if self.kind is TreeKind.BOOSTED:
            return max(len(self.start), 2)
        return int(self.value.shape[1])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a file of them holds, beside their kind and how many inputs they take."""
        return {key: np.asarray(getattr(self, key), dtype) for key, dtype in _DTYPES.items()}

    def dump(self) -> bytes:
        """Return a file of the trees alone."""
        return pack({"kind": int(self.kind), "inputs": self.inputs}, self.arrays())

    @classmethod
    def load(cls, content: bytes, name: str) -> "FlatTrees":
        """Read such a file; raises ModelError where it is none, or its trees cannot be walked."""
        said, arrays = unpack(content, name)
        kind, inputs = said.get("kind"), said.get("inputs")
        if type(kind) is not int or type(inputs) is not int:
            raise ModelError(f"{name}: holds no trees")
        return cls.of_arrays(kind, inputs, arrays, name)

    @classmethod
    def of_arrays(
        cls, kind: int, inputs: int, arrays: Mapping[str, np.ndarray], name: str
    ) -> "FlatTrees":
        """Take them from a file; raises ModelError where they cannot be walked."""
        if kind not in set(TreeKind):
            raise ModelError(f"{name}: its trees are of no known kind")
        for key, dtype in _DTYPES.items():
            if key not in arrays:
                raise ModelError(f"{name}: holds no trees; {key} is missing")
            if arrays[key].dtype != np.dtype(dtype):
                raise ModelError(f"{name}: {key} is of {arrays[key].dtype}, not {dtype}")
        columns = {key: arrays[key] for key in _DTYPES}
        trees = cls(kind=TreeKind(kind), inputs=inputs, **columns)
        fault = trees.fault()
        if fault:
            raise ModelError(f"{name}: {fault}")
        return trees

    def fault(self) -> str:
        """Say why the trees cannot be walked; "" where they can."""
        return self._fault_of_shapes() or self._fault_of_nodes()

    def _fault_of_shapes(self) -> str:
        if any(getattr(self, key).ndim != 1 for key in _DTYPES if key != "value"):
            return "its columns are no columns"
        nodes, trees = len(self.feature), len(self.roots)
        columns = (self.threshold, self.left, self.right)
        if any(len(each) != nodes for each in columns) or len(self.output) != trees:
            return "its columns differ in length"
        boosted = self.kind is TreeKind.BOOSTED
        wide = self.value.ndim == 2 and self.value.shape[1] >= 1 and self.inputs >= 1
        if not wide or (boosted and self.value.shape[1] != 1):
            return "its values have another shape"
        if not trees or boosted != (len(self.start) > 0):
            return "it has no trees, or nothing to begin with"
        if boosted and not ((self.output >= 0) & (self.output < len(self.start))).all():
            return "a tree speaks for a class that is not there"
        return ""

    def _fault_of_nodes(self) -> str:
        if not ((self.roots >= 0) & (self.roots < len(self.feature))).all():
            return "a tree begins outside of its nodes"
        if self.roots[0] != 0 or (np.diff(self.roots) <= 0).any():
            return "its trees do not stand one behind the other"
        if not ((self.feature >= _LEAF) & (self.feature < self.inputs)).all():
            return "a node compares an input that is not there"
        numbers = (self.threshold, self.value, self.start)
        if not all(np.isfinite(each).all() for each in numbers):
            return "not all of its numbers are numbers"
        return self._fault_of_branches()

    def _fault_of_branches(self) -> str:
        inner = np.flatnonzero(self.feature != _LEAF)
        # Behind its parent and within its tree: all walks together pass a node once at the most.
        end = np.append(self.roots[1:], len(self.feature))
        last = end[np.searchsorted(self.roots, inner, "right") - 1]
        for side in (self.left[inner], self.right[inner]):
            if not ((side > inner) & (side < last)).all():
                return "a branch leads back or nowhere"
        row = self.left[self.feature == _LEAF]
        if not ((row >= 0) & (row < len(self.value))).all():
            return "a leaf has no value"
        return ""


def _squash(raw: F8) -> F8:
    if raw.shape[1] == 1:
        positive = expit(raw[:, 0])
        return np.stack([1 - positive, positive], axis=1)
    result = np.exp(raw - raw.max(axis=1, keepdims=True))
    result /= result.sum(axis=1)[:, None]
    scaled: F8 = result
    return scaled

"""Trees as flat arrays: every bit of scikit-learn's answer, and no file that can do harm."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fwid_agent.errors import ModelError
from fwid_agent.identify.packed import pack
from fwid_agent.identify.trees import FlatTrees, TreeKind
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("sklearn")

from fwid_agent.retrain.trees import TREES, TreeModel

pytestmark = pytest.mark.lab


def some_flows(seed: int, count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs of very different sizes, many of them equal, and a class that depends on them."""
    rng = np.random.default_rng(seed)
    inputs = np.stack(
        [
            rng.integers(0, 65_536, count),
            rng.lognormal(6, 3, count),
            rng.choice([6, 17], count),
            rng.normal(0, 1, count).round(1),
        ],
        axis=1,
    ).astype(np.float32)
    target = (inputs[:, 0] // 3000 + (inputs[:, 1] > 400) + rng.integers(0, 2, count)) % classes
    return inputs, target.astype(np.int64)


def fitted(kind: str, seed: int, classes: int) -> TreeModel:
    model = TreeModel(kind, seed)
    model.fit(*some_flows(seed, 600, classes), classes)
    return model


@pytest.mark.parametrize("classes", [2, 3, 19])
@pytest.mark.parametrize("kind", TREES)
def test_flat_trees_answer_as_scikit_learn_to_the_last_bit(kind: str, classes: int) -> None:
    """Also far outside of what they were grown on, and after a way through a file."""
    model = fitted(kind, 3, classes)
    flat = FlatTrees.load(model.flat().dump(), "trees")
    inputs, _ = some_flows(4, 2000, classes)
    inputs[::7] *= -1000
    expected = model.probabilities(inputs)
    assert flat.probabilities(inputs).tobytes() == expected.tobytes()
    assert np.unique(expected.argmax(axis=1)).tolist() == list(range(classes))


@pytest.mark.parametrize("kind", TREES)
def test_a_value_at_a_threshold_goes_the_same_way(kind: str) -> None:
    """Thresholds lie between values; right on them is where rounding would show."""
    model = fitted(kind, 5, 3)
    flat = model.flat()
    inner = np.flatnonzero(flat.feature >= 0)[:200]
    inputs = np.zeros((len(inner) * 3, 4), np.float32)
    for row, node in enumerate(inner.tolist()):
        at = np.float32(flat.threshold[node])
        for step, value in enumerate((np.nextafter(at, -np.inf), at, np.nextafter(at, np.inf))):
            inputs[row * 3 + step, flat.feature[node]] = value
    assert flat.probabilities(inputs).tobytes() == model.probabilities(inputs).tobytes()


FLAT = fitted("forest", 1, 3).flat()
BOOSTED = fitted("boosted", 1, 3).flat()
SINGLE = fitted("tree", 2, 2).flat()


@pytest.mark.parametrize(
    ("trees", "changes", "said"),
    [
        (FLAT, {"left": np.zeros_like(FLAT.left)}, "leads back"),
        (FLAT, {"right": FLAT.right + 10**6}, "leads back or nowhere"),
        (FLAT, {"feature": np.where(FLAT.feature >= 0, 99, -1).astype("i2")}, "input that is not"),
        (FLAT, {"roots": FLAT.roots - 1}, "outside of its nodes"),
        (FLAT, {"roots": FLAT.roots[:0], "output": FLAT.output[:0]}, "no trees"),
        (FLAT, {"threshold": FLAT.threshold[1:]}, "differ in length"),
        (FLAT, {"roots": FLAT.roots[[0, 0]], "output": FLAT.output[:2]}, "one behind the other"),
        (FLAT, {"roots": FLAT.roots[1:], "output": FLAT.output[1:]}, "one behind the other"),
        (FLAT, {"value": FLAT.value[:1]}, "leaf has no value"),
        (FLAT, {"inputs": 0}, "another shape"),
        (FLAT, {"right": FLAT.right[:, None]}, "are no columns"),
        (FLAT, {"value": FLAT.value[:, :0]}, "another shape"),
        (FLAT, {"value": FLAT.value * np.nan}, "are numbers"),
        (FLAT, {"value": FLAT.value.astype("f4")}, "value is of float32"),
        (BOOSTED, {"output": BOOSTED.output + 3}, "class that is not there"),
        (BOOSTED, {"start": BOOSTED.start[:0]}, "nothing to begin with"),
    ],
)
def test_trees_that_cannot_be_walked_are_refused(
    trees: FlatTrees, changes: dict[str, Any], said: str
) -> None:
    """A file may hold anything: no answer takes for ever, none is read from beside the nodes."""
    file = _dump(replace(trees, **changes))
    with pytest.raises(ModelError, match=said):
        FlatTrees.load(file, "trees")


def _dump(trees: FlatTrees) -> bytes:
    """As `dump`, but with the types that the arrays have."""
    return pack(
        {"kind": int(trees.kind), "inputs": trees.inputs},
        {key: getattr(trees, key) for key in FLAT.arrays()},
    )


@settings(max_examples=60)
@given(st.integers(0, 5000), st.integers(0, 255))
def test_a_damaged_file_ends_as_an_error_or_as_trees(place: int, value: int) -> None:
    """Whatever byte is wrong: a line that says so, or an answer in time."""
    content = bytearray(SINGLE.dump())
    content[place % len(content)] = value
    try:
        trees = FlatTrees.load(bytes(content), "trees")
    except ModelError:
        return
    assert trees.kind in set(TreeKind)
    assert len(trees.probabilities(np.zeros((3, trees.inputs), np.float32))) == 3


def test_inputs_of_another_width_are_refused() -> None:
    """A model for other features would answer something, and be wrong."""
    with pytest.raises(ModelError, match="take 4 inputs"):
        FLAT.probabilities(np.zeros((2, 3), np.float32))

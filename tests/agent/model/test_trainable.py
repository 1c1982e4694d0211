"""The adapter of networks that are trained where they run; needs no TensorFlow."""

import fwid_agent.model
import numpy as np
import pytest
from fwid_agent.errors import ModelError
from fwid_agent.model.manifest import ROW_TWIN, TRAINABLE, model_folder, read_file, read_manifest
from fwid_agent.model.trainable import BATCH, ROWS_SHOWN, Trainable, TrainedEncoder
from fwid_agent.types import F4


def content(name: str = TRAINABLE) -> bytes:
    return read_file(model_folder(), read_manifest(model_folder()), name)


@pytest.fixture
def network() -> Trainable:
    """The network that is shipped."""
    return Trainable(content(), TRAINABLE)


def batch(network: Trainable, seed: int = 1) -> tuple[F4, F4]:
    rng = np.random.default_rng(seed)
    columns = network.shapes[0][0]
    given = rng.random((BATCH, ROWS_SHOWN, columns)).astype(np.float32)
    return given, (rng.random((BATCH, 1)) < 0.5).astype(np.float32)


def layers(network: Trainable) -> list[list[F4]]:
    """The weights of each layer: a matrix and a bias."""
    flat = network.weights()
    return [list(flat[at : at + 2]) for at in range(0, len(flat), 2)]


def test_it_is_small() -> None:
    """What is shipped to be refined."""
    folder = model_folder()
    assert len((folder / TRAINABLE).read_bytes()) <= 300_000
    assert fwid_agent.model.__file__


def test_it_needs_no_operator_of_tensorflow() -> None:
    """A custom operator would be named in the file."""
    assert b"Flex" not in content()


@pytest.mark.parametrize("frozen", [0, 1, 2, 3])
def test_a_step_leaves_the_frozen_layers_as_they_are(network: Trainable, frozen: int) -> None:
    """And moves each of the others."""
    before = layers(network)
    network.step(*batch(network), rate=1e-3, frozen=frozen)
    for number, (old, new) in enumerate(zip(before, layers(network), strict=True)):
        same = all(map(np.array_equal, old, new))
        assert same == (number < frozen), number


def test_training_lowers_the_loss(network: Trainable) -> None:
    """On a batch that it sees again and again; `loss` tells it without a step."""
    examples = batch(network)
    first = network.loss(*examples)
    assert network.loss(*examples) == first
    told = [network.step(*examples, rate=1e-3, frozen=2) for _ in range(20)]
    assert told[0] == pytest.approx(first)
    assert network.loss(*examples) < first


def test_restoring_forgets_what_was_learnt(network: Trainable) -> None:
    """Weights and the optimiser's memory: the same steps give the same losses once more."""
    first = network.weights()
    examples = batch(network)
    told = [network.step(*examples, rate=1e-3, frozen=0) for _ in range(5)]
    network.restore(first)
    assert all(map(np.array_equal, network.weights(), first))
    assert [network.step(*examples, rate=1e-3, frozen=0) for _ in range(5)] == told


def test_two_networks_do_not_share_weights(network: Trainable) -> None:
    """One judges while the other is trained."""
    other = Trainable(content(), TRAINABLE)
    before = other.weights()
    network.step(*batch(network), rate=1e-3, frozen=0)
    assert all(map(np.array_equal, other.weights(), before))


def test_what_does_not_fit_is_refused(network: Trainable) -> None:
    """Another network's weights, none, and those of a training that went astray."""
    weights = network.weights()
    for wrong in (weights[:-1], (), (weights[0].T, *weights[1:])):
        with pytest.raises(ModelError, match="has weights of"):
            network.restore(wrong)
    with pytest.raises(ModelError, match="not finite"):
        network.restore((np.full_like(weights[0], np.nan), *weights[1:]))
    with pytest.raises(ModelError, match="7 frozen"):
        network.step(*batch(network), rate=1e-3, frozen=7)
    with pytest.raises(ModelError, match="failed"):
        network.loss(np.zeros((2, 3), np.float32), np.zeros((2, 1), np.float32))
    assert all(map(np.array_equal, network.weights(), weights))


def test_a_network_without_training_is_refused() -> None:
    """And what is no network at all."""
    with pytest.raises(ModelError, match="cannot be trained"):
        Trainable(content(ROW_TWIN), ROW_TWIN)
    with pytest.raises(ModelError, match="cannot be used"):
        Trainable(b"no model", "made")


def test_the_encoder_takes_what_the_shipped_one_takes(network: Trainable) -> None:
    """Any number of rows, also none; nothing of another shape or kind."""
    encoder = TrainedEncoder(network, network.weights(), "refined")
    rows = np.random.default_rng(2).integers(0, 256, (5, *encoder.shape)).astype(np.uint8)
    whole = encoder.encode(rows)
    assert np.allclose(whole, np.concatenate([encoder.encode(row[None]) for row in rows]))
    assert encoder.encode(rows[:0]).shape == (0, whole.shape[1])
    for wrong in (rows.astype(np.float32), rows[:, :-1]):
        with pytest.raises(ModelError, match="takes uint8 pictures"):
            encoder.encode(wrong)

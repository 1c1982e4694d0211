"""What is trained on the device learns as Keras does, with LiteRT's own operators alone."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from fwid_agent.core.image import still_image
from fwid_agent.model.encoder import Encoder
from fwid_agent.model.manifest import ROW_TWIN, TRAINABLE, model_folder, read_file, read_manifest
from fwid_agent.model.trainable import BATCH, ROWS_SHOWN, Trainable
from fwid_agent.types import F4

pytestmark = [pytest.mark.lab, pytest.mark.slow]
COLUMNS = still_image().shape[1]
_STEPS, _RATE = 30, 1e-3
_CLOSE = 1e-3  # of the loss, after every step


@pytest.fixture(scope="module")
def tf() -> Any:
    """TensorFlow, for which the lab has it."""
    return pytest.importorskip("tensorflow")


def shipped() -> tuple[bytes, Any]:
    """The row-shared twin as it is shipped, and its manifest."""
    manifest = read_manifest(model_folder())
    return read_file(model_folder(), manifest, ROW_TWIN), manifest


def batches(shape: tuple[int, ...], seed: int = 3) -> list[tuple[F4, F4]]:
    """Batches that are hard enough to learn for some steps."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(_STEPS):
        target = (rng.random((BATCH, 1)) < 0.5).astype(np.float32)
        given = rng.normal(0.5, 0.2, (BATCH, *shape)) + 0.2 * target.reshape(-1, *[1] * len(shape))
        made.append((given.astype(np.float32), target))
    return made


def keras_curve(tf: Any, model: Any, loss: Any, frozen: int, given: list[tuple[F4, F4]]) -> F4:
    """The losses of Keras's own training, its own optimiser included."""
    from fwid_agent.lab.trainable import list_layers

    for layer in list_layers(model)[:frozen]:
        layer.trainable = False
    model.compile(optimizer=tf.keras.optimizers.Adam(_RATE), loss=loss)
    return np.array(
        [model.train_on_batch(*batch, return_dict=True)["loss"] for batch in given], np.float32
    )


@cache
def converted_twin() -> bytes:
    """Converted once: that takes most of the time."""
    from fwid_agent.lab.trainable import trainable_twin

    content, manifest = shipped()
    return trainable_twin(content, manifest.logistic)


@pytest.mark.parametrize("frozen", [0, 1, 2, 3])
def test_the_twin_learns_as_keras_does(tf: Any, frozen: int) -> None:
    """The same batches give the same losses, with each number of frozen layers."""
    from fwid_agent.lab.trainable import rebuild_twin

    content, manifest = shipped()
    given = batches((ROWS_SHOWN, COLUMNS))
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    _, model = rebuild_twin(content, manifest.logistic)
    expected = keras_curve(tf, model, loss, frozen, given)
    network = Trainable(converted_twin(), "made")
    losses = [network.step(*batch, rate=_RATE, frozen=frozen) for batch in given]

    assert np.abs(np.array(losses) - expected).max() <= _CLOSE
    assert losses[-1] != losses[0]


def dense(tf: Any) -> Any:
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((19,)),
            layers.Dense(32, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(1),
        ]
    )


def convolution(tf: Any) -> Any:
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((19, 1)),
            layers.Conv1D(8, 3, activation="relu"),
            layers.Conv1D(8, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


@pytest.mark.parametrize("make", [dense, convolution])
def test_other_networks_learn_as_keras_does(tf: Any, make: Callable[[Any], Any]) -> None:
    """The way to LiteRT is no twin's own: dense networks and convolutions take it too."""
    from fwid_agent.lab.trainable import Training, make_trainable

    tf.keras.utils.set_random_seed(5)
    model = make(tf)
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    network = Trainable(make_trainable(Training(model, loss, (1,), range(3))), "made")
    first, given = network.weights(), batches(model.input_shape[1:])
    for frozen in range(3):
        other = tf.keras.models.clone_model(model)
        other.set_weights(model.get_weights())
        expected = keras_curve(tf, other, loss, frozen, given)
        network.restore(first)
        losses = [network.step(*batch, rate=_RATE, frozen=frozen) for batch in given]
        assert np.abs(np.array(losses) - expected).max() <= _CLOSE


@pytest.mark.parametrize("kind", ["fc", "conv1d"])
def test_the_shipped_networks_of_flows_learn_as_keras_does(tf: Any, kind: str) -> None:
    """The files themselves, with Keras's own pooling, with each number of frozen layers.

    Of 64 outputs five are used: the others get no slope, and change nothing.
    """
    from fwid_agent.identify.bases import OUTPUTS, draw_weights, network_of, read_base
    from fwid_agent.lab.identification.trainables import FROZEN, build_logits, masked_loss

    network = network_of(read_base(kind))
    rng = np.random.default_rng(7)
    first = draw_weights(network, rng)
    given = []
    for _ in range(_STEPS):
        classes = rng.integers(0, 5, network.batch)
        target = np.full((network.batch, OUTPUTS), -1, np.float32)
        target[:, :5] = np.eye(5)[classes]
        inputs = rng.normal(0, 1, (network.batch, 17)) + classes[:, None] / 4
        given.append((inputs.astype(np.float32), target))
    for frozen in FROZEN:
        model = build_logits(kind, pooled=True)
        model.set_weights(first)
        expected = keras_curve(tf, model, masked_loss, frozen, given)
        network.restore(first)
        losses = [network.step(*batch, rate=_RATE, frozen=frozen) for batch in given]
        assert np.abs(np.array(losses) - expected).max() <= _CLOSE
        assert losses[-1] < losses[0]
        kept = [(a == b).all() for a, b in zip(first, network.weights(), strict=True)]
        assert kept == [number < 2 * frozen for number in range(len(first))]


def test_what_is_shipped_is_the_network_that_judges(tf: Any) -> None:
    """Refinement begins where the shipped network is, and the two files are made together."""
    from fwid_agent.lab.trainable import read_dense

    content, manifest = shipped()
    network = Trainable(read_file(model_folder(), manifest, TRAINABLE), "shipped")
    rows = np.random.default_rng(1).integers(0, 256, (64, COLUMNS)).astype(np.uint8)
    small = Encoder(content, ROW_TWIN).encode(rows)
    exact = network.infer((rows / 255).astype(np.float32))

    assert np.abs(small - exact).max() <= 0.01 * np.abs(exact).max()
    flat = [values for layer in read_dense(content) for values in layer]
    for kept, read in zip(network.weights(), flat, strict=False):
        assert np.allclose(kept, read, atol=1e-6)
    assert network.weights()[-2].item() == pytest.approx(manifest.logistic.slope)
    assert network.weights()[-1].item() == pytest.approx(manifest.logistic.offset)

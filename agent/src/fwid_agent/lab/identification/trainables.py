"""The networks that a home trains by itself: the published FC and Conv1D with outputs to spare.

A home's devices come and go, so a file has OUTPUTS outputs, of which a home uses the first few: in
a target the others are negative, and neither the loss nor a slope sees them. Dropout is left out.
Weights and the optimiser's memory are zeros, which pack to nothing: what a training begins with is
drawn where it runs (identify.bases.draw_weights).
"""

from typing import Any

import numpy as np
import zstandard

from fwid_agent.identify.bases import OUTPUTS
from fwid_agent.identify.inputs import DEFAULT_INPUTS
from fwid_agent.lab.identification.networks import CONVOLUTION, DENSE
from fwid_agent.lab.networks import tensorflow
from fwid_agent.lab.trainable import Training, make_trainable

FROZEN = range(4)
BATCH = 128
_FAR = 1e9


def trainable_network(kind: str) -> bytes:
    """Return the packed file of a network."""
    model = build_logits(kind)
    model.set_weights([np.zeros_like(each) for each in model.get_weights()])
    training = Training(model, masked_loss, (OUTPUTS,), FROZEN, batch=BATCH)
    return zstandard.ZstdCompressor(level=19).compress(make_trainable(training))


def masked_loss(target: Any, output: Any) -> Any:  # noqa: ANN401 - TensorFlow has no types
    """Return the mean cross-entropy over the outputs whose target is not negative."""
    tf = tensorflow()
    used = tf.cast(target >= 0, tf.float32)
    logits = output * used - (1 - used) * _FAR
    most = tf.stop_gradient(tf.reduce_max(logits, axis=1, keepdims=True))
    total = tf.math.log(tf.reduce_sum(tf.exp(logits - most), axis=1)) + most[:, 0]
    return tf.reduce_mean(total - tf.reduce_sum(target * used * logits, axis=1))


def build_logits(kind: str, *, pooled: bool = False) -> Any:  # noqa: ANN401
    """Build the network in Keras, up to its logits.

    `pooled` takes Keras's own layer of pooling, whose slope LiteRT does not have; both give the
    same.
    """
    tf = tensorflow()
    layers = tf.keras.layers
    inputs = len(DEFAULT_INPUTS)
    hidden: list[Any]
    if kind == "fc":
        hidden = [layers.Dense(width, activation="relu") for width in DENSE]
    else:
        filters, kernel, width = CONVOLUTION
        hidden = [
            layers.Reshape((inputs, 1)),
            layers.Conv1D(filters, kernel, activation="relu"),
            layers.Conv1D(filters, kernel, activation="relu"),
            layers.MaxPooling1D(2) if pooled else layers.Lambda(_pool),
            layers.Flatten(),
            layers.Dense(width, activation="relu"),
        ]
    return tf.keras.Sequential([tf.keras.Input((inputs,)), *hidden, layers.Dense(OUTPUTS)])


def _pool(x: Any) -> Any:  # noqa: ANN401
    """Take the larger of each two neighbours [batch, length, channels]."""
    tf = tensorflow()
    length, channels = x.shape[1] // 2, x.shape[2]
    begin, size = (0, 0, 0), (-1, 2 * length, channels)
    pairs = tf.reshape(tf.slice(x, begin, size), (-1, length, 2, channels))
    return tf.reduce_max(pairs, axis=2)

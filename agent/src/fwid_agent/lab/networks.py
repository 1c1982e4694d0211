"""The two networks in Keras, and their way to LiteRT; nothing else imports TensorFlow."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fwid_agent.core.image import still_image
from fwid_agent.errors import UsageError
from fwid_agent.types import F4, I8, U1, Bools

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
_EPOCHS_TWIN, _EPOCHS_PUBLISHED = 40, 30
_TEMPERATURE = 0.1
OnEpoch = Callable[[int, int], None]


def tensorflow() -> Any:  # noqa: ANN401 - TensorFlow has no types
    """Import TensorFlow; raises UsageError where the extra is not installed."""
    try:
        with silence():  # its libraries greet before anybody can ask them not to
            import tensorflow  # noqa: PLC0415 - a second to import, and only for research
    except ImportError:
        raise UsageError("training needs the lab extra: install fwid-agent[lab]") from None
    return tensorflow


def _progress(tf: Any, epochs: int, on_epoch: OnEpoch) -> Any:  # noqa: ANN401
    return tf.keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: on_epoch(epoch + 1, epochs)
    )


def train_row_twin(
    pictures: U1, software: Bools, seed: int, on_epoch: OnEpoch
) -> tuple[Any, float]:
    """Train the row-shared twin: one small encoder for every row of both pictures.

    A comparison's distance is that of its picture from the picture in which nothing moved: the
    largest over the rows. A logistic function of it says how likely the software changed.

    Args:
        pictures: [n, rows, columns] uint8.
        software: [n].
        seed: of every random choice.
        on_epoch: told the epochs done and their number.

    Returns:
        The encoder (row picture to embedding) and the slope of the logistic function.

    """
    tf = tensorflow()
    tf.keras.utils.set_random_seed(seed)
    layers = tf.keras.layers
    columns = pictures.shape[2]
    encoder = tf.keras.Sequential(
        [
            tf.keras.Input((columns,)),
            layers.Dense(48, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(16),
        ]
    )
    still = tf.constant(still_image().astype(np.float32) / 255)

    class Distance(layers.Layer):  # type: ignore[misc, name-defined]
        """Largest distance of a row's embedding from that of the still row."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder
            self.slope = self.add_weight(shape=(), initializer="ones", name="slope")
            self.offset = self.add_weight(shape=(), initializer="zeros", name="offset")

        def call(self, rows: Any) -> Any:  # noqa: ANN401
            moved = self.encoder(tf.reshape(rows, (-1, columns)))
            moved = tf.reshape(moved, (-1, rows.shape[1], moved.shape[-1]))
            apart = moved - self.encoder(still)[None]
            distance = tf.sqrt(tf.reduce_sum(apart**2, axis=-1) + 1e-8)
            return self.slope * tf.reduce_max(distance, axis=-1) + self.offset

    given = tf.keras.Input(pictures.shape[1:])
    distance = Distance()
    model = tf.keras.Model(given, distance(given))
    model.compile(
        optimizer=tf.keras.optimizers.Adam(3e-3),
        loss=tf.keras.losses.BinaryCrossentropy(from_logits=True),
    )
    model.fit(
        pictures.astype(np.float32) / 255,
        software.astype(np.float32),
        epochs=_EPOCHS_TWIN,
        batch_size=64,
        verbose=0,
        callbacks=[_progress(tf, _EPOCHS_TWIN, on_epoch)],
    )
    _round_weights(encoder)
    return encoder, float(distance.slope.numpy())


def _round_weights(encoder: Any) -> None:  # noqa: ANN401
    """Put the weights on the grid of int8, an output at a time, as the converter does.

    What is measured in float and what is shipped are then the same network: only the activations'
    rounding parts them.
    """
    for layer in encoder.layers:
        weights, bias = layer.get_weights()
        step = np.maximum(np.abs(weights).max(axis=0, keepdims=True), 1e-9) / 127
        layer.set_weights([np.round(weights / step) * step, bias])


def train_published(pictures: U1, device: I8, seed: int, on_epoch: OnEpoch) -> Any:  # noqa: ANN401
    """Train the published kind of twin: pictures of one device close, of two devices far apart.

    The loss pulls each picture of a batch towards those of its device and away from all others
    (Khosla et al., "Supervised Contrastive Learning", NeurIPS 2020), which is the twin's pair loss
    over all pairs of the batch at once.

    Args:
        pictures: [n, rows, columns] uint8.
        device: [n] which device each is of.
        seed: of every random choice.
        on_epoch: told the epochs done and their number.

    """
    tf = tensorflow()
    tf.keras.utils.set_random_seed(seed)
    layers = tf.keras.layers
    encoder = tf.keras.Sequential(
        [
            tf.keras.Input(pictures.shape[1:]),
            layers.Reshape((*pictures.shape[1:], 1)),
            layers.Conv2D(8, 3, 2, activation="relu", padding="same"),
            layers.Conv2D(16, 3, 2, activation="relu", padding="same"),
            layers.Conv2D(24, 3, 2, activation="relu", padding="same"),
            layers.Flatten(),
            layers.Dense(24),
        ]
    )

    def loss(who: Any, embedding: Any) -> Any:  # noqa: ANN401
        unit = tf.math.l2_normalize(embedding, axis=1)
        likeness = tf.matmul(unit, unit, transpose_b=True) / _TEMPERATURE
        who = tf.reshape(who, (-1,))
        others = 1 - tf.eye(tf.shape(unit)[0])
        same = tf.cast(who[:, None] == who[None, :], tf.float32) * others
        log_share = likeness - tf.reduce_logsumexp(
            likeness + tf.math.log(others + 1e-9), axis=1, keepdims=True
        )
        number = tf.reduce_sum(same, axis=1)
        told = -tf.reduce_sum(same * log_share, axis=1) / tf.maximum(number, 1)
        return tf.reduce_sum(told) / tf.maximum(tf.reduce_sum(tf.cast(number > 0, tf.float32)), 1)

    encoder.compile(optimizer=tf.keras.optimizers.Adam(2e-3), loss=loss)
    encoder.fit(
        pictures.astype(np.float32) / 255,
        device.astype(np.float32),
        epochs=_EPOCHS_PUBLISHED,
        batch_size=96,
        verbose=0,
        callbacks=[_progress(tf, _EPOCHS_PUBLISHED, on_epoch)],
    )
    return encoder


def embed(encoder: Any, pictures: U1) -> F4:  # noqa: ANN401
    """Embed pictures with a Keras encoder."""
    result: F4 = np.asarray(encoder(pictures.astype(np.float32) / 255), np.float32)
    return result


def convert(
    encoder: Any,  # noqa: ANN401
    representative: U1 | None,
    activations: Literal["int8", "int16"] = "int8",
) -> bytes:
    """Convert an encoder to LiteRT: quantised by a representative set of pictures, or float.

    Weights are int8 either way. Where a score is read off a distance, int8 activations are too
    coarse for it, and int16 ones cost nothing in a network this small.
    """
    tf = tensorflow()
    with silence():
        return _convert(tf, encoder, representative, activations)


@contextmanager
def silence() -> Iterator[None]:
    """Keep the converter's chatter, from Python and from C++, out of what a command prints."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.dup2(nowhere.fileno(), 2)
        try:
            with redirect_stdout(nowhere):
                yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _convert(tf: Any, encoder: Any, representative: U1 | None, activations: str) -> bytes:  # noqa: ANN401
    converter = tf.lite.TFLiteConverter.from_keras_model(encoder)
    if representative is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [picture[None].astype(np.float32) / 255] for picture in representative
        )
        wide = activations == "int16"
        operators = tf.lite.OpsSet
        converter.target_spec.supported_ops = [
            operators.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            if wide
            else operators.TFLITE_BUILTINS_INT8
        ]
        converter.inference_input_type = tf.int16 if wide else tf.int8
        converter.inference_output_type = tf.int16 if wide else tf.int8
    model: bytes = converter.convert()
    return model

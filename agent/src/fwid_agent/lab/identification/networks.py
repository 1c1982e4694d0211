"""The three networks of the publication, in Keras, and their way to LiteRT.

*Published:* the layers and their sizes, Adam, softmax or one sigmoid. *From the authors' public
code:* standardised inputs, batches of 128, 15 epochs. *Our reading:* the LSTM takes a flow as one
step of all inputs, Conv1D slides over the inputs in their published order.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from fwid_agent.lab.networks import silence, tensorflow
from fwid_agent.types import F4, F8, I8

NETWORKS = ("fc", "lstm", "conv1d")
Precision = Literal["float", "int8"]
DENSE, _LSTM = (32, 64, 128, 256), (200, 100, 50, 25)
CONVOLUTION = (64, 3, 100)  # filters, kernel, the dense layer behind
_DROPOUT = 0.2
_BATCH, _REPRESENTATIVE, _PREDICT = 128, 500, 8192
EPOCHS = 15


@dataclass
class NetworkModel:
    """One of NETWORKS. `seconds` is how long the last training took."""

    kind: str
    seed: int
    epochs: int = EPOCHS
    seconds: float = 0.0
    _classes: int = 0
    _model: Any = field(default=None, repr=False)
    _sample: F4 | None = field(default=None, repr=False)

    def fit(self, inputs: F4, target: I8, classes: int) -> None:
        """Train from nothing on inputs [n, inputs] and classes [n]."""
        tf = tensorflow()
        tf.keras.backend.clear_session()
        tf.keras.utils.set_random_seed(self.seed)
        self._classes = classes
        self._model = build(tf, self.kind, inputs.shape[1], classes)
        rng = np.random.default_rng(self.seed)
        chosen = rng.permutation(len(inputs))[:_REPRESENTATIVE]
        self._sample = inputs[chosen]
        self._train(tf, inputs, target, self.epochs)

    def update(self, inputs: F4, target: I8, frozen: int, epochs: int) -> None:
        """Train on, with the first layers frozen: one a Dense, LSTM or convolution."""
        tf = tensorflow()
        layers = [each for each in self._model.layers if each.weights]
        for index, layer in enumerate(layers):
            layer.trainable = index >= frozen
        self._train(tf, inputs, target, epochs)
        for layer in layers:
            layer.trainable = True

    def _train(self, tf: Any, inputs: F4, target: I8, epochs: int) -> None:  # noqa: ANN401
        binary = self._classes == 2
        self._model.compile(
            optimizer=tf.keras.optimizers.Adam(),
            loss="binary_crossentropy" if binary else "sparse_categorical_crossentropy",
        )
        data = (
            tf.data.Dataset.from_tensor_slices((inputs, target.astype(np.float32)))
            .cache()
            .shuffle(len(inputs), seed=self.seed)
            .batch(_BATCH)
        )
        began = time.perf_counter()
        self._model.fit(data, epochs=epochs, shuffle=False, verbose=0)
        self.seconds = time.perf_counter() - began

    def copy(self) -> "NetworkModel":
        """Return the same network with the same weights, to be trained on by itself."""
        tf = tensorflow()
        twin = tf.keras.models.clone_model(self._model)
        twin.set_weights(self._model.get_weights())
        return NetworkModel(
            self.kind, self.seed, self.epochs, 0.0, self._classes, twin, self._sample
        )

    def probabilities(self, inputs: F4) -> F8:
        """Return how likely each class is [n, classes]."""
        parts = [
            np.asarray(self._model(inputs[begin : begin + _PREDICT], training=False), np.float64)
            for begin in range(0, len(inputs), _PREDICT)
        ]
        result = np.concatenate(parts) if parts else np.zeros((0, self._classes))
        if self._classes == 2:
            result = np.concatenate([1 - result, result], axis=1)
        return result

    def convert(self, precision: Precision) -> bytes:
        """Return the network for LiteRT; int8 by what it was trained on."""
        tf = tensorflow()
        with silence():
            converter = tf.lite.TFLiteConverter.from_keras_model(self._model)
            if precision == "int8":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                sample = self._sample if self._sample is not None else np.zeros((1, 1), np.float32)
                converter.representative_dataset = lambda: ([row[None]] for row in sample)
                converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
                converter.inference_input_type = tf.int8
                converter.inference_output_type = tf.int8
            model: bytes = converter.convert()
        return model


def build(tf: Any, kind: str, inputs: int, classes: int) -> Any:  # noqa: ANN401 - no types
    """Return a network of a row of inputs, untrained."""
    layers = tf.keras.layers
    outputs = (
        layers.Dense(1, activation="sigmoid")
        if classes == 2
        else layers.Dense(classes, activation="softmax")
    )
    hidden: list[Any]
    if kind == "fc":
        hidden = [layers.Dense(width, activation="relu") for width in DENSE]
    elif kind == "lstm":
        hidden = [layers.Reshape((1, inputs))]
        for index, width in enumerate(_LSTM):
            inner = index < len(_LSTM) - 1
            # Unrolled: the one step becomes plain products, which eight bits can hold.
            hidden.append(layers.LSTM(width, return_sequences=inner, unroll=True))
            hidden.append(layers.Dropout(_DROPOUT))
    else:
        filters, kernel, width = CONVOLUTION
        hidden = [
            layers.Reshape((inputs, 1)),
            layers.Conv1D(filters, kernel, activation="relu"),
            layers.Conv1D(filters, kernel, activation="relu"),
            layers.Dropout(_DROPOUT),
            layers.MaxPooling1D(2),
            layers.Flatten(),
            layers.Dense(width, activation="relu"),
        ]
    return tf.keras.Sequential([tf.keras.Input((inputs,)), *hidden, outputs])

"""Networks that can be trained where they run: a Keras model with its training, as LiteRT.

LiteRT knows no optimiser, so a step of Adam is part of the graph, written with operators that
every LiteRT build has (nothing of TensorFlow is needed on the device). model.trainable says what
such a file offers, and runs it. Any Keras model whose operators have their gradients among LiteRT's
own can be made trainable this way.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from fwid_agent.core.image import AS_ALWAYS
from fwid_agent.errors import UsageError
from fwid_agent.lab.networks import silence, tensorflow
from fwid_agent.model.encoder import make_interpreter
from fwid_agent.model.manifest import Logistic
from fwid_agent.model.trainable import BATCH, FLAGS, ROWS_SHOWN
from fwid_agent.types import F4

# Adam with Keras's numbers (Kingma and Ba, "Adam", ICLR 2015).
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-7
_ROUND = 1e-8  # keeps the root's slope finite where nothing moved


@dataclass(frozen=True, slots=True)
class Training:
    """What is made trainable, and how."""

    model: Any  # Keras: input [batch, ...] -> output
    loss: Callable[[Any, Any], Any]  # target [batch, ...], output -> scalar
    target_shape: tuple[int, ...]  # without the batch
    frozen: Sequence[int]  # how many first layers a step may leave as they are
    inferred: Any = None  # Keras: what `infer` gives, of the same layers; None: the model itself
    batch: int = BATCH


def make_trainable(training: Training) -> bytes:
    """Convert a Keras model and its training to LiteRT; it begins with the model's weights."""
    tf = tensorflow()
    layers = list_layers(training.model)
    weights = [weight.value for layer in layers for weight in layer.trainable_weights]
    begins = np.cumsum([0, *(len(layer.trainable_weights) for layer in layers)]).tolist()
    module = tf.Module()
    module.weights = weights  # what a module has as an attribute is saved with it
    module.first = [tf.Variable(tf.zeros_like(weight)) for weight in weights]
    module.second = [tf.Variable(tf.zeros_like(weight)) for weight in weights]
    module.steps = tf.Variable(tf.zeros((1,)))
    inferred = training.inferred or training.model
    given = tf.TensorSpec((training.batch, *training.model.input_shape[1:]), tf.float32)
    wanted = tf.TensorSpec((training.batch, *training.target_shape), tf.float32)
    rate = tf.TensorSpec((1,), tf.float32)
    shown = tf.TensorSpec((None, *inferred.input_shape[1:]), tf.float32)

    def lose(input: Any, target: Any) -> Any:  # noqa: ANN401 - the name of the signature
        return training.loss(target, training.model(input, training=False))

    def restore(**values: Any) -> Any:  # noqa: ANN401
        for number, weight in enumerate(weights):
            weight.assign(values[f"w{number}"])
            for moment in (module.first[number], module.second[number]):
                moment.assign(tf.zeros_like(moment))
        module.steps.assign(tf.zeros((1,)))
        return {"done": tf.ones((1,))}

    signatures = {
        "infer": tf.function(lambda input: {"output": inferred(input)}).get_concrete_function(
            input=shown
        ),
        "loss": tf.function(
            lambda input, target: {"loss": lose(input, target)}
        ).get_concrete_function(input=given, target=wanted),
        "save": tf.function(
            lambda: {f"w{number}": tf.identity(weight) for number, weight in enumerate(weights)}
        ).get_concrete_function(),
        "restore": tf.function(restore).get_concrete_function(
            **{f"w{n}": tf.TensorSpec(weight.shape, tf.float32) for n, weight in enumerate(weights)}
        ),
    }
    with _differentiable(tf, layers):
        for frozen in training.frozen:
            step = tf.function(_step_of(tf, module, lose, begins[frozen]))
            signatures[f"train_{frozen}"] = step.get_concrete_function(
                input=given, target=wanted, rate=rate
            )
    with silence(), tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        converter.experimental_enable_resource_variables = True
        converted: bytes = converter.convert()
    return converted


@contextmanager
def _differentiable(tf: Any, layers: Sequence[Any]) -> Iterator[None]:  # noqa: ANN401
    """Write ReLUs and convolutions with what LiteRT has the slopes of; they give the same."""
    relu = tf.keras.activations.relu
    rectified = [layer for layer in layers if getattr(layer, "activation", None) is relu]
    convolving = [layer for layer in layers if isinstance(layer, tf.keras.layers.Conv1D)]
    for layer in rectified:
        layer.activation = lambda x: x * tf.cast(x > 0, tf.float32)
    kept = [layer.call for layer in convolving]
    for layer in convolving:
        if (layer.padding, *layer.strides, *layer.dilation_rate) != ("valid", 1, 1):
            raise UsageError(f"{layer.name}: only plain convolutions can be trained on the device")
        layer.call = lambda inputs, layer=layer: layer.activation(
            _convolve(tf, inputs, layer.kernel) + layer.bias
        )
    try:
        yield
    finally:
        for layer in rectified:
            layer.activation = relu
        for layer, call in zip(convolving, kept, strict=True):
            layer.call = call


def _convolve(tf: Any, x: Any, kernel: Any) -> Any:  # noqa: ANN401
    """Convolve [batch, length, channels] as a product with each window's values."""
    width, channels, filters = kernel.shape
    batch, length, _ = x.shape
    windows = [
        tf.slice(x, (0, at, 0), (batch, length - width + 1, channels)) for at in range(width)
    ]
    flat = tf.reshape(tf.concat(windows, axis=2), (-1, width * channels))
    product = tf.matmul(flat, tf.reshape(kernel, (width * channels, filters)))
    return tf.reshape(product, (batch, length - width + 1, filters))


def list_layers(model: Any) -> list[Any]:  # noqa: ANN401 - Keras has no types
    """List the layers with weights, those within layers too, in the order of the data."""
    found: list[Any] = []
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found += list_layers(layer)
        elif layer.trainable_weights:
            found.append(layer)
    return found


def _step_of(tf: Any, module: Any, lose: Callable[..., Any], begin: int) -> Callable[..., Any]:  # noqa: ANN401
    """Make a step of Adam over the weights from a number on; it tells the loss before it."""

    def step(input: Any, target: Any, rate: Any) -> Any:  # noqa: ANN401
        trained = module.weights[begin:]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for weight in trained:
                tape.watch(weight)
            loss = lose(input, target)
        slopes = tape.gradient(loss, trained)
        steps = module.steps.assign_add(tf.ones((1,)))
        length = rate * tf.sqrt(1 - tf.pow(_BETA_2, steps)) / (1 - tf.pow(_BETA_1, steps))
        for number, (weight, slope) in enumerate(zip(trained, slopes, strict=True), begin):
            first, second = module.first[number], module.second[number]
            mean = first + (slope - first) * (1 - _BETA_1)
            square = second + (slope * slope - second) * (1 - _BETA_2)
            first.assign(mean)
            second.assign(square)
            weight.assign(weight - mean * length / (tf.sqrt(square) + _EPSILON))
        return {"loss": loss}

    return step


# --- the row-shared twin -------------------------------------------------------------------------


def trainable_twin(row_twin: bytes, logistic: Logistic) -> bytes:
    """Make the row-shared twin trainable, from the file that is shipped.

    It takes the rows of a picture that moved most, [batch, ROWS_SHOWN, columns] as 0 .. 1, and
    whether the software changed; its layers are the encoder's and the logistic function.
    """
    encoder, model = rebuild_twin(row_twin, logistic)
    loss = tensorflow().keras.losses.BinaryCrossentropy(from_logits=True)
    frozen = range(len(list_layers(model)))
    return make_trainable(Training(model, loss, (1,), frozen, inferred=encoder))


def rebuild_twin(row_twin: bytes, logistic: Logistic) -> tuple[Any, Any]:
    """Build the Keras encoder of a shipped row-shared twin, and the twin that is trained."""
    tf = tensorflow()
    layers = tf.keras.layers
    matrices = read_dense(row_twin)
    columns = matrices[0][0].shape[0]
    dense = [
        layers.Dense(len(bias), activation=None if number == len(matrices) - 1 else "relu")
        for number, (_, bias) in enumerate(matrices)
    ]
    encoder = tf.keras.Sequential([tf.keras.Input((columns,)), *dense])
    for layer, values in zip(dense, matrices, strict=True):
        layer.set_weights(values)
    rows = tf.keras.Input((ROWS_SHOWN, columns))
    still = layers.Lambda(
        lambda shown: tf.concat(
            [shown[:, :, :FLAGS], tf.ones_like(shown[:, :, FLAGS:]) * (AS_ALWAYS / 255)], axis=2
        )
    )(rows)
    flat = layers.Reshape((ROWS_SHOWN, columns))

    def embed(shown: Any) -> Any:  # noqa: ANN401
        shown = flat(shown)
        for layer in dense:
            shown = layer(shown)
        return shown

    distance = layers.Lambda(
        lambda both: tf.reduce_max(
            tf.sqrt(tf.reduce_sum((both[0] - both[1]) ** 2, axis=2) + _ROUND), axis=1, keepdims=True
        )
    )([embed(rows), embed(still)])
    last = layers.Dense(1)
    model = tf.keras.Model(rows, last(distance))
    last.set_weights([np.full((1, 1), logistic.slope), np.full(1, logistic.offset)])
    return encoder, model


def read_dense(content: bytes) -> list[tuple[F4, F4]]:
    """Read the dense layers of a LiteRT model in their order: matrix [inputs, outputs], bias."""
    interpreter = make_interpreter(content)
    interpreter.allocate_tensors()
    matrices: dict[int, F4] = {}  # by inputs
    biases: dict[int, F4] = {}  # by outputs
    for tensor in interpreter.get_tensor_details():
        try:
            values = interpreter.get_tensor(tensor["index"])
        except ValueError:
            continue  # not a constant
        scales = tensor["quantization_parameters"]["scales"]
        if values.ndim == 2 and len(scales) in (0, len(values)) and values.dtype != np.int16:
            real = values * scales[:, None] if len(scales) else values
            matrices[values.shape[1]] = real.T.astype(np.float32)
        elif values.ndim == 1 and len(scales) in (0, len(values)):
            biases[len(values)] = (values * scales if len(scales) else values).astype(np.float32)
    (inputs,) = interpreter.get_input_details()
    width, found = int(inputs["shape"][-1]), []
    while width in matrices:
        matrix = matrices.pop(width)
        width = matrix.shape[1]
        found.append((matrix, biases[width]))
    return found

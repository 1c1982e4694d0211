"""The published kind of twin, refined by MAC addresses alone: devices seen at home against not.

Its head goes on learning to tell devices apart (supervised contrastive loss, labels are the MAC
addresses), its convolutions stay as they are. Half of the devices are seen, half are not, and then
the other way round; devices are held against those of their own half only, so that every network is
asked the same.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fwid_agent.core.effect import rank_auc
from fwid_agent.core.image import GlobalScaler, global_image, measure_columns
from fwid_agent.lab.cases import DAY_NS, LabelledDevice
from fwid_agent.lab.daily import list_days
from fwid_agent.lab.networks import tensorflow
from fwid_agent.lab.trainable import Training, make_trainable
from fwid_agent.model.encoder import make_interpreter, unit_length
from fwid_agent.model.manifest import PUBLISHED, model_folder, read_file, read_manifest
from fwid_agent.model.trainable import Trainable
from fwid_agent.model.training import Bounds, train
from fwid_agent.refine.days import split_days
from fwid_agent.types import F4, F8, U1

_BATCH = 64
_CONVOLUTIONS = 3  # stay as they are
_TEMPERATURE = 0.1
# TensorFlow is in the same process here, so its memory says nothing of a home.
_BOUNDS = Bounds(steps=300, frozen=_CONVOLUTIONS, memory_bytes=1 << 40)


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One network on all devices' later days."""

    network: str  # shipped, not seen, seen
    auc_device: float  # two days of one device over days of two
    auc_version: float  # days of a new version over days of the running one, by likeness to it
    seconds: float  # of the processor, for one household's refinement


@dataclass(frozen=True, slots=True)
class _Device:
    pictures: F4  # [days, rows, columns] 0 .. 1
    versions: tuple[str, ...]  # of each day


@dataclass(frozen=True, slots=True)
class _Questions:
    home: Mapping[str, _Device]
    halves: Sequence[Sequence[str]]
    learning: int


def run_published(devices: Sequence[LabelledDevice], learning: int) -> Iterator[PublishedRow]:
    """Measure the shipped network and the refined ones."""
    home = {device.name: _draw_days(device) for device in devices}
    home = {name: each for name, each in home.items() if len(each.versions) > learning + 1}
    if len(home) < 2:  # half of them are those that were not seen
        return
    content = read_file(model_folder(), read_manifest(model_folder()), PUBLISHED)
    network = Trainable(trainable_published(content), PUBLISHED)
    first = network.weights()
    halves = [sorted(home)[half::2] for half in range(2)]

    def refine(names: Sequence[str]) -> float:
        network.restore(first)
        begin_s = time.process_time()
        _refine(network, {name: home[name].pictures[:learning] for name in names})
        return time.process_time() - begin_s

    def embed(names: Sequence[str]) -> dict[str, F4]:
        return {name: unit_length(network.infer(home[name].pictures)) for name in names}

    questions = _Questions(home, halves, learning)
    yield _weigh("shipped", embed(list(home)), questions, 0.0)
    unseen: dict[str, F4] = {}
    for half, other in (halves, halves[::-1]):
        refine(half)
        unseen |= embed(other)
    seconds = refine(list(home))
    yield _weigh("not seen", unseen, questions, seconds)
    yield _weigh("seen", embed(list(home)), questions, seconds)


def _draw_days(device: LabelledDevice) -> _Device:
    """Draw each day of a device on the scale of all training devices."""
    scale = read_manifest(model_folder()).scale
    scaler = GlobalScaler(scale.low, scale.high)
    versions = tuple(label.version for label, _ in list_days(device))
    # A day may be of several sessions: the first one's picture stands for it.
    drawn: list[U1] = [
        global_image(measure_columns(day), scaler)[0] for day in split_days(device.windows, DAY_NS)
    ]
    return _Device(np.stack(drawn).astype(np.float32) / np.float32(255), versions)


def _refine(network: Trainable, pictures: Mapping[str, F4]) -> None:
    given = np.concatenate(list(pictures.values()))
    who = np.repeat(np.arange(len(pictures)), [len(each) for each in pictures.values()])
    target = who.astype(np.float32)[:, None]
    train(network, (given, target), _BOUNDS, np.random.default_rng(1))


def _weigh(
    name: str,
    embedded: Mapping[str, F4],
    asked: _Questions,
    seconds: float,
) -> PublishedRow:
    same: list[F8] = []
    other: list[F8] = []
    running: list[float] = []
    new: list[float] = []
    for half in asked.halves:
        for number, one in enumerate(half):
            later = embedded[one][asked.learning :]
            likeness = (later @ later.T).astype(np.float64)
            same.append(likeness[np.triu_indices(len(later), 1)])
            for two in half[:number]:
                across = later @ embedded[two][asked.learning :].T
                other.append(across.astype(np.float64).ravel())
            for changed, drop in _drops(embedded[one], asked.home[one].versions, asked.learning):
                (new if changed else running).append(drop)
    return PublishedRow(
        name,
        rank_auc(np.concatenate(other), np.concatenate(same)),
        rank_auc(np.array(running), np.array(new)),
        seconds,
    )


def _drops(days: F4, versions: Sequence[str], learning: int) -> Iterator[tuple[bool, float]]:
    """Tell of each later day whether it begins a version, and how unlike the running one it is.

    That is how much less like the running version's days it is than they are among themselves.
    """
    running = [0]
    for number in range(1, len(versions)):
        changed = versions[number] != versions[number - 1]
        if number >= learning and len(running) > 1:
            inside = days[running] @ days[running].T
            usual = float(inside[~np.eye(len(running), dtype=bool)].mean())
            yield changed, usual - float((days[running] @ days[number]).mean())
        running = [number] if changed else [*running, number]


# --- the network ---------------------------------------------------------------------------------


def trainable_published(content: bytes) -> bytes:
    """Make the head of the published kind of twin trainable, from the file that is shipped."""
    model = rebuild_published(content)
    return make_trainable(Training(model, contrast, (1,), (_CONVOLUTIONS,), batch=_BATCH))


def contrast(who: Any, embedding: Any) -> Any:  # noqa: ANN401 - TensorFlow has no types
    """Supervised contrastive loss (Khosla et al., NeurIPS 2020), of LiteRT's operators alone.

    Args:
        who: [n, 1] number of each picture's device.
        embedding: [n, width].

    """
    tf = tensorflow()
    length = tf.sqrt(tf.reduce_sum(embedding**2, axis=1, keepdims=True) + 1e-9)
    unit = embedding / length
    # No likeness is above 1, so this is as safe as taking the largest off.
    likeness = (tf.matmul(unit, unit, transpose_b=True) - 1) / _TEMPERATURE
    others = 1 - tf.eye(int(embedding.shape[0]))
    same = tf.cast(tf.abs(who - tf.transpose(who)) < 0.5, tf.float32) * others
    whole = tf.reduce_sum(tf.exp(likeness) * others, axis=1, keepdims=True)
    share = likeness - tf.math.log(whole + 1e-12)
    number = tf.reduce_sum(same, axis=1)
    told = -tf.reduce_sum(same * share, axis=1) / tf.maximum(number, 1.0)
    return tf.reduce_sum(told) / tf.maximum(tf.reduce_sum(tf.minimum(number, 1.0)), 1.0)


def rebuild_published(content: bytes) -> Any:  # noqa: ANN401
    """Build the Keras encoder of a shipped network of the published kind."""
    tf = tensorflow()
    layers = tf.keras.layers
    interpreter = make_interpreter(content)
    interpreter.allocate_tensors()
    (given,) = interpreter.get_input_details()
    found = _read_convolutions(interpreter)
    shape = tuple(int(size) for size in given["shape"][1:])
    convolving = [
        layers.Conv2D(len(bias), 3, 2, activation="relu", padding="same") for _, bias in found[:-1]
    ]
    head = layers.Dense(len(found[-1][1]))
    model = tf.keras.Sequential(
        [
            tf.keras.Input(shape),
            layers.Reshape((*shape, 1)),
            *convolving,
            layers.Flatten(),
            head,
        ]
    )
    for layer, values in zip((*convolving, head), found, strict=True):
        layer.set_weights(values)
    return model


def _read_convolutions(interpreter: Any) -> list[tuple[F4, F4]]:  # noqa: ANN401
    """Read kernel and bias of each convolution and, at last, of the dense layer."""
    constants: dict[int, F4] = {}
    for tensor in interpreter.get_tensor_details():
        scales = tensor["quantization_parameters"]["scales"]
        try:
            values = interpreter.get_tensor(tensor["index"])
        except ValueError:
            continue  # not a constant
        if values.ndim and len(scales) == len(values):
            real = values * scales.reshape(-1, *[1] * (values.ndim - 1))
            constants[tensor["index"]] = real.astype(np.float32)
    found = []
    for operator in interpreter._get_ops_details():
        if operator["op_name"] in ("CONV_2D", "FULLY_CONNECTED"):
            _, kernel, bias = (int(each) for each in operator["inputs"])
            matrix = constants[kernel]
            turned = matrix.transpose(1, 2, 3, 0) if matrix.ndim == 4 else matrix.T
            found.append((turned, constants[bias]))
    return found

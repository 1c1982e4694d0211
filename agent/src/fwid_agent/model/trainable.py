"""A network that can be trained where it runs: LiteRT's signatures, checked at every step.

- `infer`: input [n, ...] -> output [n, width]
- `loss`: input, target -> loss, without a step
- `train_K`: input, target, rate -> loss before the step; the first K layers stay as they are
- `save`: nothing -> w0, w1 ...
- `restore`: w0, w1 ... -> done; the optimiser forgets what it knew

Weights go in and out as arrays, so no file is written by LiteRT.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fwid_agent.errors import ModelError
from fwid_agent.model.encoder import make_interpreter
from fwid_agent.types import F4, U1

BATCH = 32  # comparisons of a step of the row-shared twin
ROWS_SHOWN = 24  # rows of a comparison's picture that it trains on: those that moved most
FLAGS = 2  # columns of a row that say which row it is; they never move
_TRAIN = "train_"
Weights = tuple[F4, ...]


class Trainable:
    """One network with its weights and its optimiser's memory.

    Raises:
        ModelError: by every method, where the file cannot be used or does not fit what is given.

    """

    def __init__(self, content: bytes, name: str) -> None:
        self.name = name
        try:
            self._interpreter = make_interpreter(content)
            names = self._interpreter.get_signature_list()
            self._run = {each: self._interpreter.get_signature_runner(each) for each in names}
        except (ValueError, RuntimeError, TypeError) as error:
            raise ModelError(f"{name}: cannot be used as a model ({error})") from error
        missing = {"infer", "loss", "save", "restore"} - self._run.keys()
        self.frozen = sorted(
            int(each.removeprefix(_TRAIN)) for each in self._run if each.startswith(_TRAIN)
        )
        if missing or not self.frozen:
            raise ModelError(f"{name}: cannot be trained; it lacks {min(missing, default=_TRAIN)}")
        self.batch = int(self._run["loss"].get_input_details()["input"]["shape"][0])
        self.shapes = tuple(each.shape for each in self.weights())

    def weights(self) -> Weights:
        """Copy the weights, in the order of the layers."""
        found = self._call("save")
        return tuple(found[f"w{number}"].copy() for number in range(len(found)))

    def restore(self, weights: Sequence[F4]) -> None:
        """Take weights, and forget what was learnt of steps."""
        shapes = tuple(each.shape for each in weights)
        if shapes != self.shapes:
            raise ModelError(f"{self.name}: has weights of {self.shapes}, not {shapes}")
        if not all(np.isfinite(each).all() for each in weights):
            raise ModelError(f"{self.name}: takes no weights that are not finite")
        values = {f"w{n}": np.asarray(each, np.float32) for n, each in enumerate(weights)}
        self._call("restore", **values)

    def step(self, given: F4, target: F4, *, rate: float, frozen: int) -> float:
        """Take one step on a batch; tells the loss before it."""
        if frozen not in self.frozen:
            raise ModelError(f"{self.name}: cannot be trained with {frozen} frozen layers")
        told = self._call(
            f"{_TRAIN}{frozen}",
            input=np.asarray(given, np.float32),
            target=np.asarray(target, np.float32),
            rate=np.array([rate], np.float32),
        )
        return float(told["loss"])

    def loss(self, given: F4, target: F4) -> float:
        """Tell the loss of a batch."""
        told = self._call(
            "loss", input=np.asarray(given, np.float32), target=np.asarray(target, np.float32)
        )
        return float(told["loss"])

    def infer(self, given: F4) -> F4:
        """Return what the network gives for [n, ...] as [n, width]."""
        result: F4 = self._call("infer", input=np.asarray(given, np.float32))["output"]
        return result

    def _call(self, signature: str, **values: Any) -> Any:  # noqa: ANN401 - arrays by name
        try:
            return self._run[signature](**values)
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.name}: {signature} failed ({error})") from error


class TrainedEncoder:
    """The encoder of a trainable network: takes pictures as `Encoder` does, with other weights."""

    def __init__(self, network: Trainable, weights: Weights, name: str) -> None:
        self.name = name
        self._network = network
        network.restore(weights)
        self.shape: tuple[int, ...] = (weights[0].shape[0],)

    def encode(self, pictures: U1) -> F4:
        """Turn row pictures [n, columns] (uint8) into embeddings [n, width] (not normalised)."""
        if pictures.dtype != np.uint8 or pictures.shape[1:] != self.shape:
            raise ModelError(
                f"{self.name}: takes uint8 pictures of {self.shape}, "
                f"not {pictures.dtype} of {pictures.shape[1:]}"
            )
        return self._network.infer(pictures.astype(np.float32) / np.float32(255))

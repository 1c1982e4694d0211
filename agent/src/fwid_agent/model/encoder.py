"""The encoders: quantised LiteRT models, pictures to embeddings, checked at every step."""

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from fwid_agent.errors import ModelError
from fwid_agent.types import F4, U1

_INTEGERS = tuple(np.dtype(kind) for kind in (np.int8, np.uint8, np.int16))
_INSTALL = "install ai-edge-litert (or tflite-runtime)"


def load_runtime() -> ModuleType:
    """Return the interpreter's module: ai-edge-litert, else tflite-runtime; raises ModelError."""
    try:
        from ai_edge_litert import interpreter  # noqa: PLC0415 - one of the two is there
    except ImportError:
        try:
            from tflite_runtime import interpreter  # noqa: PLC0415
        except ImportError:
            raise ModelError(f"no LiteRT runtime is installed; {_INSTALL}") from None
    module: ModuleType = interpreter
    return module


def make_interpreter(content: bytes) -> Any:  # noqa: ANN401 - the runtime has no types
    """Return an interpreter for a small model; raises ModelError where there is no runtime.

    Whatever the runtime raises for the model itself is left to who knows its name.
    """
    runtime = load_runtime()
    # The optional delegate gains nothing on models this small, and it speaks up on stderr.
    return runtime.Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )


class Encoder:
    """One model: pictures of its input shape to embeddings.

    Pictures are uint8; how they become the model's numbers is read from the model itself.

    Raises:
        ModelError: the model cannot be loaded, or does not fit what it is used for.

    """

    def __init__(self, content: bytes, name: str) -> None:
        self.name = name
        try:
            self._interpreter = make_interpreter(content)
            self._interpreter.allocate_tensors()
            (self._input,) = self._interpreter.get_input_details()
            (self._output,) = self._interpreter.get_output_details()
        except (ValueError, RuntimeError, TypeError) as error:
            raise ModelError(f"{name}: cannot be used as a model ({error})") from error
        self.shape = tuple(int(size) for size in self._input["shape"][1:])
        self.width = int(self._output["shape"][-1])
        self._check(self._input, "input")
        self._check(self._output, "output")

    @classmethod
    def load(cls, path: Path) -> "Encoder":
        """Load a model file."""
        try:
            return cls(path.read_bytes(), path.name)
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror or error}") from error

    def encode(self, pictures: U1) -> F4:
        """Turn pictures [n, *shape] (uint8) into embeddings [n, width] (not normalised)."""
        if pictures.dtype != np.uint8 or pictures.shape[1:] != self.shape:
            raise ModelError(
                f"{self.name}: takes uint8 pictures of {self.shape}, "
                f"not {pictures.dtype} of {pictures.shape[1:]}"
            )
        if not len(pictures):
            return np.zeros((0, self.width), np.float32)
        batch = (len(pictures), *self.shape)
        try:
            self._interpreter.resize_tensor_input(self._input["index"], batch, strict=False)
            self._interpreter.allocate_tensors()
            values = quantise(pictures.astype(np.float32) / np.float32(255), self._input)
            self._interpreter.set_tensor(self._input["index"], values)
            # The interpreter raises where the runtime's own status is not "ok".
            self._interpreter.invoke()
            result = self._interpreter.get_tensor(self._output["index"])
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.name}: inference failed ({error})") from error
        if result.shape != (len(pictures), self.width):
            raise ModelError(f"{self.name}: gave {result.shape} for {len(pictures)} pictures")
        return dequantise(result, self._output)

    def _check(self, tensor: dict[str, Any], side: str) -> None:
        kind = np.dtype(tensor["dtype"])
        scale, _ = tensor["quantization"]
        if kind == np.float32:
            return
        if kind not in _INTEGERS or not scale > 0:
            raise ModelError(
                f"{self.name}: its {side} is {kind} without a scale, not a quantised integer"
            )


def unit_length(embeddings: F4) -> F4:
    """Scale embeddings to unit length."""
    length = np.linalg.norm(embeddings, axis=-1, keepdims=True)
    scaled: F4 = embeddings / np.maximum(length, 1e-9)
    return scaled


def quantise(values: F4, tensor: dict[str, Any]) -> Any:  # noqa: ANN401 - an integer or float32
    """Turn numbers into those of a model's input, by the scale that it says."""
    kind = np.dtype(tensor["dtype"])
    if kind == np.float32:
        return values
    scale, zero = tensor["quantization"]
    limits = np.iinfo(kind)
    return np.clip(np.round(values / scale + zero), limits.min, limits.max).astype(kind)


def dequantise(values: Any, tensor: dict[str, Any]) -> F4:  # noqa: ANN401
    """Turn the numbers of a model's output back."""
    if np.dtype(tensor["dtype"]) == np.float32:
        return np.asarray(values, np.float32)
    scale, zero = tensor["quantization"]
    result: F4 = ((values.astype(np.float32) - zero) * scale).astype(np.float32)
    return result

"""A network that was converted to LiteRT: inputs of flows to how likely each class is."""

import numpy as np

from fwid_agent.errors import ModelError
from fwid_agent.model.encoder import dequantise, load_runtime, quantise
from fwid_agent.types import F4, F8

_BATCH = 1024  # rows at a time: the interpreter keeps all layers of a batch in memory


class FlowNetwork:
    """One model; its numbers may be floats or quantised integers.

    Args:
        content: the model file.
        name: what errors call it.
        threads: cores that one inference may use.

    Raises:
        ModelError: the model cannot be loaded, or takes other inputs.

    """

    def __init__(self, content: bytes, name: str, threads: int = 1) -> None:
        self.name = name
        runtime = load_runtime()
        try:
            self._interpreter = runtime.Interpreter(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            (self._input,) = self._interpreter.get_input_details()
            (self._output,) = self._interpreter.get_output_details()
        except (ValueError, RuntimeError, TypeError) as error:
            raise ModelError(f"{name}: cannot be used as a model ({error})") from error
        if len(self._input["shape"]) != 2 or len(self._output["shape"]) != 2:
            raise ModelError(f"{name}: takes {self._input['shape']}, not one row a flow")
        self.inputs = int(self._input["shape"][1])
        self._rows = 0

    def probabilities(self, inputs: F4) -> F8:
        """Return how likely each class is [n, classes], of inputs [n, inputs]."""
        if inputs.shape[1:] != (self.inputs,):
            raise ModelError(f"{self.name}: takes {self.inputs} inputs, not {inputs.shape[1:]}")
        parts = [
            self._run(inputs[begin : begin + _BATCH]) for begin in range(0, len(inputs), _BATCH)
        ]
        outputs = int(self._output["shape"][1])
        scores = np.concatenate(parts) if parts else np.zeros((0, outputs), np.float32)
        result: F8 = scores.astype(np.float64)
        if outputs == 1:  # one yes or no
            result = np.concatenate([1 - result, result], axis=1)
        return result

    def _run(self, inputs: F4) -> F4:
        try:
            if len(inputs) != self._rows:
                self._interpreter.resize_tensor_input(self._input["index"], inputs.shape)
                self._interpreter.allocate_tensors()
                self._rows = len(inputs)
            self._interpreter.set_tensor(self._input["index"], quantise(inputs, self._input))
            self._interpreter.invoke()
            result = self._interpreter.get_tensor(self._output["index"])
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.name}: inference failed ({error})") from error
        return dequantise(result, self._output)

"""From the 19 features of flows to the numbers that models take.

Trees take the features as they are. Networks take them standardised, as published; before that we
take logarithms (ours): sizes and gaps spread over six powers of ten, of which eight bits would keep
the largest only.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.core.flow_features import (
    FLOW_FEATURE_INDEX,
    FLOW_FEATURES,
    LEAKS_THE_UNIT,
    NEEDS_HANDSHAKES,
)
from fwid_agent.types import F4, F8

DEFAULT_INPUTS = tuple(
    name for name in FLOW_FEATURES if name not in (*LEAKS_THE_UNIT, *NEEDS_HANDSHAKES)
)
_WIDEST = 4.0  # standard deviations; beyond, values are all the same to a network
_PER_UNIT = {"s": 1e3, "s^2": 1e6}  # times count in milliseconds, so that short ones differ


def select_inputs(values: F8, names: tuple[str, ...]) -> F4:
    """Return these features [n, inputs] of flows [n, 19]: what trees take."""
    columns = [FLOW_FEATURE_INDEX[name] for name in names]
    return values[:, columns].astype(np.float32)


@dataclass(frozen=True, slots=True)
class Standard:
    """The range of each input over the flows that a network was trained on."""

    names: tuple[str, ...]
    centre: F8  # [inputs]
    spread: F8  # [inputs]

    @classmethod
    def of(cls, values: F8, names: tuple[str, ...]) -> "Standard":
        """Measure flows [n, 19]."""
        logs = _logarithms(values, names)
        spread = logs.std(axis=0)
        return cls(names, logs.mean(axis=0), np.where(spread > 0, spread, 1))

    def apply(self, values: F8) -> F4:
        """Return the inputs [n, inputs] of flows [n, 19]: what networks take."""
        scaled = (_logarithms(values, self.names) - self.centre) / self.spread
        return scaled.clip(-_WIDEST, _WIDEST).astype(np.float32)


def _logarithms(values: F8, names: tuple[str, ...]) -> F8:
    factors = np.array([_PER_UNIT.get(FLOW_FEATURES[name], 1.0) for name in names])
    chosen = values[:, [FLOW_FEATURE_INDEX[name] for name in names]] * factors
    result: F8 = np.sign(chosen) * np.log1p(np.abs(chosen))
    return result

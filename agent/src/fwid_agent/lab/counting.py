"""Counts with honest intervals: Wilson for proportions, bootstrap by device, AUC by ranks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, ndtri

from fwid_agent.core.effect import rank_auc

__all__ = ["Count", "Rate", "bootstrap_by_device", "rank_auc"]


@dataclass(frozen=True, slots=True)
class Count:
    """x of n, with its Wilson interval (Wilson 1927)."""

    hits: int
    total: int

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the limits of the proportion; (0, 1) where nothing was counted."""
        if self.total == 0:
            return 0.0, 1.0
        z = float(ndtri(0.5 + confidence / 2))
        share = self.hits / self.total
        scale = 1 + z * z / self.total
        centre = (share + z * z / (2 * self.total)) / scale
        half = z * math.sqrt(share * (1 - share) / self.total + (z / (2 * self.total)) ** 2) / scale
        return max(centre - half, 0.0), min(centre + half, 1.0)

    def __str__(self) -> str:
        """Write as 20/22 (72-97 %)."""
        low, high = self.interval()
        return f"{self.hits}/{self.total} ({100 * low:.0f}-{100 * high:.0f} %)"


@dataclass(frozen=True, slots=True)
class Rate:
    """Events in a time of watching, with the exact Poisson interval (Garwood 1936)."""

    events: int
    time: float

    def interval(self, confidence: float = 0.95) -> tuple[float, float]:
        """Return the limits of the rate; (0, inf) where nothing was watched."""
        if self.time <= 0:
            return 0.0, math.inf
        tail = (1 - confidence) / 2
        low = float(gammaincinv(self.events, tail)) if self.events else 0.0
        return low / self.time, float(gammaincinv(self.events + 1, 1 - tail)) / self.time


def bootstrap_by_device(
    hits: Mapping[str, Sequence[bool]], rng: np.random.Generator, draws: int = 2000
) -> tuple[float, float]:
    """Return the 95 % percentile interval of the proportion when whole devices are drawn anew.

    Cases of one device are not independent; devices are.
    """
    devices = [np.asarray(values, float) for values in hits.values() if len(values)]
    if not devices:
        return 0.0, 1.0
    sums = np.array([values.sum() for values in devices])
    sizes = np.array([len(values) for values in devices])
    drawn = rng.integers(0, len(devices), (draws, len(devices)))
    shares = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return float(low), float(high)

"""Hedges' g with the exact small-sample correction and its noncentral-t interval.

Hedges, "Distribution theory for Glass's estimator of effect size and related estimators",
Journal of Educational Statistics 6 (1981), 107-128; interval by inverting the noncentral t
distribution (Steiger and Fouladi 1997). `scipy.special` only: `scipy.stats` is three times as
large in memory and serves as the tests' oracle.
"""

import math

import numpy as np
from scipy.special import nctdtr, ndtri

from fwid_agent.types import F8, Effect

_SEARCH_STEPS = 80  # halvings of the search interval: beyond float64's own resolution
_LARGEST_T = 500.0  # beyond this the noncentral t is its normal approximation to 1e-3 relative


def correction(degrees: int) -> float:
    """Return the exact factor J(m) that makes g unbiased; m > 1 degrees of freedom.

    J(m) = gamma(m/2) / (sqrt(m/2) * gamma((m-1)/2)), equation 6d of Hedges (1981).
    """
    if degrees < 2:
        raise ValueError(f"the correction needs two degrees of freedom or more, not {degrees}")
    half = degrees / 2
    return math.exp(math.lgamma(half) - math.lgamma(half - 0.5)) / math.sqrt(half)


def hedges_g(
    baseline: F8, test: F8, *, spread_floor: float = 0.0, confidence: float = 0.95
) -> Effect | None:
    """Return the effect size of two groups of similarity scores, one score a unit.

    Args:
        baseline: [n1] scores of the baseline's units against the rest of the baseline.
        test: [n2] scores of the test's units against the baseline.
        spread_floor: smallest pooled standard deviation that is believed. Saturated scores
            have next to none, and g would explode on differences below the encoder's resolution.
        confidence: coverage of the interval.

    Returns:
        g > 0 where the test units are less alike, or None with fewer than four units in all or
        an empty group: two degrees of freedom are the least that carry the correction.

    """
    n1, n2 = len(baseline), len(test)
    degrees = n1 + n2 - 2
    if n1 == 0 or n2 == 0 or degrees < 2:
        return None
    pooled = math.sqrt((_squares(baseline) + _squares(test)) / degrees)
    pooled = max(pooled, spread_floor)
    difference = float(baseline.mean() - test.mean())
    if pooled == 0.0:
        if difference == 0.0:
            return Effect(0.0, 0.0, 0.0, n1, n2)
        pooled = np.finfo(np.float64).tiny ** 0.25
    d = difference / pooled
    scale = math.sqrt(n1 * n2 / (n1 + n2))
    low, high = _noncentrality_interval(d * scale, degrees, confidence)
    j = correction(degrees)
    return Effect(j * d, j * low / scale, j * high / scale, n1, n2)


def bootstrap_g(  # noqa: PLR0913 - each one names itself
    baseline: F8,
    test: F8,
    rng: np.random.Generator,
    *,
    spread_floor: float = 0.0,
    draws: int = 1000,
    confidence: float = 0.95,
) -> tuple[float, float] | None:
    """Return the percentile interval of g when whole units are drawn anew within each group.

    The unit is the independent observation, so it is what is drawn: never windows or pairs.
    Returns None where g itself is undefined.
    """
    n1, n2 = len(baseline), len(test)
    degrees = n1 + n2 - 2
    if n1 == 0 or n2 == 0 or degrees < 2:
        return None
    a = baseline[rng.integers(0, n1, (draws, n1))]
    b = test[rng.integers(0, n2, (draws, n2))]
    squares = n1 * a.var(axis=1) + n2 * b.var(axis=1)
    # A draw of identical units has no spread; the floor (or the smallest seen) stands in.
    pooled = np.maximum(np.sqrt(squares / degrees), spread_floor)
    positive = pooled[pooled > 0]
    pooled = np.maximum(pooled, positive.min() if positive.size else 1.0)
    g = correction(degrees) * (a.mean(axis=1) - b.mean(axis=1)) / pooled
    tail = (1 - confidence) / 2
    low, high = np.quantile(g, (tail, 1 - tail))
    return float(low), float(high)


def _squares(values: F8) -> float:
    return float(((values - values.mean()) ** 2).sum())


def _noncentrality_interval(t: float, degrees: int, confidence: float) -> tuple[float, float]:
    """Return the noncentrality parameters that put `t` at the two tails of the distribution."""
    if t < 0:  # the lower tail loses its digits long before the upper one
        low, high = _noncentrality_interval(-t, degrees, confidence)
        return -high, -low
    tail = (1 - confidence) / 2
    if t > _LARGEST_T:
        half = float(ndtri(1 - tail)) * math.sqrt(1 + t * t / (2 * degrees))
        return t - half, t + half
    return _solve(t, degrees, 1 - tail), _solve(t, degrees, tail)


def _solve(t: float, degrees: int, probability: float) -> float:
    """Find the noncentrality at which P(T <= t) is `probability`; it falls as that one rises."""
    reach = 10 + 4 * t
    low, high = t - reach, t + reach
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) / 2
        value = float(nctdtr(degrees, middle, t))
        if math.isnan(value) or value < probability:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def rank_auc(unchanged: F8, changed: F8) -> float:
    """Return the chance that a changed case scores above an unchanged one, ties half."""
    if len(unchanged) == 0 or len(changed) == 0:
        return math.nan
    above = (changed[:, None] > unchanged[None, :]).mean()
    tied = (changed[:, None] == unchanged[None, :]).mean()
    return float(above + tied / 2)

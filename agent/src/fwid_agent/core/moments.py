"""Mean and central moments of groups of values, that merge without loss.

Groups are merged by the pairwise formulas of P. Pébay, "Formulas for Robust, One-Pass Parallel
Computation of Covariances and Arbitrary-Order Statistical Moments", Sandia report SAND2008-6212:
sums of powers would lose the spread of values that lie close together.
"""

from typing import Any

import numpy as np

from fwid_agent.types import F8, I8, Table

MOMENTS_DTYPE = np.dtype(
    [("n", "f8"), ("mean", "f8"), ("m2", "f8"), ("m3", "f8"), ("m4", "f8")]
)  # m2 to m4: sums of the powers of what a value differs from the mean by
SHAPE = ("mean", "std", "variance", "skewness", "kurtosis")
_CONSTANT = 1e-12  # of the mean: a smaller spread is what rounding leaves of equal values


def group_moments(values: F8, group: I8, groups: int) -> Table:
    """Return the moments of each group [groups]: MOMENTS_DTYPE.

    Args:
        values: [n]
        group: [n] which group each value is of.
        groups: how many there are; one may be empty.

    """
    result = np.zeros(groups, MOMENTS_DTYPE)
    count = np.bincount(group, minlength=groups).astype(np.float64)
    result["n"] = count
    result["mean"] = np.bincount(group, values, groups) / np.maximum(count, 1)
    away = values - result["mean"][group]
    square = away * away  # several times faster than powers
    for name, power in (("m2", square), ("m3", square * away), ("m4", square * square)):
        result[name] = np.bincount(group, power, groups)
    return result


def merge_moments(a: Table, b: Table) -> Table:
    """Return the moments of both groups together, element by element."""
    result = np.zeros(len(a), MOMENTS_DTYPE)
    n_a, n_b = a["n"], b["n"]
    n = np.maximum(n_a + n_b, 1)
    step = b["mean"] - a["mean"]
    result["n"] = n_a + n_b
    result["mean"] = np.where(n_a > 0, a["mean"] + step * n_b / n, b["mean"])
    step = np.where((n_a > 0) & (n_b > 0), step, 0)
    part = step / n
    both = n_a * n_b
    result["m2"] = a["m2"] + b["m2"] + step * part * both
    result["m3"] = (
        a["m3"]
        + b["m3"]
        + step * part**2 * both * (n_a - n_b)
        + 3 * part * (n_a * b["m2"] - n_b * a["m2"])
    )
    result["m4"] = (
        a["m4"]
        + b["m4"]
        + step * part**3 * both * (n_a**2 - both + n_b**2)
        + 6 * part**2 * (n_a**2 * b["m2"] + n_b**2 * a["m2"])
        + 4 * part * (n_a * b["m3"] - n_b * a["m3"])
    )
    return result


def shape_of(moments: Table) -> F8:
    """Return mean, standard deviation, variance, skewness and excess kurtosis: [n, 5].

    All but the mean are the estimators for samples (ddof 1, G1 and G2 of D. N. Joanes and
    C. A. Gill, "Comparing measures of sample skewness and kurtosis", 1998). What too few values
    or equal ones leave undefined is 0.
    """
    n, mean, m2, m3, m4 = (moments[name] for name in ("n", "mean", "m2", "m3", "m4"))
    result: F8 = np.zeros((len(moments), len(SHAPE)))
    spread = (n > 1) & (m2 > n * (_CONSTANT * np.abs(mean)) ** 2)
    result[:, 0] = np.where(n > 0, mean, 0)
    result[:, 2] = _where(spread, lambda k: m2[k] / (n[k] - 1))
    result[:, 1] = np.sqrt(result[:, 2])
    with np.errstate(under="ignore"):
        result[:, 3] = _where(
            spread & (n > 2),
            lambda k: (
                np.sqrt(n[k] * (n[k] - 1)) / (n[k] - 2) * (m3[k] / n[k]) / (m2[k] / n[k]) ** 1.5
            ),
        )
        result[:, 4] = _where(
            spread & (n > 3),
            lambda k: (
                (n[k] - 1)
                / ((n[k] - 2) * (n[k] - 3))
                * ((n[k] + 1) * (n[k] * m4[k] / m2[k] ** 2 - 3) + 6)
            ),
        )
    result[~np.isfinite(result)] = 0
    return result


def _where(chosen: Any, compute: Any) -> F8:  # noqa: ANN401 - a mask, and what takes its places
    result: F8 = np.zeros(len(chosen))
    at = np.flatnonzero(chosen)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        result[at] = compute(at)
    return result

"""How alike pictures are: one score a unit, never one a pair.

Pairs share pictures, so n pairs are not n observations. A unit's score is the mean over its
pictures of their mean likeness to the baseline's pictures; a baseline unit is left out of its own
baseline.
"""

import numpy as np

from fwid_agent.types import F4, F8, I4


def score_units(baseline: F4, baseline_unit: I4, test: F4, test_unit: I4) -> tuple[F8, F8]:
    """Score every unit by cosine likeness of embeddings.

    Args:
        baseline: [n, d] embeddings of unit length.
        baseline_unit: [n] unit of each, 0 .. units - 1.
        test: [m, d] embeddings of unit length.
        test_unit: [m] unit of each.

    Returns:
        [baseline units] scores, each against the others, and [test units] scores against the
        whole baseline. With one baseline unit the first is empty.

    """
    return _score(baseline @ baseline.T, baseline_unit, test @ baseline.T, test_unit)


def score_units_by_distance(
    baseline: F8, baseline_unit: I4, test: F8, test_unit: I4
) -> tuple[F8, F8]:
    """Score every unit by the Euclidean distance of vectors, as 1 / (1 + distance)."""
    inside = 1 / (1 + _distances(baseline, baseline))
    across = 1 / (1 + _distances(test, baseline))
    return _score(inside, baseline_unit, across, test_unit)


def _score(inside: F8 | F4, unit: I4, across: F8 | F4, test_unit: I4) -> tuple[F8, F8]:
    units = int(unit.max()) + 1
    own = np.array(
        [inside[np.ix_(unit == left, unit != left)].mean() for left in range(units)]
        if units > 1
        else [],
        np.float64,
    )
    new = [across[test_unit == number].mean() for number in range(int(test_unit.max()) + 1)]
    return own, np.array(new, np.float64)


def _distances(a: F8, b: F8) -> F8:
    distances: F8 = np.linalg.norm(a[:, None, :] - b[None, :, :], axis=2)
    return distances

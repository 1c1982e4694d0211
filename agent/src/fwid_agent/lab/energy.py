"""Permutation test of the energy distance between two groups of observations.

Székely and Rizzo, "Energy statistics", Journal of Statistical Planning and Inference 143 (2013).
"""

import numpy as np

from fwid_agent.types import F8, Bools


def energy_distance(distances: F8, first: Bools) -> float:
    """Return the energy distance of two groups from all pairwise distances.

    Args:
        distances: [n, n] Euclidean distances.
        first: [n] bool, who belongs to the first group.

    """
    second = ~first
    between = distances[np.ix_(first, second)].mean()
    within = distances[np.ix_(first, first)].mean() + distances[np.ix_(second, second)].mean()
    return float(2 * between - within)


def permutation_surprise(
    baseline: F8, test: F8, rng: np.random.Generator, permutations: int = 999
) -> float:
    """Return -log10 of the permutation p-value; vectors are [n, k] and [m, k]."""
    vectors = np.concatenate([baseline, test])
    distances = np.linalg.norm(vectors[:, None, :] - vectors[None, :, :], axis=2)
    first = np.arange(len(vectors)) < len(baseline)
    observed = energy_distance(distances, first)
    drawn = _energy_distances(distances, rng.permuted(np.tile(first, (permutations, 1)), axis=1))
    # Labellings that are the same but for the order of adding are as far apart as the observed one.
    reached = int((drawn >= observed - 1e-9 * abs(observed)).sum())
    return -float(np.log10((1 + reached) / (1 + permutations)))


def _energy_distances(distances: F8, first: Bools) -> F8:
    """Return the energy distance of every labelling [labellings, n] of the same two sizes."""
    one = first.astype(np.float64)
    other = 1.0 - one
    n, m = one[0].sum(), other[0].sum()
    to_one = one @ distances
    within_one = (to_one * one).sum(axis=1) / n**2
    between = (to_one * other).sum(axis=1) / (n * m)
    within_other = ((other @ distances) * other).sum(axis=1) / m**2
    result: F8 = 2 * between - within_one - within_other
    return result

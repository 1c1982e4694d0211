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
    reached = sum(
        energy_distance(distances, rng.permutation(first)) >= observed for _ in range(permutations)
    )
    return -float(np.log10((1 + reached) / (1 + permutations)))

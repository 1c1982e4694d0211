"""The bench's arithmetic agrees with the libraries that everybody knows."""

import math

import numpy as np
import pytest
from fwid_agent.lab.counting import Count, Rate, bootstrap_by_device, rank_auc
from fwid_agent.lab.energy import _energy_distances, energy_distance, permutation_surprise
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats


@given(st.integers(0, 40), st.integers(1, 40))
def test_wilson_interval_agrees_with_scipy(hits: int, extra: int) -> None:
    """scipy.stats.binomtest is the oracle."""
    count = Count(hits, hits + extra)
    expected = stats.binomtest(hits, hits + extra).proportion_ci(method="wilson")
    assert count.interval() == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.lab
def test_auc_agrees_with_scikit_learn() -> None:
    """Ties count half, as scikit-learn counts them."""
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(4)
    a, b = rng.integers(0, 6, 30).astype(float), rng.integers(2, 9, 20).astype(float)
    expected = metrics.roc_auc_score([0] * 30 + [1] * 20, np.concatenate([a, b]))
    assert rank_auc(a, b) == pytest.approx(expected)


def test_bootstrap_draws_devices_not_cases() -> None:
    """Two devices that differ leave the proportion open from one to the other."""
    low, high = bootstrap_by_device({"a": [True] * 50, "b": [False] * 50}, np.random.default_rng(1))
    assert (low, high) == (0.0, 1.0)


def test_energy_distance_is_zero_for_equal_groups_and_grows_with_a_shift() -> None:
    """The statistic's two defining properties."""
    rng = np.random.default_rng(2)
    points = rng.normal(size=(10, 3))

    def distance(shift: float) -> float:
        both = np.concatenate([points, points + shift])
        pairs = np.linalg.norm(both[:, None] - both[None, :], axis=2)
        return energy_distance(pairs, np.arange(20) < 10)

    assert distance(0) == pytest.approx(0, abs=1e-12)
    assert distance(1) < distance(2) < distance(4)


def test_many_labellings_at_once_are_as_far_apart_as_one_by_one() -> None:
    """The products of matrices are the means they stand for."""
    rng = np.random.default_rng(5)
    points = rng.normal(size=(9, 2))
    pairs = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    labellings = rng.permuted(np.tile(np.arange(9) < 4, (20, 1)), axis=1)
    expected = [energy_distance(pairs, labelling) for labelling in labellings]
    assert _energy_distances(pairs, labellings) == pytest.approx(expected)


def test_permutation_test_keeps_its_level_and_sees_a_shift() -> None:
    """p-values of equal groups are not small more often than they say."""
    rng = np.random.default_rng(3)
    null = [
        permutation_surprise(rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), rng, 99)
        for _ in range(60)
    ]
    assert np.mean(np.array(null) >= 1) <= 0.2
    assert permutation_surprise(rng.normal(size=(8, 2)), rng.normal(size=(8, 2)) + 5, rng, 99) == 2


def test_rates_have_the_exact_poisson_interval() -> None:
    """Checked against the chi-squared form of the same limits (Garwood 1936)."""
    for events in (0, 1, 7):
        low, high = Rate(events, 2.0).interval()
        expected = stats.chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
        assert low == pytest.approx(expected / 2.0)
        assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * events + 2) / 2 / 2.0)
    assert Rate(0, 0.0).interval() == (0.0, math.inf)

"""Hedges' g: the correction, the sign, the interval and its behaviour at the edges."""

import math

import numpy as np
import pytest
from fwid_agent.core.effect import bootstrap_g, correction, hedges_g
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

scores = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=12).map(
    lambda values: np.array(values, np.float64)
)


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [(2, 0.56419), (4, 0.79788), (10, 0.92275), (18, 0.95765), (30, 0.97475), (98, 0.99232)],
)
def test_correction_is_the_exact_one(degrees: int, expected: float) -> None:
    """The gamma form is used, not 1 - 3/(4m - 1), which differs in the third digit."""
    assert correction(degrees) == pytest.approx(expected, abs=1e-5)


def test_correction_refuses_too_few_degrees() -> None:
    """J(1) has no finite value."""
    with pytest.raises(ValueError, match="two degrees"):
        correction(1)


@given(scores, scores)
@settings(max_examples=60)
def test_swapping_the_groups_changes_the_sign(a: np.ndarray, b: np.ndarray) -> None:
    """The effect of a on b is minus that of b on a, with mirrored limits."""
    there, back = hedges_g(a, b, spread_floor=1e-3), hedges_g(b, a, spread_floor=1e-3)
    assert there is not None
    assert back is not None
    assert there.g == pytest.approx(-back.g)
    assert there.low == pytest.approx(-back.high, abs=1e-6, rel=1e-6)
    assert there.low <= there.g + 1e-9
    assert there.g <= there.high + 1e-9


@given(scores, scores)
@settings(max_examples=60)
def test_g_and_interval_agree_with_scipy_stats(a: np.ndarray, b: np.ndarray) -> None:
    """scipy.stats' t test and noncentral t are the oracle."""
    if a.std() + b.std() < 1e-3:
        return
    effect = hedges_g(a, b)
    assert effect is not None
    t = stats.ttest_ind(a, b).statistic
    scale = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    degrees = len(a) + len(b) - 2
    j = correction(degrees)
    assert effect.g == pytest.approx(j * t / scale, abs=1e-9)
    if abs(t) > 30:  # the oracle's own tails lose their digits there
        return
    low, high = (limit * scale / j for limit in (effect.low, effect.high))
    assert stats.nct.cdf(t, degrees, low) == pytest.approx(0.975, abs=1e-6)
    assert stats.nct.cdf(t, degrees, high) == pytest.approx(0.025, abs=1e-6)


def test_saturated_scores_do_not_explode() -> None:
    """The floor bounds g where both groups have next to no spread."""
    a, b = np.full(5, 0.999), np.full(5, 0.998)
    floored = hedges_g(a, b, spread_floor=0.01)
    assert floored is not None
    assert floored.g == pytest.approx(correction(8) * 0.1)


def test_too_few_units_have_no_effect_size() -> None:
    """One unit a side has no spread at all: no number is better than a made-up one."""
    assert hedges_g(np.array([1.0]), np.array([0.5])) is None
    assert hedges_g(np.array([]), np.array([0.5, 0.4, 0.3, 0.2])) is None
    assert bootstrap_g(np.array([1.0]), np.array([0.5]), np.random.default_rng(1)) is None


def test_bootstrap_draws_units_and_covers_g() -> None:
    """The interval by units surrounds g and is reproducible from its seed."""
    rng = np.random.default_rng(7)
    a, b = rng.normal(0.9, 0.02, 8), rng.normal(0.8, 0.02, 6)
    effect = hedges_g(a, b)
    first = bootstrap_g(a, b, np.random.default_rng(3))
    second = bootstrap_g(a, b, np.random.default_rng(3))
    assert effect is not None
    assert first is not None
    assert first == second
    assert first[0] < effect.g < first[1]

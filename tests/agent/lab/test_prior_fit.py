"""The prior is what the training devices showed: known spreads and tails come back."""

from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.core.features import FEATURES
from fwid_agent.core.prior import Tail
from fwid_agent.lab.prior_fit import fit_prior
from fwid_agent.types import ROW_COUNT, SUM_INDEX, SUMS, UnitTable
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma

from tests.agent.core.tables import DAY_NS, TLS_SENT, table


def device(seed: int, spread: float, days: int = 8) -> UnitTable:
    """One session a day; packets vary by `spread` (standard deviation of log10)."""
    rng = np.random.default_rng(seed)
    made = table([(day * DAY_NS, day, {(TLS_SENT, 100): 50}) for day in range(days)])
    packets = 10 ** rng.normal(3, spread, days)
    sums = np.zeros((days, ROW_COUNT, len(SUMS)))
    sums[:, TLS_SENT, SUM_INDEX["packets"]] = packets
    sums[:, TLS_SENT, SUM_INDEX["size"]] = packets * 100
    sums[:, TLS_SENT, SUM_INDEX["size_sq"]] = packets * 100**2
    return replace(made, sums=sums)


def test_a_known_spread_comes_back() -> None:
    """Devices that vary by 0.2 on a logarithmic scale: the prior's mean log variance is theirs."""
    for spread in (0.2, 0.4):
        devices = {str(number): device(number, spread) for number in range(60)}
        found = fit_prior(devices).spreads["sent"]["packets"]
        half = found.degrees / 2
        mean_log = np.log(found.variance) - digamma(half) + np.log(half)
        assert np.exp(mean_log) == pytest.approx(spread**2, rel=0.15)


def test_what_never_varies_keeps_a_floor() -> None:
    """Sizes that never moved in training are not taken as certain, and every value is finite."""
    prior = fit_prior({str(n): device(n, 0.2) for n in range(10)})
    for direction in prior.spreads.values():
        assert set(direction) == set(FEATURES)
        assert all(0 < one.variance < 1 and 0 < one.degrees <= 4 for one in direction.values())
    for kinds in prior.loss.values():
        assert all(0 < loss <= 1 for loss in kinds.values())


def test_a_prior_without_devices_is_vague_not_broken() -> None:
    """Nothing to learn from gives thresholds all the same."""
    prior = fit_prior({})
    assert prior.trained_on == ()
    assert min(one.threshold(0.01) for one in (prior.single, prior.once, prior.several)) > 0


@given(st.floats(0.01, 5), st.floats(1e-6, 0.1))
def test_a_threshold_is_passed_with_its_chance(scale: float, chance: float) -> None:
    """The exponential tail's definition, and rarer chances ask for more."""
    tail = Tail(scale, 5)
    assert np.exp(-tail.threshold(chance) / scale) == pytest.approx(chance)
    assert tail.threshold(chance / 2) > tail.threshold(chance)


@given(st.lists(st.floats(0, 50), max_size=40), st.floats(0, 50))
def test_a_restless_device_asks_for_more(own: list[float], more: float) -> None:
    """Own scores move the threshold towards them, never below half of the training devices'."""
    tail = Tail(1.0, 5)
    before = tail.threshold(0.01, own)
    assert before >= tail.threshold(0.01) / 2
    if more * (5 + len(own)) >= 5 + sum(own):
        assert tail.threshold(0.01, [*own, more]) >= before - 1e-9

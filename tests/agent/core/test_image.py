"""Pictures: mid-grey is as always, silence is told apart, and rows sort by what moved."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.core.comparison import compare_periods
from fwid_agent.core.features import FEATURES
from fwid_agent.core.image import (
    AS_ALWAYS,
    GLOBAL_COLUMNS,
    ROW_COLUMNS,
    fit_scaler,
    global_image,
    measure_columns,
    relative_image,
    row_image,
    still_image,
)
from fwid_agent.core.periods import Period, make_period
from fwid_agent.core.prior import weak_prior
from fwid_agent.core.similarity import score_units
from fwid_agent.types import ROW_COUNT

from tests.agent.core.tables import DAY_NS, DNS_SENT, TLS_RECEIVED, TLS_SENT, Sizes, days, table

PRIOR = weak_prior(dict.fromkeys(FEATURES, 0.01))
HABITS: Sizes = {(TLS_SENT, 634): 3, (DNS_SENT, 70): 4}


def period(count: int, sizes: Sizes, first_day: int = 0) -> Period:
    """Make days of the same habits."""
    return make_period(table(days(count, sizes, first_day=first_day)), "day", DAY_NS)


def test_a_global_picture_is_black_where_a_row_is_silent() -> None:
    """Silence is 0, and only silence: the smallest value of a row that speaks is 1."""
    values = measure_columns(period(3, HABITS).observations)
    picture = global_image(values, fit_scaler(values))
    assert picture.shape == (3, ROW_COUNT, len(GLOBAL_COLUMNS))
    assert not picture[:, TLS_RECEIVED].any()
    assert picture[:, TLS_SENT, 0].all()


def test_a_relative_picture_of_the_usual_is_mid_grey() -> None:
    """As always is 128 in every cell, also in silent rows."""
    values = measure_columns(period(3, HABITS).observations)
    picture = relative_image(values, values, np.full(len(GLOBAL_COLUMNS), 0.1))
    assert (picture == AS_ALWAYS).all()


def test_a_relative_picture_shows_what_falls_silent_and_what_speaks_up() -> None:
    """Both are as far from mid-grey as grey can say, on opposite sides."""
    usual = measure_columns(period(3, HABITS).observations)
    other = measure_columns(period(1, {(TLS_RECEIVED, 500): 3, (DNS_SENT, 70): 4}).observations)
    picture = relative_image(other, usual, np.full(len(GLOBAL_COLUMNS), 0.1))
    assert (picture[0, TLS_RECEIVED, : len(FEATURES) - 3] > AS_ALWAYS + 100).all()
    assert (picture[0, TLS_SENT, : len(FEATURES) - 3] < AS_ALWAYS - 100).all()
    assert picture[0, DNS_SENT, 0] == AS_ALWAYS


def test_a_row_that_speaks_up_or_falls_silent_shows_only_what_it_has() -> None:
    """A row of one size is dark in one column of sizes, not in all: the rest was never sent."""
    usual = measure_columns(period(3, HABITS).observations)
    other = measure_columns(period(1, {(TLS_RECEIVED, 500): 3, (DNS_SENT, 70): 4}).observations)
    sizes = [name.startswith(("size #", "first size #")) for name in GLOBAL_COLUMNS]
    picture = relative_image(other, usual, np.full(len(GLOBAL_COLUMNS), 0.1))[0][:, sizes]
    for row, columns in ((TLS_RECEIVED, other[0]), (TLS_SENT, usual[0])):
        assert ((picture[row] != AS_ALWAYS) == (columns[row, sizes] > 0)).all()
        assert 1 <= (picture[row] != AS_ALWAYS).sum() <= 2


def test_a_comparison_without_a_difference_is_the_still_picture() -> None:
    """The network measures how far a picture is from this one."""
    picture = row_image(compare_periods(period(5, HABITS), period(2, HABITS, 5), PRIOR))
    assert np.array_equal(picture, still_image())


def test_gone_is_dark_and_new_is_light_in_sorted_columns() -> None:
    """The strongest size comes first, whatever the sizes are."""
    after = {(TLS_SENT, 638): 3, (DNS_SENT, 70): 4}
    picture = row_image(compare_periods(period(7, HABITS), period(2, after, 7), PRIOR))
    gone, new = ROW_COLUMNS.index("size gone 1"), ROW_COLUMNS.index("size new 1")
    assert picture[TLS_SENT, gone] < AS_ALWAYS < picture[TLS_SENT, new]
    assert picture[TLS_SENT, gone + 1] == AS_ALWAYS
    assert np.array_equal(picture[DNS_SENT], still_image()[DNS_SENT])


def test_which_sizes_they_are_does_not_matter() -> None:
    """Pictures transfer to devices with other sizes: only how much they moved is drawn."""

    def picture(old: int, new: int) -> np.ndarray:
        before, after = {(TLS_SENT, old): 3}, {(TLS_SENT, new): 3}
        drawn = row_image(compare_periods(period(7, before), period(2, after, 7), PRIOR))
        return drawn[TLS_SENT, 2 + len(FEATURES) :]

    assert np.array_equal(picture(634, 638), picture(90, 94))


@pytest.mark.parametrize("units", [1, 2, 4])
def test_unit_scores_agree_with_plain_loops(units: int) -> None:
    """One score a unit: the mean over its pictures of their mean likeness to the others."""
    rng = np.random.default_rng(units)
    sizes = rng.integers(1, 4, units + 2)
    unit = np.repeat(np.arange(units), sizes[:units]).astype(np.int32)
    test_unit = np.repeat([0, 1], sizes[units:]).astype(np.int32)

    def vectors(count: int) -> np.ndarray:
        values = rng.normal(size=(count, 5)).astype(np.float32)
        return values / np.linalg.norm(values, axis=1, keepdims=True)

    baseline, test = vectors(len(unit)), vectors(len(test_unit))

    def mean(rows: Sequence[int], columns: Sequence[int], first: np.ndarray) -> float:
        return float(np.mean([[first[i] @ baseline[j] for j in columns] for i in rows]))

    own, new = score_units(baseline, unit, test, test_unit)
    expected = [
        mean(np.flatnonzero(unit == u), np.flatnonzero(unit != u), baseline)
        for u in range(units)
        if units > 1
    ]
    assert own == pytest.approx(expected, rel=1e-5)
    everyone = range(len(unit))
    assert new == pytest.approx(
        [mean(np.flatnonzero(test_unit == u), everyone, test) for u in (0, 1)], rel=1e-5
    )


def test_pictures_leave_their_input_alone() -> None:
    """Stages never change what they were given."""
    observations = period(3, HABITS).observations
    before = replace(observations, sums=observations.sums.copy(), tokens=observations.tokens.copy())
    measure_columns(observations)
    assert np.array_equal(observations.sums, before.sums)
    assert np.array_equal(observations.tokens, before.tokens)

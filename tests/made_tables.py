"""Unit tables for tests: seeded ones that look like traffic, and arbitrary ones."""

from collections.abc import Sequence

import numpy as np
from fwid_agent.types import ROW_COUNT, SUMS, TOKEN_DTYPE, UnitTable
from hypothesis import strategies as st

HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS


def make_table(
    seed: int, start_ns: Sequence[int], *, rows: int = 13, values_per_row: int = 5
) -> UnitTable:
    """A device's periods: the same rows and a vocabulary of its own, counts that vary."""
    rng = np.random.default_rng(seed)
    active = np.sort(rng.choice(ROW_COUNT, rows, replace=False))
    count = len(start_ns)
    sums = np.zeros((count, ROW_COUNT, len(SUMS)))
    sums[:, active] = rng.gamma(2.0, 200.0, (count, rows, len(SUMS))).round()
    sums[:, active, -3:-1] = rng.normal(0.0, 50.0, (count, rows, 2))  # logarithms are not whole
    vocabulary = np.zeros(rows * values_per_row, TOKEN_DTYPE)
    vocabulary["row"] = np.repeat(active, values_per_row)
    vocabulary["kind"] = np.tile(np.arange(values_per_row) % 7, rows)
    vocabulary["value"] = rng.integers(40, 1500, len(vocabulary))
    vocabulary = np.unique(vocabulary)
    tokens = np.tile(vocabulary, count)
    tokens["period"] = np.repeat(np.arange(count), len(vocabulary))
    tokens["count"] = rng.integers(1, 500, len(tokens))
    return UnitTable(
        start_ns=np.array(start_ns, np.int64),
        session=np.zeros(count, np.int32),
        observed=np.ones(count),
        sums=sums,
        tokens=tokens,
    )


@st.composite
def tables(draw: st.DrawFn, max_periods: int = 4) -> UnitTable:
    """Any table whose statistics are whole numbers (so that sums do not depend on the order)."""
    starts = draw(
        st.lists(st.integers(0, 2000).map(lambda n: n * HOUR_NS), max_size=max_periods, unique=True)
    )
    count = len(starts)
    sums = np.zeros((count, ROW_COUNT, len(SUMS)))
    cells = st.tuples(
        st.integers(0, max(count - 1, 0)), st.integers(0, ROW_COUNT - 1), st.integers(0, 8)
    )
    for cell in draw(st.lists(cells, max_size=8 if count else 0)):
        sums[cell] = draw(st.integers(-(2**40), 2**40))
    keys = st.tuples(
        st.integers(0, max(count - 1, 0)),
        st.integers(0, ROW_COUNT - 1),
        st.integers(0, 6),
        st.sampled_from([0, 1, 634, 638, 2**32 - 1]),
    )
    found = sorted(draw(st.sets(keys, max_size=8 if count else 0)))
    counted = [(*key, draw(st.integers(1, 10**6))) for key in found]
    return UnitTable(
        start_ns=np.sort(np.array(starts, np.int64)),
        session=np.zeros(count, np.int32),
        observed=np.array(draw(st.lists(st.integers(1, 9), min_size=count, max_size=count)), float),
        sums=sums,
        tokens=np.array(counted, TOKEN_DTYPE),
    )


def assert_same(one: UnitTable, other: UnitTable) -> None:
    """Both tables hold the same traffic (sessions aside)."""
    np.testing.assert_array_equal(one.start_ns, other.start_ns)
    np.testing.assert_array_equal(one.observed, other.observed)
    np.testing.assert_array_equal(one.sums, other.sums)
    np.testing.assert_array_equal(one.tokens, other.tokens)
    assert one.tokens.dtype == other.tokens.dtype == TOKEN_DTYPE

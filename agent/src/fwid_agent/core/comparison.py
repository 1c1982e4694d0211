"""Two periods of one device, cell by cell, over the device's own day-to-day spread.

Two kinds of cell. A *statistic* (row x feature) is a mean that moves: the moderated t of Smyth,
"Linear models and empirical Bayes methods", Stat. Appl. Genet. Mol. Biol. 3 (2004), art. 3.
A *value* (an exact packet size, a TTL, a port ...) is there or is gone: its presence on d
replicates is Beta-binomial, so a value that never missed one of d replicates misses all of the
next n by chance with probability B(d, b + n) / B(d, b).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, stdtr

from fwid_agent.core.features import FEATURES, features_of
from fwid_agent.core.periods import Period, replicates
from fwid_agent.core.prior import Prior
from fwid_agent.types import (
    DIRECTIONS,
    F8,
    I4,
    I8,
    ROW_COUNT,
    ROWS,
    SHORTEST_WATCH,
    SUM_INDEX,
    U1,
    U8,
    Bools,
    Table,
    TokenKind,
)

CELL_DTYPE = np.dtype(
    [
        ("row", "u1"),
        ("kind", "u1"),
        ("value", "u4"),
        ("presence_baseline", "f8"),  # share of active replicates, 0 .. 1
        ("presence_test", "f8"),
        ("evidence", "f8"),  # -log10 of chance; negative sign: gone, positive: new
    ]
)
MAX_EVIDENCE = 12.0  # beyond this a model of chance is not believed anyway
_DISPERSION_PRIOR = 1.0  # counts are Poisson until the device's own days say more regular ...
_DISPERSION_FLOOR = 0.02  # ... but never entirely regular
_ROW_DIRECTION = np.array([DIRECTIONS.index(row.direction) for row in ROWS])


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two periods; every array has its rows in the order of ROWS."""

    mean_baseline: F8  # [ROW_COUNT, FEATURES] log10 as in core.features, NaN where silent
    mean_test: F8
    steps: F8  # signed difference in units of the shrunk unit-to-unit spread; 0: cannot be said
    evidence: F8  # -log10 of the two-sided chance of the step, not negative
    tokens: Table  # CELL_DTYPE, sorted by (row, kind, value)
    replicates_baseline: int  # units, or visits where a pause parts the periods
    replicates_test: int
    units_baseline: int
    units_test: int


def compare_periods(baseline: Period, test: Period, prior: Prior) -> Comparison:
    """Compare two periods of one device; neither may be empty."""
    groups_b, groups_t = replicates(baseline, test)
    side_b = _Side.of(baseline, groups_b)
    side_t = _Side.of(test, groups_t)
    mean_b, mean_t, steps, evidence = _compare_statistics(side_b, side_t, prior)
    return Comparison(
        mean_b,
        mean_t,
        steps,
        evidence,
        _compare_values(side_b, side_t, prior),
        side_b.count,
        side_t.count,
        baseline.units,
        test.units,
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One period with its observations assigned to replicates."""

    period: Period
    group: I4  # [observations] replicate of each
    count: int
    active: Bools  # [observations, ROW_COUNT] the row had packets

    @classmethod
    def of(cls, period: Period, unit_group: I4) -> "_Side":
        packets = period.observations.sums[:, :, SUM_INDEX["packets"]]
        return cls(period, unit_group[period.unit], int(unit_group.max()) + 1, packets > 0)

    def replicate_means(self, values: F8) -> F8:
        """Average [observations, ...] within each replicate, NaN left out: [count, ...]."""
        if self.count == len(self.group):  # one each, so there is nothing to average
            return values[np.argsort(self.group)]
        valid = np.isfinite(values)
        flat = (len(values), -1)
        member = (self.group == np.arange(self.count)[:, None]).astype(np.float64)
        total = member @ np.where(valid, values, 0.0).reshape(flat)
        number = member @ valid.astype(np.float64).reshape(flat)
        with np.errstate(invalid="ignore"):
            means: F8 = (total / number).reshape(self.count, *values.shape[1:])
        return means


# --- statistics ----------------------------------------------------------------------------------


def _compare_statistics(b: _Side, t: _Side, prior: Prior) -> tuple[F8, F8, F8, F8]:
    # Most rows are silent in a device's life: only those that spoke cost anything.
    rows = np.flatnonzero(b.active.any(axis=0) | t.active.any(axis=0))
    tables = b.period.observations, t.period.observations
    # Both periods at once: a call costs more than its numbers do.
    features = features_of(
        np.concatenate([table.sums[:, rows] for table in tables]),
        np.concatenate([table.observed for table in tables]),
    )
    mean_b, n_b, squares_b = _moments(b.replicate_means(features[: len(b.group)]))
    mean_t, n_t, squares_t = _moments(t.replicate_means(features[len(b.group) :]))
    usable = (n_b > 0) & (n_t > 0)
    variance_0, degrees_0 = _spreads(prior, rows)
    degrees = np.maximum(n_b - 1, 0) + np.maximum(n_t - 1, 0) + degrees_0
    spread = np.sqrt((degrees_0 * variance_0 + squares_b + squares_t) / degrees)
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = np.where(usable, (mean_t - mean_b) / spread, 0.0)
        t_value = steps / np.sqrt(1 / n_b + 1 / n_t)
        chance = 2 * stdtr(degrees, -np.abs(np.where(usable, t_value, 0.0)))
        evidence = -np.log10(np.maximum(chance, 10.0**-MAX_EVIDENCE))
    evidence = np.where(usable, np.maximum(evidence, 0.0), 0.0)
    return (
        _spread_out(mean_b, rows, np.nan),
        _spread_out(mean_t, rows, np.nan),
        _spread_out(steps, rows, 0.0),
        _spread_out(evidence, rows, 0.0),
    )


def _spreads(prior: Prior, rows: I8) -> tuple[F8, F8]:
    """Variance and degrees of freedom of the prior: [rows, FEATURES] each."""
    both = np.array(
        [
            [(spreads[name].variance, spreads[name].degrees) for name in FEATURES]
            for spreads in (prior.spreads[direction] for direction in DIRECTIONS)
        ]
    )[_ROW_DIRECTION[rows]]
    return both[:, :, 0], both[:, :, 1]


def _spread_out(values: F8, rows: I8, other: float) -> F8:
    """Put the values of some rows [rows, FEATURES] in their places among all rows."""
    result = np.full((ROW_COUNT, len(FEATURES)), other)
    result[rows] = values
    return result


def _moments(values: F8) -> tuple[F8, F8, F8]:
    """Mean, number and sum of squared deviations over axis 0, NaN left out."""
    valid = np.isfinite(values)
    number = valid.sum(axis=0).astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean = np.where(valid, values, 0.0).sum(axis=0) / number
    squares = np.where(valid, (values - mean) ** 2, 0.0).sum(axis=0)
    return mean, number, squares


# --- exact values --------------------------------------------------------------------------------


def _compare_values(b: _Side, t: _Side, prior: Prior) -> Table:
    keys_b, keys_t = _cell_keys(b), _cell_keys(t)
    cells = np.unique(np.concatenate([keys_b.key, keys_t.key]))
    result = np.zeros(len(cells), CELL_DTYPE)
    result["row"] = cells >> 40
    result["kind"] = (cells >> 32) & 0xFF
    result["value"] = cells & 0xFFFFFFFF
    seen_b = _Presence.of(b, keys_b, cells, result["row"], result["kind"])
    seen_t = _Presence.of(t, keys_t, cells, result["row"], result["kind"])
    result["presence_baseline"] = seen_b.share
    result["presence_test"] = seen_t.share
    noise = _value_noise(result["row"], result["kind"], seen_b, seen_t)
    losses = np.array(
        [[prior.loss_of(direction, kind) for kind in TokenKind] for direction in DIRECTIONS]
    )
    loss = losses[_ROW_DIRECTION[result["row"]], result["kind"]] + noise
    both = (seen_b.number > 0) & (seen_t.number > 0)
    gone = np.flatnonzero(both & (seen_t.total == 0) & (seen_b.total > 0))
    new = np.flatnonzero(both & (seen_b.total == 0) & (seen_t.total > 0))
    result["evidence"][gone] = -_surprise(seen_b, seen_t, loss, gone)
    result["evidence"][new] = _surprise(seen_t, seen_b, loss, new)
    return result


@dataclass(frozen=True, slots=True)
class _Keys:
    """One element a (observation, value): which observation, the cell's key, its count."""

    observation: I4
    key: U8
    count: F8


@dataclass(frozen=True, slots=True)
class _Presence:
    """How each cell was seen in one period; one element a cell."""

    share: F8  # mean presence over active replicates
    total: F8  # sum of presence over active replicates
    number: F8  # active replicates of the cell's row
    noise: F8  # p (1 - p) over active observations, unbiased; 0 with fewer than two
    observations: F8  # active observations
    watched: F8  # windows watched in active observations
    counts: F8  # [observations, cells]
    active: Bools  # [observations, cells] the cell's row had packets

    @classmethod
    def of(cls, side: _Side, keys: "_Keys", cells: U8, row: U1, kind: U1) -> "_Presence":
        counts = np.zeros((len(side.group), len(cells)))
        counts[keys.observation, np.searchsorted(cells, keys.key)] = keys.count
        active = side.active.take(row, axis=1) | (kind == TokenKind.ROW)
        there = counts > 0
        said = np.flatnonzero(kind > TokenKind.ROW)
        if len(said):
            active[:, said] = _said_any(there[:, said], row[said], kind[said])
        by_replicate = side.replicate_means(np.where(active, there, np.nan))
        valid = np.isfinite(by_replicate)
        number = valid.sum(axis=0).astype(np.float64)
        total = np.where(valid, by_replicate, 0.0).sum(axis=0)
        n = active.sum(axis=0).astype(np.float64)
        watched = (active * side.period.observations.observed[:, None]).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            p = np.where(n > 0, there.sum(axis=0) / n, 0.0)
            noise = np.where(n > 1, p * (1 - p) * n / (n - 1), 0.0)
            share = np.where(number > 0, total / number, 0.0)
        return cls(share, total, number, noise, n, watched, counts, active)

    def rate_and_dispersion(self, at: I8) -> tuple[F8, F8]:
        """Tell of some cells the mean count a window, and how far counts scatter about their mean.

        That is the variance over the mean of the counts of an observation, shrunk.
        """
        counts, active = self.counts.take(at, axis=1), self.active.take(at, axis=1)
        n, total = self.observations[at], counts.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = total / n
            # A running sum adds in the same order however many cells there are.
            squares = np.where(active, (counts - mean) ** 2, 0.0).cumsum(axis=0)[-1]
            dispersion = (_DISPERSION_PRIOR + squares / mean) / np.maximum(n, 1)
        dispersion = np.where(np.isfinite(dispersion), dispersion, _DISPERSION_PRIOR)
        rate = total / np.maximum(self.watched[at], SHORTEST_WATCH)
        return rate, np.maximum(dispersion, _DISPERSION_FLOOR)


def _said_any(there: Bools, row: U1, kind: U1) -> Bools:
    """Say in which observations a value of the row and kind was said at all: [observations, cells].

    A device that connected nowhere has not changed what it says at connecting, nor has one whose
    handshakes were not read. Cells are sorted by row and kind.
    """
    begins = np.flatnonzero(np.diff(row.astype(np.int64) * len(TokenKind) + kind, prepend=-1))
    any_of = np.logical_or.reduceat(there, begins, axis=1)
    spread: Bools = np.repeat(any_of, np.diff([*begins, len(row)]), axis=1)
    return spread


def _cell_keys(side: _Side) -> _Keys:
    tokens = side.period.observations.tokens
    observation, row = np.nonzero(side.active)
    key = (
        tokens["row"].astype(np.uint64) << np.uint64(40)
        | tokens["kind"].astype(np.uint64) << np.uint64(32)
        | tokens["value"].astype(np.uint64)
    )
    row_key = row.astype(np.uint64) << np.uint64(40) | np.uint64(TokenKind.ROW << 32)
    return _Keys(
        np.concatenate([tokens["period"], observation]).astype(np.int32),
        np.concatenate([key, row_key]),
        np.concatenate([tokens["count"].astype(np.float64), np.ones(len(row))]),
    )


def _value_noise(row: U1, kind: U1, b: _Presence, t: _Presence) -> F8:
    """How many of a row's values come or go by chance from one observation to the next.

    A row whose sizes vary freely (a stream) loses one of them by chance far sooner than a row
    of fixed messages; what comes and goes within a period, without any change, says which it is.
    The sum over the row's values, not their mean, because any of them may be the one that is
    looked at later.
    """
    group = row.astype(np.int64) * len(TokenKind) + kind
    groups = ROW_COUNT * len(TokenKind)
    noise = np.bincount(group, b.noise * b.observations + t.noise * t.observations, groups)
    # The cells of a group are of one row and kind, so they have the same observations.
    weight = np.where(b.observations > 1, b.observations, 0) + np.where(
        t.observations > 1, t.observations, 0
    )
    shares: F8 = noise[group] / np.maximum(weight, 1)
    return shares


def _surprise(there: _Presence, absent: _Presence, loss: F8, at: I8) -> F8:
    """-log10 of the chance that these values, seen `there`, are all missing from the other."""
    total = there.total[at]
    k = np.maximum(total, 1e-9)
    b = there.number[at] - total + loss[at]
    log_missing = betaln(k, b + absent.number[at]) - betaln(k, b)
    # A value that comes at random, however often, is missing by chance as a Poisson count is.
    rate, dispersion = there.rate_and_dispersion(at)
    expected = rate * absent.watched[at] / dispersion
    chance = np.maximum(np.exp(log_missing), np.exp(-expected))
    surprise: F8 = -np.log10(np.maximum(chance, 10.0**-MAX_EVIDENCE))
    return np.clip(surprise, 0.0, MAX_EVIDENCE)

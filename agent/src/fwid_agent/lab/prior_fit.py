"""Fit the prior on training devices: what an unchanged device shows from one day to the next.

The devices' versions are not known for certain, so every estimate averages over devices with
equal weight: one that was silently updated moves it by its share only, and towards caution.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.special import digamma, polygamma

from fwid_agent.core.comparison import compare_periods
from fwid_agent.core.features import FEATURES, extract_features
from fwid_agent.core.findings import Sign, list_findings, score_of
from fwid_agent.core.periods import Period, make_period, select_units
from fwid_agent.core.prior import Prior, Spread, Tail, weak_prior
from fwid_agent.types import DIRECTIONS, F8, ROWS, TokenKind, UnitTable

_DAY_NS = 86_400 * 1_000_000_000
_VARIANCE_FLOOR = 1e-4  # squared log10 units: 2 %, below which rounding speaks
_FIRST_GUESS = 0.01
_MOST_DEGREES = 4.0  # a prior from two dozen devices is not worth more days of a device's own
_TAIL_CASES = 5.0
# Set-ups repeat one script, so they never show a protocol or a port that is used now and then.
_USE_KINDS = (TokenKind.ROW, TokenKind.PORT)
_USE_LOSS = 0.05


def fit_prior(devices: Mapping[str, UnitTable], unit_ns: int = _DAY_NS) -> Prior:
    """Fit a prior on the windows of training devices; units are days."""
    periods = [make_period(table, "day", unit_ns) for table in devices.values()]
    periods = [period for period in periods if period.units > 1]
    prior = replace(
        weak_prior(dict.fromkeys(FEATURES, _FIRST_GUESS)),
        spreads=_fit_spreads(periods),
        loss=_fit_loss(periods),
        trained_on=tuple(sorted(devices)),
    )
    single: list[float] = []
    once: list[float] = []
    several: list[float] = []
    anything: list[float] = []
    for period in periods:
        for baseline, test in time_ordered_splits(period):
            findings = list_findings(compare_periods(baseline, test, prior))
            own = score_of(findings, Sign.OWN_VALUE)
            if baseline.units == 1:
                single.append(own)
                continue
            (once if test.units == 1 else several).append(own)
            anything.append(score_of(findings))
    return replace(
        prior,
        single=_fit_alarm_tail(single),
        once=_fit_alarm_tail(once),
        several=_fit_alarm_tail(several),
        anything=_fit_bulk_tail(anything),
    )


def time_ordered_splits(period: Period) -> Iterator[tuple[Period, Period]]:
    """Yield each start of the period against what follows: one unit, and all of the rest."""
    units = period.units
    for size in range(1, units):
        for last in range(size, units):
            yield select_units(period, range(size)), select_units(period, [last])
        if units - size > 1:
            yield select_units(period, range(size)), select_units(period, range(size, units))


def _fit_alarm_tail(scores: Sequence[float]) -> Tail:
    """Fit an exponential tail to its largest score: the mean of the maximum of n is scale * H(n).

    The bulk of the scores is zero and says nothing of the tail, and an alarm is to be rarer
    than anything that was seen.
    """
    if not scores:
        return Tail(1.0, _TAIL_CASES)
    harmonic = sum(1 / k for k in range(1, len(scores) + 1))
    return Tail(max(max(scores) / harmonic, 0.1), _TAIL_CASES)


def _fit_bulk_tail(scores: Sequence[float]) -> Tail:
    """Fit the tail at the 90th percentile: use and settings of the training devices did change."""
    if not scores:
        return Tail(1.0, _TAIL_CASES)
    return Tail(max(float(np.quantile(scores, 0.9)) / math.log(10), 0.1), _TAIL_CASES)


# --- spreads of statistics: limma's moments of log variances (Smyth 2004, section 6.2) -----------


def _fit_spreads(periods: Sequence[Period]) -> dict[str, dict[str, Spread]]:
    values: dict[tuple[str, str], list[tuple[float, int]]] = {
        (d, f): [] for d in DIRECTIONS for f in FEATURES
    }
    for period in periods:
        means = _unit_means(period)
        for row, where in enumerate(ROWS):
            for column, name in enumerate(FEATURES):
                seen = means[:, row, column]
                seen = seen[np.isfinite(seen)]
                if len(seen) > 1:
                    values[where.direction, name].append((float(seen.var(ddof=1)), len(seen) - 1))
    return {d: {f: _fit_spread(values[d, f]) for f in FEATURES} for d in DIRECTIONS}


def _fit_spread(samples: Sequence[tuple[float, int]]) -> Spread:
    if len(samples) < 3:
        return Spread(_FIRST_GUESS, 1.0)
    variance = np.maximum([v for v, _ in samples], _VARIANCE_FLOOR)
    half = np.array([n for _, n in samples]) / 2
    logs = np.log(variance) - digamma(half) + np.log(half)
    excess = float(np.mean((logs - logs.mean()) ** 2 * len(logs) / (len(logs) - 1)))
    excess -= float(np.mean(polygamma(1, half)))
    degrees = 2 * _inverse_trigamma(excess) if excess > 0 else _MOST_DEGREES
    degrees = min(max(degrees, 0.5), _MOST_DEGREES)
    centre = float(logs.mean()) + float(digamma(degrees / 2)) - math.log(degrees / 2)
    return Spread(math.exp(centre), degrees)


def _inverse_trigamma(value: float) -> float:
    """Solve trigamma(x) = value by Newton's method on 1/trigamma, as Smyth's appendix does."""
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-8 * x:
            break
    return x


def _unit_means(period: Period) -> F8:
    features = extract_features(period.observations)
    means = np.full((period.units, *features.shape[1:]), np.nan)
    for unit in range(period.units):
        chosen = features[period.unit == unit]
        valid = np.isfinite(chosen)
        number = valid.sum(axis=0)
        total = np.where(valid, chosen, 0).sum(axis=0)
        means[unit] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return means


# --- loss of values ------------------------------------------------------------------------------


def _fit_loss(periods: Sequence[Period]) -> dict[str, dict[str, float]]:
    """Fit b from how often a value that was in every session of a day is gone on another day."""
    rates: dict[tuple[str, str], list[tuple[int, int]]] = {}
    vague = weak_prior(dict.fromkeys(FEATURES, _FIRST_GUESS))
    for period in periods:
        seen: dict[tuple[str, str], list[int]] = {}
        for i, j in itertools.permutations(range(period.units), 2):
            one, other = select_units(period, [i]), select_units(period, [j])
            if min(len(one.observations), len(other.observations)) < 2:
                continue  # one session a day cannot tell what is always there
            tokens = compare_periods(one, other, vague).tokens
            fixed = tokens[
                (tokens["presence_baseline"] == 1)
                & np.isin(tokens["row"], _shared_rows(one, other))
            ]
            for cell in fixed:
                key = (ROWS[cell["row"]].direction, TokenKind(cell["kind"]).name)
                count = seen.setdefault(key, [0, 0])
                count[0] += cell["presence_test"] == 0
                count[1] += 1
        for key, (gone, total) in seen.items():
            rates.setdefault(key, []).append((gone, total))
    return {
        d: {
            kind.name: max(_loss(rates.get((d, kind.name), [])), _USE_LOSS * (kind in _USE_KINDS))
            for kind in TokenKind
        }
        for d in DIRECTIONS
    }


def _shared_rows(one: Period, other: Period) -> list[int]:
    active = one.observations.sums[:, :, 0].any(axis=0) & other.observations.sums[:, :, 0].any(
        axis=0
    )
    return [int(row) for row in np.flatnonzero(active)]


def _loss(counts: Sequence[tuple[int, int]]) -> float:
    if not counts:
        return 0.05
    share = float(np.mean([gone / total for gone, total in counts]))
    # Half a loss that was not seen yet: none in a hundred does not mean never.
    floor = 0.5 / (sum(total for _, total in counts) + 1)
    share = min(max(share, floor), 0.5)
    return share / (1 - share)

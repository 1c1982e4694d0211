"""Whether a change of version can be seen on the wire at all, by an oracle that knows the labels.

The oracle has all days of both versions before it and asks whether they differ more than the same
days do when their labels are shuffled (a permutation test, exact where that is few enough). What it
cannot tell apart, no detector can be blamed for.
"""

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np

from fwid_agent.core.features import extract_features
from fwid_agent.core.periods import Period, make_period
from fwid_agent.lab.cases import DAY_NS, LabelledDevice, label_of
from fwid_agent.types import F8, Bools

LEVEL = 0.05
_MOST_EXACT = 2000
_DRAWS = 1999


def tell_apart(device: LabelledDevice, before: str, after: str, seed: int = 1) -> float:
    """Return the p-value of the oracle for two versions; 1.0 where either has no day."""
    period = make_period(device.windows, "day", DAY_NS)
    versions = np.array([label_of(device, period, unit).version for unit in range(period.units)])
    chosen = np.flatnonzero((versions == before) | (versions == after))
    later = versions[chosen] == after
    if later.all() or not later.any():
        return 1.0
    marks = _marks(period)[chosen]
    observed = _apart(marks, later)
    drawn = [_apart(marks, each) for each in _labellings(later, seed)]
    return float(np.mean([each >= observed - 1e-12 for each in drawn]))


def _labellings(later: Bools, seed: int) -> Iterator[Bools]:
    """Yield every way to label as many days, or that which was and many drawn ones."""
    days, count = len(later), int(later.sum())
    if comb(days, count) <= _MOST_EXACT:
        for members in combinations(range(days), count):
            each = np.zeros(days, bool)
            each[list(members)] = True
            yield each
        return
    rng = np.random.default_rng(seed)
    yield later
    for _ in range(_DRAWS):
        yield rng.permutation(later)


def _apart(marks: F8, later: Bools) -> float:
    """Sum how far the groups' means are apart; the fourth power lets clean splits stand out."""
    return float(((marks[later].mean(axis=0) - marks[~later].mean(axis=0)) ** 4).sum())


def _marks(period: Period) -> F8:
    """What is seen on each day: [days, marks] in [0, 1], exact values and ranks of statistics."""
    observed = period.observations
    tokens = observed.tokens
    names = tokens[["row", "kind", "value"]]
    found, which = np.unique(names, return_inverse=True)
    present = np.zeros((period.units, len(found)))
    present[period.unit[tokens["period"]], which] = 1.0
    features = extract_features(observed).reshape(len(observed), -1)
    features = features[:, np.isfinite(features).all(axis=0)]
    ranks = np.zeros((period.units, features.shape[1]))
    order = features.argsort(axis=0).argsort(axis=0)
    np.add.at(ranks, period.unit, order / max(len(order) - 1, 1))
    ranks /= np.bincount(period.unit)[:, None]
    return np.concatenate([present, ranks], axis=1)

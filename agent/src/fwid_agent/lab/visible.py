"""Whether a change of version can be seen on the wire at all, by an oracle that knows the labels.

The oracle has all days of both versions before it and asks whether they differ more than the same
days do when their labels are shuffled (a permutation test, exact where that is few enough). Days
are only shuffled among those of the same surroundings, and only differences within them count: a
setting that was changed in the same week, or a holiday, is no sign of a version. The day of an
update has both versions in it and is left out. What the oracle cannot tell apart, no detector can
be blamed for.
"""

from collections.abc import Iterator
from itertools import combinations, product
from math import comb, prod

import numpy as np
from scipy.stats import rankdata

from fwid_agent.core.features import extract_features
from fwid_agent.core.periods import Period, make_period
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice, label_of
from fwid_agent.types import F8, I8, Bools

LEVEL = 0.05
_MOST_EXACT = 2000
_DRAWS = 1999
_UNUSED = ("idle", "holiday")  # nobody uses the device


def tell_apart(device: LabelledDevice, before: str, after: str, seed: int = 1) -> float:
    """Return the p-value of the oracle for two versions; 1.0 where nothing can be compared."""
    period = make_period(device.windows, "day", DAY_NS)
    chosen, later, groups = _compared(device, period, before, after)
    if not groups:
        return 1.0
    marks = _marks(period)[chosen]
    for group in groups:
        marks[group] -= marks[group].mean(axis=0)
    compared = np.concatenate(groups)
    observed = _apart(marks[compared], later[compared])
    drawn = [_apart(marks[compared], each[compared]) for each in _labellings(later, groups, seed)]
    return float(np.mean([each >= observed - 1e-12 for each in drawn]))


def least_chance(device: LabelledDevice, before: str, after: str) -> float:
    """Return the smallest p-value that the days at hand allow; above LEVEL, nobody can say."""
    period = make_period(device.windows, "day", DAY_NS)
    _, later, groups = _compared(device, period, before, after)
    return 1 / _ways(later, groups)


def _compared(
    device: LabelledDevice, period: Period, before: str, after: str
) -> tuple[I8, Bools, list[I8]]:
    """Return the days of both versions, which are of the later one, and groups that have both."""
    labels = [label_of(device, period, unit) for unit in range(period.units)]
    versions = np.array([label.version for label in labels])
    whole = np.array([label.update != "episode" for label in labels])
    chosen = np.flatnonzero(((versions == before) | (versions == after)) & whole)
    later = versions[chosen] == after
    groups = _groups([labels[unit] for unit in chosen])
    return chosen, later, [group for group in groups if 0 < later[group].sum() < len(group)]


def _ways(later: Bools, groups: list[I8]) -> int:
    return prod(comb(len(group), int(later[group].sum())) for group in groups)


def _groups(labels: list[Label]) -> list[I8]:
    """Return the days of each surroundings."""
    names = [(label.settings, label.address, label.hard in _UNUSED) for label in labels]
    return [
        np.flatnonzero([name == each for name in names]).astype(np.int64)
        for each in dict.fromkeys(names)
    ]


def _labellings(later: Bools, groups: list[I8], seed: int) -> Iterator[Bools]:
    """Yield every way to label as many days of each group, or that which was and many drawn."""
    counts = [int(later[group].sum()) for group in groups]
    if _ways(later, groups) <= _MOST_EXACT:
        choices = (combinations(group, count) for group, count in zip(groups, counts, strict=True))
        for members in product(*choices):
            each = np.zeros(len(later), bool)
            each[np.concatenate(members)] = True
            yield each
        return
    rng = np.random.default_rng(seed)
    yield later
    for _ in range(_DRAWS):
        each = later.copy()
        for group in groups:
            each[group] = rng.permutation(later[group])
        yield each


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
    # Equal values share their rank: in the order of time they would look like a change.
    order = rankdata(features, axis=0) - 1
    np.add.at(ranks, period.unit, order / max(len(order) - 1, 1))
    ranks /= np.bincount(period.unit)[:, None]
    return np.concatenate([present, ranks], axis=1)

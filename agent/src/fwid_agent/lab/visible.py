"""Whether a change of version can be seen on the wire at all, by an oracle that knows the labels.

The oracle has all days of both versions before it, also those of the same device in other corpora,
and asks whether they differ more than the same days do when their labels are shuffled (a
permutation test, exact where that is few enough). Days are only shuffled among those of the same
surroundings, and only differences within them count: a setting that was changed in the same week,
or a holiday, is no sign of a version. The day of an update has both versions in it and is left out.
What the oracle cannot tell apart, no detector can be blamed for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import comb, prod

import numpy as np
from scipy.stats import rankdata

from fwid_agent.core.features import extract_features
from fwid_agent.core.periods import Period, make_period
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice, label_of
from fwid_agent.tables import merge_tables
from fwid_agent.types import F8, I8, Bools

LEVEL = 0.05
# Of the level: exact values may be compared between corpora. Statistics may not, because they move
# with the machine that a corpus was made on; and there are hundreds of them.
_VALUE_SHARE = 0.8
_MOST_EXACT = 2000
_DRAWS = 1999
_UNUSED = ("idle", "holiday")  # nobody uses the device
_APART_NS = 4000 * DAY_NS  # between corpora, whose dates are the same
_APART_SESSIONS = 1 << 20


def tell_apart(
    device: LabelledDevice,
    before: str,
    after: str,
    kin: Sequence[LabelledDevice] = (),
    seed: int = 1,
) -> float:
    """Return the p-value of the oracle for two versions; 1.0 where nothing can be compared.

    Args:
        device: in the corpus that is asked about.
        before, after: versions.
        kin: the same device in other corpora.
        seed: of the shuffling, where there are too many ways to try all.

    """
    everywhere = _days([device, *kin])
    here = _days([device])
    by_value = _chance(_values(everywhere.period), everywhere.labels, (before, after), seed)
    marks = np.concatenate([_values(here.period), _ranks(here.period)], axis=1)
    by_all = _chance(marks, here.labels, (before, after), seed)
    # Bonferroni, with weights.
    return min(by_value / _VALUE_SHARE, by_all / (1 - _VALUE_SHARE), 1.0)


def least_chance(
    device: LabelledDevice, before: str, after: str, kin: Sequence[LabelledDevice] = ()
) -> float:
    """Return the smallest p-value that the days at hand allow; above LEVEL, nobody can say."""
    everywhere, here = (
        1 / _ways(*_compared(_days(devices).labels, (before, after))[1:])
        for devices in ([device, *kin], [device])
    )
    return min(everywhere / _VALUE_SHARE, here / (1 - _VALUE_SHARE), 1.0)


@dataclass(frozen=True, slots=True)
class _Days:
    """All days of a device, and what is known of each."""

    period: Period
    labels: Sequence[Label]


def _days(devices: Sequence[LabelledDevice]) -> _Days:
    tables, labels = [], []
    for number, device in enumerate(devices):
        period = make_period(device.windows, "day", DAY_NS)
        labels += [label_of(device, period, unit) for unit in range(period.units)]
        observed = period.observations
        tables.append(
            replace(
                observed,
                start_ns=observed.start_ns + number * _APART_NS,
                session=observed.session + number * _APART_SESSIONS,
            )
        )
    return _Days(make_period(merge_tables(tables), "day", DAY_NS), labels)


def _chance(marks: F8, labels: Sequence[Label], pair: tuple[str, str], seed: int) -> float:
    """Return the chance that as much differs, by how the days of two versions are labelled."""
    chosen, later, groups = _compared(labels, pair)
    if not groups:
        return 1.0
    marks = marks[chosen]
    for group in groups:
        marks[group] -= marks[group].mean(axis=0)
    compared = np.concatenate(groups)
    observed = _apart(marks[compared], later[compared])
    drawn = [_apart(marks[compared], each[compared]) for each in _labellings(later, groups, seed)]
    return float(np.mean([each >= observed - 1e-12 for each in drawn]))


def _compared(labels: Sequence[Label], pair: tuple[str, str]) -> tuple[I8, Bools, list[I8]]:
    """Return the days of both versions, which are of the later one, and groups that have both."""
    versions = np.array([label.version for label in labels])
    whole = np.array([label.update != "episode" for label in labels])
    chosen = np.flatnonzero(np.isin(versions, pair) & whole)
    later = versions[chosen] == pair[1]
    groups = _groups([labels[int(unit)] for unit in chosen])
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


def _values(period: Period) -> F8:
    """Which exact values are there on each day: [days, values], 0 or 1."""
    tokens = period.observations.tokens
    found, which = np.unique(tokens[["row", "kind", "value"]], return_inverse=True)
    present = np.zeros((period.units, len(found)))
    present[period.unit[tokens["period"]], which] = 1.0
    return present


def _ranks(period: Period) -> F8:
    """Return the rank of each statistic among the days: [days, statistics] in [0, 1]."""
    observed = period.observations
    features = extract_features(observed).reshape(len(observed), -1)
    features = features[:, np.isfinite(features).all(axis=0)]
    # Equal values share their rank: in the order of time they would look like a change.
    order = rankdata(features, axis=0) - 1
    ranks = np.zeros((period.units, features.shape[1]))
    np.add.at(ranks, period.unit, order / max(len(order) - 1, 1))
    ranks /= np.bincount(period.unit)[:, None]
    return ranks

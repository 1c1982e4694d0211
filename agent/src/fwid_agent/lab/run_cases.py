"""The paper's question of a corpus of days: one version's days against later days.

Stable cases hold a version's first days against its next ones, changed cases all days of a version
against the first ones of the next. Order of time only; days that no baseline has are asked once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from fwid_agent.core.periods import select_units
from fwid_agent.lab.cases import Case, Kind, Label, label_of
from fwid_agent.lab.rule import Asked, Units

LEAST_BASELINE = 2


@dataclass(frozen=True, slots=True)
class RunCase:
    """A case, and of which days it is."""

    device: str
    kind: Kind
    baseline: Units
    test: Units
    label: Label  # of the change; of a stable case, of its first test day
    day: int  # first of the test


def runs_of(labels: Sequence[Label]) -> list[list[int]]:
    """Return the days of each version, as long as it ran at a time."""
    versions = [label.version for label in labels]
    return [list(group) for _, group in groupby(range(len(versions)), key=versions.__getitem__)]


def labels_of(asked: Asked) -> list[Label]:
    """Return what is known of each day."""
    return [label_of(asked.device, asked.period, unit) for unit in range(asked.period.units)]


def list_run_cases(
    device: str, labels: Sequence[Label], test_days: int, least_baseline: int
) -> Iterator[RunCase]:
    """List the cases of one device whose test has this many days.

    Args:
        device: its name.
        labels: what is known of each day.
        test_days: of every test: as many pictures are in a verdict.
        least_baseline: days in the baseline of a stable case; a changed one has two at the least.

    """
    runs = runs_of(labels)
    for run in runs:
        for end in range(least_baseline, len(run) - test_days + 1, test_days):
            test = tuple(run[end : end + test_days])
            yield RunCase(device, Kind.STABLE, tuple(run[:end]), test, labels[test[0]], test[0])
    for before, after in pairwise(runs):
        if len(before) >= LEAST_BASELINE and len(after) >= test_days:
            test = tuple(after[:test_days])
            yield RunCase(device, Kind.CHANGED, tuple(before), test, labels[test[0]], test[0])


def as_case(asked: Asked, case: RunCase) -> Case:
    """Return the case with its traffic, as the methods take it."""
    return Case(
        case.device,
        "",
        case.kind,
        select_units(asked.period, case.baseline),
        select_units(asked.period, case.test),
    )

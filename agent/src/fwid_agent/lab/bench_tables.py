"""What the bench counted, in tables: rows of detectors, and the default's details."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fwid_agent.lab.ablation import CASE_DAYS, CaseScore
from fwid_agent.lab.bench_run import Bench
from fwid_agent.lab.cases import Kind
from fwid_agent.lab.counting import Count, Rate, bootstrap_by_device, rank_auc
from fwid_agent.lab.daily import Outcome
from fwid_agent.lab.fold_run import FoldResult
from fwid_agent.lab.methods import DEFAULT
from fwid_agent.lab.noticed import DAYS_A_YEAR, Noticed, Seen, summarise
from fwid_agent.lab.visible import LEVEL

Visible = Mapping[tuple[str, int], bool]  # device and day of a change


@dataclass(frozen=True, slots=True)
class Point:
    """A row at one level: what it would tell, and how often in vain."""

    level: float
    alarms: Rate  # a device-year
    told: Count  # of the visible changes


@dataclass(frozen=True, slots=True)
class RowTable:
    """One row of the ablation table."""

    row: str
    stable: Count  # cases called so
    changed: Count  # cases found, also those of invisible changes
    changed_visible: Count
    auc: float  # of cases of visible changes over stable ones
    noticed: Noticed
    told_at_default: Count  # visible changes, where as many false alarms as the default's
    curve: tuple[Point, ...]
    stable_by_device: tuple[float, float]  # bootstrap interval by device
    per_device: Mapping[str, tuple[Count, Count]]  # stable called so, changed found


@dataclass(frozen=True, slots=True)
class Kinds:
    """The default's details: how it did by what."""

    by_corpus: Mapping[str, Noticed]
    by_length: Mapping[float, Noticed]  # days of a unit; its rates and delays are in days
    by_images: Mapping[int, tuple[Count, Count, Count]]  # days: stable, changed, visible changed
    by_change: Mapping[str, Count]  # cases of visible changes, by how large they are


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that is counted by day."""

    rows: tuple[RowTable, ...]
    kinds: Kinds
    transfers: Mapping[str, Noticed]  # the default, trained on other corpora only
    simulated: Rate | None  # false alarms in device-years of days drawn anew
    visible: int  # changes that the oracle sees
    invisible: int  # that it could see, and does not
    too_few: Count  # told of the others, of which the oracle cannot say: there are too few days


def tabulate(bench: Bench, seed: int) -> Tables | None:
    """Count everything; None where no corpus is known by days."""
    visible = visible_changes(bench.folds)
    names = list(dict.fromkeys(each.row for fold in bench.folds for each in fold.watched))
    if not names:
        return None
    rows = [_row(name, bench.folds, visible, seed) for name in names]
    default = next(row for row in rows if row.row == DEFAULT)
    rows = [replace(row, told_at_default=_told_at(row, default.noticed.alarms)) for row in rows]
    outcomes = [o for fold in bench.folds for o in _outcomes(fold, DEFAULT)]
    counted = [o for o in outcomes if o.changes or o.calm_by_hard]
    flags = [visible.get((o.device, change.day), False) for o in counted for change in o.changes]
    years = [o for fold in bench.folds for o in fold.simulated]
    unsaid = _unsaid(bench.folds, counted)
    return Tables(
        tuple(rows),
        _kinds(bench, counted, visible),
        {
            fold.name: _noticed(_outcomes(fold, DEFAULT), visible_changes([fold]))
            for fold in bench.transfers
            if fold.watched
        },
        _rate(years) if years else None,
        sum(flags),
        len(flags) - sum(flags) - unsaid.total,
        unsaid,
    )


def visible_changes(folds: Iterable[FoldResult]) -> Visible:
    """Say of every change, by device and day, whether the oracle sees it."""
    return {(s.device, s.day): s.chance <= LEVEL for fold in folds for s in fold.sights}


def _unsaid(folds: Iterable[FoldResult], outcomes: Iterable[Outcome]) -> Count:
    """Count the changes of which the oracle cannot say, and those of them that were told."""
    few = {(s.device, s.day) for fold in folds for s in fold.sights if s.least > LEVEL}
    told = [
        change.told_after is not None
        for outcome in outcomes
        for change in outcome.changes
        if (outcome.device, change.day) in few
    ]
    return Count(sum(told), len(told))


def _outcomes(fold: FoldResult, row: str) -> list[Outcome]:
    return [each.outcome for each in fold.watched if each.row == row]


def _row(name: str, folds: Sequence[FoldResult], visible: Visible, seed: int) -> RowTable:
    watched = [each for fold in folds for each in fold.watched if each.row == name]
    cases = [
        case
        for fold in folds
        for case in fold.cases
        if case.row == name and case.test_days == CASE_DAYS
    ]
    stable, changed, seen = _split(cases, visible)
    levels = sorted({level for each in watched for level in each.levels})
    curve = [
        _point(level, [each.levels[level] for each in watched], visible)
        for level in levels
        if all(level in each.levels for each in watched)
    ]
    devices = sorted({case.device for case in cases})
    per_device = {
        device: (
            _calm(case for case in stable if case.device == device),
            _found(case for case in changed if case.device == device),
        )
        for device in devices
    }
    calm = {
        device: [not case.changed for case in stable if case.device == device] for device in devices
    }
    return RowTable(
        name,
        _calm(stable),
        _found(changed),
        _found(seen),
        rank_auc(np.array([c.score for c in stable]), np.array([c.score for c in seen])),
        _noticed([each.outcome for each in watched], visible),
        Count(0, 0),
        tuple(curve),
        bootstrap_by_device(calm, np.random.default_rng(seed)),
        per_device,
    )


def _split(
    cases: Sequence[CaseScore], visible: Visible
) -> tuple[list[CaseScore], list[CaseScore], list[CaseScore]]:
    """Return stable cases, changed ones, and of these the visible ones."""
    stable = [case for case in cases if case.kind is Kind.STABLE]
    changed = [case for case in cases if case.kind is Kind.CHANGED]
    return stable, changed, [c for c in changed if visible.get((c.device, c.day), False)]


def _calm(cases: Iterable[CaseScore]) -> Count:
    said = [not case.changed for case in cases]
    return Count(sum(said), len(said))


def _found(cases: Iterable[CaseScore]) -> Count:
    said = [case.changed for case in cases]
    return Count(sum(said), len(said))


def _noticed(outcomes: Sequence[Outcome], visible: Visible) -> Noticed:
    seen = [
        Seen(change, visible.get((outcome.device, change.day), False))
        for outcome in outcomes
        for change in outcome.changes
    ]
    return summarise(outcomes, seen)


def _rate(outcomes: Sequence[Outcome]) -> Rate:
    days = sum(outcome.calm_days for outcome in outcomes)
    return Rate(sum(len(outcome.false_alarms) for outcome in outcomes), days / DAYS_A_YEAR)


def _point(level: float, outcomes: Sequence[Outcome], visible: Visible) -> Point:
    told = [
        change.told_after is not None
        for outcome in outcomes
        for change in outcome.changes
        if visible.get((outcome.device, change.day), False)
    ]
    return Point(level, _rate(outcomes), Count(sum(told), len(told)))


def _told_at(row: RowTable, alarms: Rate) -> Count:
    """Return the most that a row tells where its false alarms are no more than these.

    A threshold that is never reached tells nothing, and is always among them.
    """
    within = [point.told for point in row.curve if point.alarms.events <= alarms.events]
    return max(within, key=lambda told: told.hits, default=Count(0, row.noticed.told.total))


# --- the default in detail -----------------------------------------------------------------------


def _kinds(bench: Bench, outcomes: Sequence[Outcome], visible: Visible) -> Kinds:
    corpus = {m.device.name: m.corpus for each in bench.corpora for m in each.members}
    cases = [c for fold in bench.folds for c in fold.cases if c.row == DEFAULT]
    lengths = [each for fold in bench.folds for each in fold.lengths]
    seen = _split([case for case in cases if case.test_days == CASE_DAYS], visible)[2]
    return Kinds(
        _grouped(outcomes, lambda outcome: corpus[outcome.device], visible),
        {
            length: in_days(
                _noticed_units(
                    [each.outcome for each in lengths if each.length_days == length], bench.folds
                ),
                length,
            )
            for length in sorted({each.length_days for each in lengths})
        },
        {
            images: _images([case for case in cases if case.test_days == images], visible)
            for images in sorted({case.test_days for case in cases})
        },
        {
            change: _found(case for case in seen if case.label.change == change)
            for change in sorted({case.label.change for case in seen})
        },
    )


def _grouped(
    outcomes: Sequence[Outcome], group: Callable[[Outcome], str], visible: Visible
) -> dict[str, Noticed]:
    return {
        name: _noticed([each for each in outcomes if group(each) == name], visible)
        for name in sorted({group(each) for each in outcomes})
    }


def _images(cases: Sequence[CaseScore], visible: Visible) -> tuple[Count, Count, Count]:
    stable, changed, seen = _split(cases, visible)
    return _calm(stable), _found(changed), _found(seen)


def _noticed_units(outcomes: Sequence[Outcome], folds: Iterable[FoldResult]) -> Noticed:
    """Count where units are no days: a change is known by the versions that it leads between."""
    chance = {(s.device, s.before, s.after): s.chance for fold in folds for s in fold.sights}
    seen = []
    for outcome in outcomes:
        for change in outcome.changes:
            before = outcome.days[change.day - 1].label.version
            named = outcome.device, before, change.label.version
            seen.append(Seen(change, chance.get(named, 1.0) <= LEVEL))
    return summarise(outcomes, seen)


def in_days(noticed: Noticed, length: float) -> Noticed:
    """Turn what was counted in units of so many days into days."""
    return replace(
        noticed,
        alarms=Rate(noticed.alarms.events, noticed.alarms.time * length),
        delay_median=None if noticed.delay_median is None else noticed.delay_median * length,
        delay_90=None if noticed.delay_90 is None else noticed.delay_90 * length,
        alarms_by_hard={
            hard: Rate(rate.events, rate.time * length)
            for hard, rate in noticed.alarms_by_hard.items()
        },
    )

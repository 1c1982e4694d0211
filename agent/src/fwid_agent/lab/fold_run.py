"""One fold of the bench: models that never saw its devices judge them, row by row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from fwid_agent.lab.ablation import (
    CASE_DAYS,
    CaseScore,
    Row,
    Thresholds,
    fit_thresholds,
    make_rows,
    score_cases,
    sweep,
    usual_level,
)
from fwid_agent.lab.cases import LabelledDevice
from fwid_agent.lab.daily import Outcome
from fwid_agent.lab.drift import SPEEDS, Drifted, DriftPlan, drift_device
from fwid_agent.lab.evaluate import Scored, score_dates
from fwid_agent.lab.folds import Fold, shipped_models, train_on
from fwid_agent.lab.methods import fit_methods
from fwid_agent.lab.parts import ByLength, watch_by_length
from fwid_agent.lab.present import Member, kin_of, versions_of
from fwid_agent.lab.resample import run_years
from fwid_agent.lab.train import Trained
from fwid_agent.lab.visible import least_chance, tell_apart

IMAGES = (1, 2, 3, 5)  # days in a verdict


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked of every fold."""

    seed: int = 1
    learning: int = 3  # days that are learnt before any is judged
    rate: float = 0.1  # false alarms a device-year that are aimed at
    handshakes: bool = False  # whether they were read
    shipped: bool = False  # the models that come with the agent, instead of the fold's own
    default_only: bool = False  # no other row and nothing but its days: for a transfer
    years: int = 0  # simulated device-years, of all folds together
    devices: int = 1  # that share them
    drift_of: str = ""  # the corpus whose devices are made to drift
    quick: bool = False  # few levels, speeds and lengths, to see it work


@dataclass(frozen=True, slots=True)
class Watched:
    """What a row told of a device, at its own level and at others."""

    row: str
    outcome: Outcome
    levels: Mapping[float, Outcome]  # without their days


@dataclass(frozen=True, slots=True)
class Sight:
    """A change of version, and the chance that as much differs by how its days are labelled."""

    device: str
    day: int
    before: str  # version
    after: str
    chance: float
    least: float  # the smallest chance that so few days allow


@dataclass(frozen=True, slots=True)
class FoldResult:
    """All that came of a fold."""

    name: str
    trained_on: int  # devices
    thresholds: Mapping[str, Thresholds]
    watched: tuple[Watched, ...]
    cases: tuple[CaseScore, ...]
    sights: tuple[Sight, ...]
    lengths: tuple[ByLength, ...]
    dates: tuple[Scored, ...]
    drifted: tuple[Drifted, ...]
    simulated: tuple[Outcome, ...]  # without their days


def run_fold(fold: Fold, ask: Ask) -> FoldResult:
    """Judge the devices that a fold holds out."""
    trained = shipped_models() if ask.shipped else train_on(fold.rest, ask.seed)
    rows = make_rows(trained, ask.seed, ask.rate)
    rows = rows[-1:] if ask.default_only else rows
    held = [member for member in fold.held if is_daily(member)]
    rest = [member.device for member in fold.rest if is_daily(member)]
    thresholds = {row.name: fit_thresholds(row, rest, ask.learning, ask.rate) for row in rows}
    default = rows[-1]
    assert default.judge is not None
    full = not ask.default_only
    return FoldResult(
        fold.name,
        len(fold.rest),
        thresholds,
        tuple(
            _watch(row, member.device, thresholds[row.name], ask) for row in rows for member in held
        ),
        tuple(_cases(rows, [member.device for member in held], thresholds, ask)),
        tuple(sight for member in held for sight in _sights(member, held)),
        tuple(
            each
            for member in held
            if member.fine is not None and full and not ask.quick
            for each in watch_by_length(member.fine, default.judge, ask.learning)
        ),
        tuple(_dates(fold, trained, ask)),
        tuple(
            each
            for member in held
            if full and member.corpus == ask.drift_of
            for each in drift_device(member.device, default.judge, ask.learning, _drift(ask))
        ),
        tuple(_simulate([member.device for member in held], default, ask)),
    )


def _drift(ask: Ask) -> DriftPlan:
    return DriftPlan(ask.seed, SPEEDS[::5], 15) if ask.quick else DriftPlan(ask.seed)


def is_daily(member: Member) -> bool:
    """Say whether the version is known on every day, and changes or may change in many."""
    versions = versions_of(member.device)
    return all(versions) and len(versions) > CASE_DAYS + 2


def without_days(outcome: Outcome) -> Outcome:
    """Return what was counted, without what it was counted from."""
    return replace(outcome, days=())


def _watch(row: Row, device: LabelledDevice, thresholds: Thresholds, ask: Ask) -> Watched:
    usual = usual_level(row)
    others = row.levels[::5] if ask.quick else row.levels
    levels = sweep(row, device, thresholds, ask.learning, [usual, *others])
    return Watched(
        row.name,
        levels[usual],
        {level: without_days(outcome) for level, outcome in sorted(levels.items())},
    )


def _cases(
    rows: Sequence[Row],
    held: Sequence[LabelledDevice],
    thresholds: Mapping[str, Thresholds],
    ask: Ask,
) -> Iterator[CaseScore]:
    for row in rows:
        images = (CASE_DAYS,) if row is not rows[-1] or ask.default_only else IMAGES
        for device in held:
            for test_days in images:
                yield from score_cases(row, device, thresholds[row.name], ask.learning, test_days)


def _sights(member: Member, held: Sequence[Member]) -> Iterator[Sight]:
    """Ask the oracle about every change of a device; it knows the same device of other corpora."""
    device = member.device
    kin = kin_of(member, held)
    known: dict[tuple[str, str], tuple[float, float]] = {}
    for day, pair in enumerate(pairwise(versions_of(device)), 1):
        if pair[0] != pair[1]:
            if pair not in known:
                known[pair] = (
                    tell_apart(device, *pair, kin),
                    least_chance(device, *pair, kin),
                )
            yield Sight(device.name, day, *pair, *known[pair])


def _dates(fold: Fold, trained: Trained, ask: Ask) -> list[Scored]:
    """Ask all methods about the devices that are known by dates, not by days."""
    rest, held = (
        [member.device for member in members if not is_daily(member)]
        for members in (fold.rest, fold.held)
    )
    methods = fit_methods(trained, ask.seed)
    return score_dates(rest, held, methods[-1:] if ask.default_only else methods)


def _simulate(held: Sequence[LabelledDevice], default: Row, ask: Ask) -> Iterator[Outcome]:
    """Simulate these devices' share of the years."""
    assert default.judge is not None
    years = round(ask.years * len(held) / max(ask.devices, 1))
    for outcome in run_years(held, default.judge, ask.learning, years, ask.seed):
        yield without_days(outcome)

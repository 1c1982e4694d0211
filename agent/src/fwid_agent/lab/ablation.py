"""The rows of the bench: every detector is asked the same of the same days.

*Score rows* are a score and the common alarm rule (lab.rule); their thresholds are set so that
unchanged training devices would reach them at the rate of false alarms that is aimed at, by the
tail that the default detector believes in too. *Judge rows* are the shipped detector, whole or
without a part of it, through the watch of the agent.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

import numpy as np

from fwid_agent.core.comparison import Comparison
from fwid_agent.core.evidence import COMPARE_CHANCE, Judge, Likeness, Model, decide
from fwid_agent.core.periods import Period
from fwid_agent.core.stability import Rules
from fwid_agent.lab.cases import Case, Kind, Label, LabelledDevice
from fwid_agent.lab.daily import Outcome, list_days, watch_days, weigh_days
from fwid_agent.lab.methods import (
    DEFAULT,
    REPLACED,
    THRESHOLD_QUANTILE,
    Method,
    fit_methods,
    score_decision,
)
from fwid_agent.lab.noticed import DAYS_A_YEAR
from fwid_agent.lab.rule import Asked, calm_scores, watch_days_by_score
from fwid_agent.lab.run_cases import as_case, labels_of, list_run_cases, runs_of
from fwid_agent.lab.train import Trained
from fwid_agent.model.encoder import Encoder
from fwid_agent.model.manifest import ROW_TWIN
from fwid_agent.pipeline.models import RowTwin

CASE_DAYS = 3  # in the test of a case, where it is not said otherwise
FACTORS = tuple(float(f) for f in np.round(np.geomspace(0.02, 2.0, 21), 3))  # of a threshold
RATES = (0.01, 0.1, 1.0, 10.0, 50.0, 150.0, 330.0)  # a device-year
NO_NETWORK = "default without the network: replaced own values"


@dataclass(frozen=True, slots=True)
class Row:
    """A detector of the bench; a judge has thresholds of its own."""

    name: str
    method: Method
    judge: Judge | None = None

    @property
    def levels(self) -> Sequence[float]:
        """What is swept: factors of the threshold, or rates of false alarms asked for."""
        return FACTORS if self.judge is None else RATES


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From which score on a row says "changed": a day by day, and of one case."""

    days: float
    cases: float


@dataclass(frozen=True, slots=True)
class CaseScore:
    """A case, and what a row made of it."""

    row: str
    device: str
    kind: Kind
    day: int
    label: Label
    test_days: int
    score: float
    threshold: float

    @property
    def changed(self) -> bool:
        """Whether the row says "changed"."""
        return self.score >= self.threshold


def make_rows(trained: Trained, seed: int, rate: float) -> list[Row]:
    """Return every row, the default last; `rate` is that of false alarms a device-year."""
    methods = {method.name: method for method in fit_methods(trained, seed)}
    twin = RowTwin(Encoder(trained.row_twin, ROW_TWIN), trained.logistic)
    judge = Judge(trained.prior, twin, rate / DAYS_A_YEAR)
    plain = replace(judge, model=partial(_without_veto, twin))
    rows = [
        Row(name, method) for name, method in methods.items() if name not in (DEFAULT, REPLACED)
    ]
    decided = Method(NO_NETWORK, partial(_decide, replace(plain, chance=COMPARE_CHANCE)), 1.0)
    return [*rows, Row(NO_NETWORK, decided, plain), Row(DEFAULT, methods[DEFAULT], judge)]


def _without_veto(model: Model, comparisons: Sequence[Comparison]) -> list[Likeness]:
    return [replace(each, software=1.0) for each in model(comparisons)]


def _decide(judge: Judge, case: Case) -> float:
    return score_decision(decide(case.device, case.baseline, case.test, judge))


def asked_of(row: Row, device: LabelledDevice) -> Asked:
    """Make a device's units ready for a row's questions."""

    def score(baseline: Period, test: Period) -> float:
        return row.method.score(Case(device.name, "", Kind.UNVERIFIED, baseline, test))

    return Asked(device, score)


def fit_thresholds(
    row: Row, rest: Sequence[LabelledDevice], learning: int, rate: float
) -> Thresholds:
    """Set a score row's thresholds by devices that are not judged; a judge's are its own."""
    if row.judge is not None:
        return Thresholds(1.0, 1.0)
    calm: list[float] = []
    cases: list[float] = []
    for device in rest:
        asked = asked_of(row, device)
        labels = labels_of(asked)
        calm += calm_scores(asked, runs_of(labels), learning)
        cases += [
            asked(case.baseline, case.test)
            for case in list_run_cases(device.name, labels, CASE_DAYS, learning)
            if case.kind is Kind.STABLE
        ]
    return Thresholds(
        tail_threshold(calm, rate / DAYS_A_YEAR),
        float(np.quantile(cases, THRESHOLD_QUANTILE)) if cases else math.inf,
    )


def tail_threshold(scores: Sequence[float], chance: float) -> float:
    """Return the score that an unchanged device reaches with this chance in a day.

    The tail is taken as exponential and fitted to the largest score: the mean of the maximum of n
    is scale * H(n), as in lab.prior_fit. Without scores nothing is believed: infinite.
    """
    if not scores:
        return math.inf
    harmonic = sum(1 / k for k in range(1, len(scores) + 1))
    return max(1e-6, *scores) / harmonic * math.log(1 / chance)


def usual_level(row: Row) -> float:
    """Return the level at which a row is asked for the rate that is aimed at."""
    return 1.0 if row.judge is None else row.judge.chance * DAYS_A_YEAR


def sweep(
    row: Row,
    device: LabelledDevice,
    thresholds: Thresholds,
    learning: int,
    levels: Sequence[float],
) -> Mapping[float, Outcome]:
    """Judge a device day by day at several levels (see Row.levels)."""
    judged: Callable[[float], Outcome]
    if row.judge is None:
        asked = asked_of(row, device)

        def judged(level: float) -> Outcome:
            days = watch_days_by_score(asked, thresholds.days * level, learning)
            return weigh_days(device.name, days, learning)

    else:
        judge, rules = row.judge, Rules(UUID(int=0), learning_units=learning)

        def judged(level: float) -> Outcome:
            at = replace(judge, chance=level / DAYS_A_YEAR)
            days = watch_days(device.mac, list_days(device), at, rules)
            return weigh_days(device.name, days, learning)

    return {level: judged(level) for level in levels}


def score_cases(
    row: Row, device: LabelledDevice, thresholds: Thresholds, learning: int, test_days: int
) -> list[CaseScore]:
    """Ask a row the paper's question of one device."""
    asked = asked_of(row, device)
    labels = labels_of(asked)
    return [
        CaseScore(
            row.name,
            device.name,
            case.kind,
            case.day,
            case.label,
            test_days,
            row.method.score(as_case(asked, case)),
            thresholds.cases,
        )
        for case in list_run_cases(device.name, labels, test_days, learning)
    ]

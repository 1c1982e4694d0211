"""The detectors that the bench compares: each is fitted on training devices, then scores cases.

A score is larger the more a case looks changed. The threshold of each method is the 90th
percentile of its scores on unchanged cases of the training devices, so that all of them are asked
the same question; the default detector brings thresholds of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fwid_agent.core.comparison import compare_periods
from fwid_agent.core.effect import hedges_g
from fwid_agent.core.evidence import Judge, decide
from fwid_agent.core.findings import own_score
from fwid_agent.core.image import global_image, measure_columns, relative_image
from fwid_agent.core.periods import Period
from fwid_agent.core.similarity import score_units, score_units_by_distance
from fwid_agent.lab.cases import Case
from fwid_agent.lab.energy import permutation_surprise
from fwid_agent.lab.train import Trained
from fwid_agent.model.encoder import Encoder, unit_length
from fwid_agent.model.manifest import PUBLISHED, ROW_TWIN
from fwid_agent.pipeline.models import RowTwin
from fwid_agent.types import F8, I4, Decision, Verdict

SPREAD_FLOOR = 0.01  # of similarity scores: below it the pictures' rounding speaks
THRESHOLD_QUANTILE = 0.9
REPLACED = "replaced own values alone"
DEFAULT = "default: replaced own values, row-shared twin as veto"
Score = Callable[[Case], float]


@dataclass(frozen=True, slots=True)
class Method:
    """A detector that was fitted."""

    name: str
    score: Score
    threshold: float | None  # None: set from training cases


def fit_methods(trained: Trained, seed: int) -> list[Method]:
    """Return every detector of the bench, fitted."""
    encoder = Encoder(trained.published, PUBLISHED)
    twin = RowTwin(Encoder(trained.row_twin, ROW_TWIN), trained.logistic)
    scaler, prior = trained.scaler, trained.prior

    def pictures(period: Period) -> F8:
        return global_image(measure_columns(period.observations), scaler).astype(np.float64)

    def published(case: Case) -> float:
        embedded = [
            unit_length(encoder.encode(pictures(period).astype(np.uint8)))
            for period in (case.baseline, case.test)
        ]
        return _g(*score_units(embedded[0], case.baseline.unit, embedded[1], case.test.unit))

    def raw_distance(case: Case) -> float:
        return _distance_g(case, pictures(case.baseline), pictures(case.test))

    def relative_distance(case: Case) -> float:
        before = measure_columns(case.baseline.observations)
        after = measure_columns(case.test.observations)
        floor = np.full(before.shape[2], 0.05)
        return _distance_g(
            case,
            relative_image(before, before, floor).astype(np.float64),
            relative_image(after, before, floor).astype(np.float64),
        )

    def largest_cells(case: Case) -> float:
        comparison = compare_periods(case.baseline, case.test, prior)
        values = np.sort(np.abs(comparison.tokens["evidence"]))[-5:]
        cells = np.sort(np.concatenate([values, comparison.evidence.ravel()]))
        return float(cells[-5:].mean())

    def energy(case: Case) -> float:
        rng = np.random.default_rng(seed)
        before, after = pictures(case.baseline), pictures(case.test)
        flat = (-1, before.shape[1] * before.shape[2])
        return permutation_surprise(before.reshape(flat), after.reshape(flat), rng)

    def replaced(case: Case) -> float:
        comparison = compare_periods(case.baseline, case.test, prior)
        return own_score(comparison)

    def twin_distance(case: Case) -> float:
        (likeness,) = twin([compare_periods(case.baseline, case.test, prior)])
        return 1 / likeness.similarity - 1

    def default(case: Case) -> float:
        return score_decision(decide(case.device, case.baseline, case.test, Judge(prior, twin)))

    return [
        Method("published: device-trained twin, global scale, g", published, None),
        Method("raw picture L2, g", raw_distance, None),
        Method("device-relative L2, g", relative_distance, None),
        Method("largest cells", largest_cells, None),
        Method("permutation test of energy distance", energy, None),
        Method(REPLACED, replaced, None),
        Method("row-shared twin alone", twin_distance, None),
        Method(DEFAULT, default, 1.0),
    ]


def score_decision(decision: Decision) -> float:
    """Return a decision as a score: 1 or more where it says "changed", less where it does not."""
    return decision.score if decision.verdict is Verdict.CHANGED else min(decision.score, 0.99)


def threshold_of(method: Method, unchanged: Sequence[Case]) -> float:
    """Return the score from which on a method says "changed"."""
    if method.threshold is not None:
        return method.threshold
    scores = [method.score(case) for case in unchanged]
    return float(np.quantile(scores, THRESHOLD_QUANTILE)) if scores else float("inf")


def _g(alike: F8, unlike: F8) -> float:
    """Hedges' g, or with too few units for one the plain difference over the floor."""
    effect = hedges_g(alike, unlike, spread_floor=SPREAD_FLOOR)
    if effect is not None:
        return effect.g
    if len(alike) == 0 or len(unlike) == 0:
        return 0.0
    return float((alike.mean() - unlike.mean()) / SPREAD_FLOOR)


def _distance_g(case: Case, before: F8, after: F8) -> float:
    """Score sessions: their number carries g where dates are only two."""
    flat = (-1, before.shape[1] * before.shape[2])
    return _g(
        *score_units_by_distance(
            before.reshape(flat), _sessions(before), after.reshape(flat), _sessions(after)
        )
    )


def _sessions(pictures: F8) -> I4:
    return np.arange(len(pictures), dtype=np.int32)

"""One attempt to refine: draw pairs, train, measure on the newest days, say what is better."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fwid_agent.core.evidence import SOFTWARE_LEAST
from fwid_agent.core.prior import Prior
from fwid_agent.errors import UsageError
from fwid_agent.model.history import Refined
from fwid_agent.model.training import Bounds, Trained, check_memory, train
from fwid_agent.pipeline.models import RowTwin
from fwid_agent.pipeline.refined import Base, refined_twin
from fwid_agent.refine.days import LEAST_DAYS, Stretch
from fwid_agent.refine.pairs import Draw, Pairs, draw_held, draw_learnt, join, show_rows
from fwid_agent.refine.scores import Score, find_fault, measure

_LEAST_SLOPE = 1e-3
OnStage = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a household's network is refined."""

    prior: Prior
    unit_ns: int
    bounds: Bounds = field(default_factory=Bounds)
    seed: int = 1
    learnt_pairs: int = 48  # a version of a device
    held_pairs: int = 32


@dataclass(frozen=True, slots=True)
class Tried:
    """What an attempt gave."""

    refined: Refined
    trained: Trained
    before: Score
    after: Score
    fault: str  # why the refined network is not to be used; "" where it is better
    pairs: int
    doubted: int  # pairs that were left out


def draw_home(stretches: Sequence[Stretch], plan: Plan) -> tuple[Pairs, Pairs]:
    """Draw the pairs to learn from, and those to measure on."""
    both = [draw_of(stretch, plan) for stretch in stretches]
    return join([learnt for learnt, _ in both]), join([held for _, held in both])


def draw_of(stretch: Stretch, plan: Plan) -> tuple[Pairs, Pairs]:
    """Draw one device's; by an order of its own, so that the other devices do not matter."""
    check_memory(plan.bounds)
    rng = np.random.default_rng([plan.seed, stretch.device, len(stretch.days)])
    draw = Draw(plan.prior, plan.unit_ns, rng)
    learnt = draw_learnt(stretch, plan.learnt_pairs, draw)
    return learnt, draw_held(stretch, plan.held_pairs, draw)


def try_refining(
    stretches: Sequence[Stretch],
    base: Base,
    used: RowTwin,
    plan: Plan,
    on_stage: OnStage = lambda _: None,
) -> Tried:
    """Refine the network of the agent on these days, and hold it against the one in use.

    Raises:
        UsageError: there are too few days.
        StoreError: it takes more memory than it may.
        ModelError: the network cannot be used.

    """
    on_stage("pairs")
    learnt, held = draw_home(stretches, plan)
    if not learnt.software.any() or not held.software.any():
        raise UsageError(
            f"nothing to refine on yet: it takes {LEAST_DAYS} days of one version of a device"
        )
    on_stage("training")
    refined, trained = fit(learnt, base, used, plan)
    on_stage("measuring")
    before, after = measure(used, held), measure(refined_twin(refined, base), held)
    fault = find_fault(after, before) if trained.finished else "the time was up"
    doubted = learnt.doubted + held.doubted
    return Tried(refined, trained, before, after, fault, len(learnt.software), doubted)


def fit(learnt: Pairs, base: Base, used: RowTwin, plan: Plan) -> tuple[Refined, Trained]:
    """Train the network that came with the agent; always that one, so that nothing piles up."""
    network = base.network()
    rng = np.random.default_rng(plan.seed)
    target = learnt.software.astype(np.float32)[:, None]
    trained = train(network, (show_rows(learnt.pictures), target), plan.bounds, rng)
    weights = network.weights()
    slope = max(float(weights[-2].item()), _LEAST_SLOPE)
    half = _choose_half(Refined(base.digest, weights, slope, 0.0), learnt, base, used)
    return Refined(base.digest, weights, slope, -slope * half), trained


def _choose_half(refined: Refined, learnt: Pairs, base: Base, used: RowTwin) -> float:
    """Choose from which distance on it says "software": as many unchanged days pass as before.

    Made-up software is easier to tell than real software: it says nothing of where that begins.
    """
    alike = learnt.pictures[~learnt.software]
    passing = float((used.software(used.distances(alike)) >= SOFTWARE_LEAST).mean())
    return float(np.quantile(refined_twin(refined, base).distances(alike), 1 - passing))

"""One attempt: train on the window, find out when to believe it, hold it against what is in use."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fwid_agent.errors import UsageError
from fwid_agent.identify.calibration import calibrate
from fwid_agent.identify.identifier import About, Identifier, Known
from fwid_agent.identify.inputs import DEFAULT_INPUTS
from fwid_agent.identify.open_set import OpenSet, signs_of
from fwid_agent.model.training import check_memory
from fwid_agent.retrain.days import LEAST_DAYS, WINDOW_DAYS, Day, Household
from fwid_agent.retrain.labels import categories_of, find_doubtful
from fwid_agent.retrain.models import Network, Recipe, Trees, fit, join_flows
from fwid_agent.retrain.scores import Score, find_fault, measure
from fwid_agent.types import F4, I8

_LEAST_DEVICES = 2
_LEAST_CLASSES = 5  # of which some can be left out, to see what is said of them
_FOLDS = {"forest": 6, "tree": 6, "fc": 2, "conv1d": 2}
_ASKED_DAYS = 2  # newest ones of each device's window, about which the folds are asked
_TRIED = 1 / 3  # of a network's steps, where it only shows when to believe it
_HIGHEST = 0.5  # what is more likely known than not is named
# Where there are too few devices to leave some out: what forests of the made corpus show, refused
# on the safe side (fwid lab identify, part open_set).
FEW = OpenSet((6.0, 6.0), -8.0, 0.5)
OnStage = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Tried:
    """What an attempt gave."""

    model: Identifier
    before: Score  # of the model in use, of the devices that it knows
    after: Score  # of the new one, of the same
    all_: Score  # of the new one, of all
    fault: str  # why it is not to be used; "" where it is better
    home: Household


def try_retraining(
    home: Household,
    used: Identifier,
    recipe: Recipe,
    on_stage: OnStage = lambda _: None,
    *,
    believe: bool = False,
) -> Tried:
    """Train a model of a home, and hold it against the one in use.

    Args:
        home: what there is to learn from.
        used: the model in use.
        recipe: of which type, and how.
        on_stage: told where the attempt is.
        believe: labels are right as they are, whatever devices behave like.

    Raises:
        UsageError: there are too few devices, or the time was up.
        StoreError: it takes more memory than it may.
        ModelError: a model cannot be used.

    """
    if len({day.device for day in home.learnt}) < _LEAST_DEVICES:
        raise UsageError(
            "nothing to learn from yet: it takes two devices that somebody has said what they are, "
            f"with {LEAST_DAYS} days each"
        )
    if not believe:
        doubtful = find_doubtful(home, used)
        if doubtful:
            home = home.believe(doubtful, categories_of(used))
    on_stage("training")
    model = train_model(home, recipe, on_stage)
    on_stage("measuring")
    fault = find_fault(model, used, home.held)
    shared = [day for day in home.held if day.device in used.knows]
    all_ = measure(model, home.held)
    about = About(home.newest_ns, WINDOW_DAYS, all_.accuracy)
    return Tried(
        replace(model, about=about),
        measure(used, shared),
        measure(model, shared),
        all_,
        fault,
        home,
    )


def train_model(home: Household, recipe: Recipe, on_stage: OnStage = lambda _: None) -> Identifier:
    """Train on the days to learn from; raises as `try_retraining`."""
    labels = sorted({home.labels[day.device] for day in home.learnt})
    classes = tuple(
        Known(
            label,
            home.categories.get(label),
            tuple(sorted(device for device, own in home.labels.items() if own == label)),
        )
        for label in labels
    )
    target = {
        device: labels.index(label) for device, label in home.labels.items() if label in labels
    }
    values, wanted = _arrays(home.learnt, target)
    model = fit(values, wanted, len(labels), recipe)
    check_memory(recipe.bounds)
    on_stage("calibrating")
    rule = _calibrate(home, target, recipe)
    kind, inputs = recipe.kind, DEFAULT_INPUTS
    trees = model.flat if isinstance(model, Trees) else None
    network = model.rows if isinstance(model, Network) else None
    return Identifier(kind, classes, inputs, rule, trees=trees, network=network)


def _calibrate(home: Household, target: dict[int, int], recipe: Recipe) -> OpenSet:
    """Leave devices out, and see how their days differ from those of devices that are known."""
    classes = sorted(set(target.values()))
    if len(classes) < _LEAST_CLASSES:
        return FEW
    asked = _newest_days(home.learnt)
    apart = {id(day) for day in asked}
    learnt = [day for day in home.learnt if id(day) not in apart]
    strangers = _newest_days(home.strangers)
    order = np.random.default_rng(recipe.seed).permutation(classes)
    folds = min(_FOLDS[recipe.kind], len(classes) // 2)
    signs, known = [], []
    tried = replace(recipe, share=_TRIED * recipe.share, start=None, frozen=0)
    for fold in range(folds):
        out = set(order[fold::folds].tolist())
        rest = [day for day in learnt if target[day.device] not in out]
        values, wanted = _arrays(rest, target)
        present, compact = np.unique(wanted, return_inverse=True)
        model = fit(values, compact.astype(np.int64), len(present), tried)
        check_memory(recipe.bounds)
        for day in (*asked, *strangers):
            own = target.get(day.device)
            signs.append(signs_of(model.probabilities(day.values)))
            known.append(own is not None and own in present)
    return calibrate(np.array(signs), np.array(known), _HIGHEST)


def _newest_days(days: Sequence[Day]) -> list[Day]:
    """Return the newest of each device."""
    of_device: dict[int, list[Day]] = {}
    for day in sorted(days, key=lambda day: day.start_ns):
        of_device.setdefault(day.device, []).append(day)
    return [day for own in of_device.values() for day in own[-_ASKED_DAYS:]]


def _arrays(days: Sequence[Day], target: dict[int, int]) -> tuple[F4, I8]:
    wanted = [np.full(len(day.values), target[day.device], np.int64) for day in days]
    return join_flows([day.values for day in days]), np.concatenate(wanted)

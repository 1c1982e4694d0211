"""Devices that no model was trained on: are they told from those that are known?

Every device is left out once, with others, from training; what is said of its days then is what an
unknown device would get. Weights and limit are always measured on other devices than those that
they are tried on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import expit

from fwid_agent.identify.calibration import calibrate as calibrate_on
from fwid_agent.identify.open_set import OpenSet, signs_of
from fwid_agent.lab.counting import Count, rank_auc
from fwid_agent.lab.identification.experiments import OnStep, Options, Row, Table, in_days
from fwid_agent.lab.identification.models import Classifier
from fwid_agent.lab.identification.networks import NETWORKS
from fwid_agent.lab.identification.samples import Home
from fwid_agent.types import F8, I8, Bools

_FOLDS = 6
_TRAIN_DAYS = 7
_BINS = 5


@dataclass(frozen=True, slots=True)
class DeviceDays:
    """What a model that was asked says, one element a device's day."""

    device: I8  # [n]
    fold: I8  # [n]
    known: Bools  # [n] the device was trained on
    right: Bools  # [n] and most likely is that very device
    signs: F8  # [n, 2]


def ask(home: Home, kind: str, options: Options, on_step: OnStep) -> DeviceDays:
    """Leave devices out, fold by fold, and ask about the days behind the training."""
    order = np.random.default_rng(options.seed).permutation(len(home.devices))
    rows: list[tuple[int, int, bool, bool, F8]] = []
    folds = min(_FOLDS, len(order) // 2)
    for fold in range(folds):
        on_step(f"{kind}: unknown devices, part {fold + 1} of {folds}")
        out = order[fold::folds]
        rest = home.select(~np.isin(home.device, out))
        train = in_days(rest, 0, _TRAIN_DAYS)
        model = Classifier(options.recipe(kind)).fit(train, train.device, len(home.devices))
        test = in_days(home, _TRAIN_DAYS, home.days)
        probabilities = model.probabilities(test)
        for device, flows in _device_days(test):
            said = probabilities[flows]
            best = int(said.mean(axis=0).argmax())
            rows.append((device, fold, device not in out, best == device, signs_of(said)))
    device_, fold_, known, right, signs = zip(*rows, strict=True)
    return DeviceDays(
        np.array(device_), np.array(fold_), np.array(known), np.array(right), np.array(signs)
    )


def _device_days(home: Home) -> Iterator[tuple[int, I8]]:
    key = home.day * len(home.devices) + home.device
    for each in np.unique(key).tolist():
        flows = np.flatnonzero(key == each)
        yield each % len(home.devices), flows


def calibrate(days: DeviceDays, which: Bools) -> OpenSet:
    """Measure the weights and the limit on some of the days."""
    return calibrate_on(days.signs[which], days.known[which])


def open_set(home: Home, options: Options, on_step: OnStep) -> tuple[Table, Table, Table]:
    """Return how often unknown devices are told from known ones; by device; and by certainty."""
    table: Table = []
    by_device: Table = []
    by_certainty: Table = []
    kinds = [each for each in options.kinds if each not in NETWORKS or each == "fc"]
    for kind in kinds:
        days = ask(home, kind, options, on_step)
        certain, accepted = _try(days)
        table.append({"model": kind, "home": home.name} | _summary(days, certain, accepted))
        by_certainty += [{"model": kind} | row for row in _reliability(days, certain)]
        if kind == "forest":
            by_device = [
                {"model": kind, "device": name} | row
                for name, row in zip(
                    home.devices, _of_each(days, accepted, len(home.devices)), strict=True
                )
            ]
    return table, by_device, by_certainty


def _try(days: DeviceDays) -> tuple[F8, Bools]:
    """Return how certain it is that each is known, by limits from the other folds' devices."""
    certain, accepted = np.zeros(len(days.fold)), np.zeros(len(days.fold), bool)
    for fold in np.unique(days.fold).tolist():
        held = days.fold == fold
        left_out = np.unique(days.device[held & ~days.known])
        # Days on which these devices were known to another fold's model are not used either.
        rule = calibrate(days, ~held & ~np.isin(days.device, left_out))
        certain[held] = expit(days.signs[held] @ np.array(rule.weights) + rule.offset)
        accepted[held] = certain[held] >= rule.limit
    return certain, accepted


def _summary(days: DeviceDays, certain: F8, accepted: Bools) -> Row:
    known = days.known
    refused = Count(int((~accepted & ~known).sum()), int((~known).sum()))
    named = Count(int((accepted & days.right & known).sum()), int(known.sum()))
    return {
        "unknown_refused": str(refused),
        "known_named_rightly": str(named),
        "known_refused": str(Count(int((~accepted & known).sum()), int(known.sum()))),
        "closed_rightly": str(Count(int((days.right & known).sum()), int(known.sum()))),
        "auc": round(rank_auc(certain[~known], certain[known]), 4),
        "unknown_refused_share": round(refused.hits / max(refused.total, 1), 4),
    }


def _reliability(days: DeviceDays, certain: F8) -> Iterator[Row]:
    """Yield, by how certain it was said to be, how often the device was known (both alike)."""
    share = np.where(days.known, 0.5 / days.known.sum(), 0.5 / max((~days.known).sum(), 1))
    edges = np.linspace(0, 1, _BINS + 1)
    for low, high in pairwise(edges.tolist()):
        inside = (certain >= low) & ((certain < high) | (high == 1))
        if inside.any():
            weight = share[inside]
            yield {
                "from": round(low, 2),
                "to": round(high, 2),
                "device_days": int(inside.sum()),
                "said": round(float(np.average(certain[inside], weights=weight)), 3),
                "known": round(float(np.average(days.known[inside], weights=weight)), 3),
            }


def _of_each(days: DeviceDays, accepted: Bools, devices: int) -> Iterator[Row]:
    for device in range(devices):
        mine = days.device == device
        unknown, known = mine & ~days.known, mine & days.known
        yield {
            "refused_as_unknown": str(Count(int((~accepted[unknown]).sum()), int(unknown.sum()))),
            "named_as_known": str(
                Count(int((accepted & days.right)[known].sum()), int(known.sum()))
            ),
        }


def unseen_category(home: Home, options: Options, on_step: OnStep, kinds: Sequence[str]) -> Table:
    """Ask for the category of devices that no model was trained on, one left out at a time."""
    table: Table = []
    per = {name: home.categories.count(name) for name in home.kinds}
    for kind in kinds:
        hits = total = 0
        for device, name in enumerate(home.devices):
            if per[home.categories[device]] < 2:
                continue  # its category would not be there
            on_step(f"{kind}: the category of an unseen device, {name}")
            train = home.select(home.device != device)
            model = Classifier(options.recipe(kind)).fit(train, train.category, len(home.kinds))
            mine = home.select(home.device == device)
            said = model.probabilities(mine)
            truth = home.kinds.index(home.categories[device])
            for _, flows in _device_days(mine):
                hits += int(said[flows].mean(axis=0).argmax()) == truth
                total += 1
        table.append({"model": kind, "home": home.name, "rightly": str(Count(hits, total))})
    return table

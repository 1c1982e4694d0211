"""One home's models in another, and what an update with that home's own days does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fwid_agent.errors import UsageError
from fwid_agent.lab.identification.experiments import (
    TRAIN_DAYS,
    OnStep,
    Options,
    Row,
    Table,
    first_week,
    in_days,
    score_home,
)
from fwid_agent.lab.identification.models import Classifier
from fwid_agent.lab.identification.networks import NETWORKS
from fwid_agent.lab.identification.samples import Home

UPDATE_DAYS = (1, 7)
FROZEN = (0, 1, 2, 3)
_REPEATS = 3
_SHORTER = 3  # times fewer epochs to train on than to train


def align(homes: Sequence[Home]) -> list[Home]:
    """Return homes with the same numbers for the same devices, of the devices that all have.

    Raises:
        UsageError: they have fewer than two devices in common, or name one differently.

    """
    common = [name for name in homes[0].devices if all(name in home.devices for home in homes)]
    if len(common) < 2:
        names = ", ".join(home.name for home in homes)
        raise UsageError(f"{names}: have fewer than two devices in common")
    versions = tuple(dict.fromkeys(each for home in homes for each in home.versions))
    result = []
    for home in homes:
        index = np.array(
            [common.index(name) if name in common else -1 for name in home.devices], np.int64
        )
        kept = home.select(index[home.device] >= 0)
        categories = tuple(home.categories[home.devices.index(name)] for name in common)
        version = np.array([versions.index(each) for each in home.versions], np.int64)
        result.append(
            replace(
                kept,
                device=index[kept.device],
                version=version[kept.version],
                devices=tuple(common),
                categories=categories,
                versions=versions,
            )
        )
    if len({home.categories for home in result}) > 1:
        raise UsageError("a device is of another category in another home")
    return result


def join(homes: Sequence[Home]) -> Home:
    """Return the flows of aligned homes together."""
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(home, name) for home in homes])
        for name in ("values", "device", "day", "idle", "version")
    }
    return replace(homes[0], name=" and ".join(home.name for home in homes), **columns)


def sites(homes: Sequence[Home], options: Options, on_step: OnStep) -> Table:
    """Trained in one home, tested in each; then updated with some days of the other one.

    Rows of `update`: `none`; `local only` is trained on the other home's days alone; `added` on
    both (trees); `trained on` goes on from the first home's network with the other's days.
    """
    table: Table = []
    for first, other in ((homes[0], homes[1]), (homes[1], homes[0])):
        for kind in options.kinds:
            if kind in NETWORKS and first is homes[1]:
                continue  # one way is enough for what takes minutes
            on_step(f"{kind}: {first.name} to {other.name}")
            table += _from_one_to_other(kind, first, other, options)
    return table


def _from_one_to_other(kind: str, first: Home, other: Home, options: Options) -> Table:
    train = in_days(first, 0, TRAIN_DAYS)
    model = first_week(first, kind, options)
    epochs = max(options.epochs // _SHORTER, 1)
    later = [in_days(home, TRAIN_DAYS, home.days) for home in (first, other)]
    models = [("none", 0, model)]
    for days in UPDATE_DAYS:
        local = in_days(other, TRAIN_DAYS - days, TRAIN_DAYS)
        alone = Classifier(options.recipe(kind)).fit(local, local.device, len(first.devices))
        models.append(("local only", days, alone))
        if kind in NETWORKS:
            models.append(("trained on", days, model.update(local, local.device, 0, epochs)))
        else:
            both = join([train, local])
            added = Classifier(options.recipe(kind)).fit(both, both.device, len(first.devices))
            models.append(("added", days, added))
    return [
        {
            "model": kind,
            "trained_in": first.name,
            "tested_in": home.name,
            "update": update,
            "local_days": days,
        }
        | score_home(each, home, "device").record()
        for update, days, each in models
        for home in later
    ]


def frozen(homes: Sequence[Home], options: Options, on_step: OnStep) -> Table:
    """Layers that an update leaves as they are: how long it takes, and F1 after it, in each home.

    The time is the shortest of three, without the network's preparation for the first step.
    """
    table: Table = []
    first, other = homes
    epochs = max(options.epochs // _SHORTER, 1)
    local = in_days(other, 0, TRAIN_DAYS)
    later = [in_days(home, TRAIN_DAYS, home.days) for home in homes]
    for kind in [each for each in options.kinds if each in NETWORKS]:
        model = first_week(first, kind, options)
        for layers in FROZEN:
            on_step(f"{kind}: {layers} layers frozen")
            runs = [model.update(local, local.device, layers, epochs) for _ in range(_REPEATS)]
            row: Row = {"model": kind, "frozen": layers, "flows": len(local)}
            row["seconds"] = round(min(each.seconds for each in runs), 3)
            for home, test in zip(homes, later, strict=True):
                found = score_home(runs[0], test, "device")
                row[f"micro_f1 {home.name}"] = round(found.micro, 4)
                row[f"macro_f1 {home.name}"] = round(found.macro, 4)
            table.append(row)
    return table

"""What models cost where they run: time of inference, size, and what eight bits lose."""

import os
import time
from collections.abc import Callable

import numpy as np

from fwid_agent.identify.inputs import select_inputs
from fwid_agent.identify.network import FlowNetwork
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
from fwid_agent.lab.identification.networks import NETWORKS, Precision
from fwid_agent.lab.identification.samples import Home
from fwid_agent.lab.identification.scores import score
from fwid_agent.types import F8

SAMPLES = 100_000
_PRECISIONS: tuple[Precision, ...] = ("float", "int8")
_REPEATS = 3


def costs(home: Home, options: Options, on_step: OnStep) -> Table:
    """Inference of 100 000 flows and F1, as trained and as it runs at home.

    Networks run in LiteRT, in floats and in eight bits, on one core and on all; trees as flat
    arrays in numpy. `differs_by` is the largest difference of a probability from the model that was
    trained: of trees none at all.
    """
    table: Table = []
    test = in_days(home, TRAIN_DAYS, home.days)
    many = np.resize(np.arange(len(test)), SAMPLES)
    for kind in options.kinds:
        on_step(f"{kind}: inference")
        model = first_week(home, kind, options)
        trained = model.probabilities(test)
        row: Row = {"model": kind, "runs_as": "as trained", "cores": None, "seconds": None}
        row |= {"bytes": None, "differs_by": 0.0}
        table.append(row | score_home(model, test, "device").record())
        table += _at_home(kind, model, (test, many), trained)
    return table


def _at_home(kind: str, model: Classifier, tests: tuple[Home, np.ndarray], trained: F8) -> Table:
    test, many = tests
    table: Table = []
    if kind not in NETWORKS:
        if model.trees is None:
            return table
        flat = model.trees.flat()
        inputs = select_inputs(test.values, model.recipe.inputs)
        seconds = _fastest(lambda: flat.probabilities(inputs[many]))
        found = np.zeros_like(trained)
        found[:, model.trees.present] = flat.probabilities(inputs)
        return [
            _row(kind, "flat arrays", 1, seconds, len(flat.dump())) | _compare(test, found, trained)
        ]
    if model.network is None or model.standard is None:
        return table
    inputs = model.standard.apply(test.values)
    for precision in _PRECISIONS:
        content = model.network.convert(precision)
        for threads in sorted({1, os.cpu_count() or 1}):
            network = FlowNetwork(content, kind, threads)
            found = network.probabilities(inputs)
            seconds = _fastest(lambda run=network: run.probabilities(inputs[many]))  # type: ignore[misc]
            row = _row(kind, f"LiteRT {precision}", threads, seconds, len(content))
            table.append(row | _compare(test, found, trained))
    return table


def _row(kind: str, runs_as: str, cores: int, seconds: float, size: int) -> Row:
    timing = {"cores": cores, "seconds": round(seconds, 3), "bytes": size}
    return {"model": kind, "runs_as": runs_as, **timing}


def _compare(test: Home, found: F8, trained: F8) -> Row:
    days = test.day * len(test.devices) + test.device
    right = score(test.device, found.argmax(axis=1), days).record()
    return {"differs_by": float(np.abs(found - trained).max()), **right}


def _fastest(run: Callable[[], object]) -> float:
    taken = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return min(taken)

"""The questions of the publication, each as a table: a list of rows with the same columns.

Time order throughout: a model is asked about days behind those that it was trained on, but for the
questions whose days are chosen by use (idle or active), where no day is in both.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fwid_agent.core.flow_features import LEAKS_THE_UNIT, NEEDS_HANDSHAKES
from fwid_agent.identify.inputs import DEFAULT_INPUTS
from fwid_agent.lab.identification.models import Classifier, Recipe, one_against_rest
from fwid_agent.lab.identification.networks import NETWORKS
from fwid_agent.lab.identification.samples import Home
from fwid_agent.lab.identification.scores import Score, f1_by_class, mean_of, score
from fwid_agent.types import I8, Bools

Row = dict[str, Any]
Table = list[Row]
OnStep = Callable[[str], None]
WINDOWS = range(1, 8)
AHEAD = range(1, 8)
TRAIN_DAYS = 7
TO_THE_END, TWO_WEEKS = "end", "over 14"
TASKS = ("device", "category")


@dataclass(frozen=True, slots=True)
class Options:
    """What is run, and how long it may take."""

    kinds: tuple[str, ...]
    epochs: int = 60
    seed: int = 1
    windows: tuple[int, ...] = tuple(WINDOWS)
    starts: int = 5  # training windows that are tried, spread over the days; one of slow models
    group_networks: tuple[str, ...] = ("fc",)  # a network a device takes long
    kept: dict[tuple[str, str], Classifier] = field(default_factory=dict)

    def recipe(self, kind: str) -> Recipe:
        """Return how a model of a kind is made."""
        return Recipe(kind, self.seed, epochs=self.epochs)


def target_of(home: Home, task: str) -> tuple[I8, int]:
    """Return the classes of flows [n] and how many there are."""
    if task == "device":
        return home.device, len(home.devices)
    return home.category, len(home.kinds)


def first_week(home: Home, kind: str, options: Options) -> Classifier:
    """Return the model of a home's devices by its first seven days, trained once."""
    key = (home.name, kind)
    if key not in options.kept:
        train = in_days(home, 0, TRAIN_DAYS)
        model = Classifier(options.recipe(kind))
        options.kept[key] = model.fit(train, train.device, len(home.devices))
    return options.kept[key]


def score_home(model: Classifier, home: Home, task: str) -> Score:
    """Score a model on all flows of a home."""
    truth, _ = target_of(home, task)
    return score(truth, model.answer(home), _device_days(home))


def _device_days(home: Home) -> I8:
    return home.day * len(home.devices) + home.device


def in_days(home: Home, first: int, end: int) -> Home:
    """Return the flows of the days from `first` up to before `end`."""
    return home.select((home.day >= first) & (home.day < end))


def horizon(home: Home, options: Options, on_step: OnStep, kinds: Sequence[str]) -> Table:
    """How F1 falls with the days ahead, by how many days were trained on.

    Of the category networks are asked for the shortest and the longest window alone.
    """
    table: Table = []
    for task in TASKS:
        if task == "category" and len(home.kinds) < 2:
            continue
        for kind in kinds:
            shortened = task == "category" and kind in NETWORKS
            ends = (min(options.windows), max(options.windows))
            for window in dict.fromkeys(ends) if shortened else options.windows:
                on_step(f"{kind}, {task}: {window} days")
                table += _horizon_of(home, options, (task, kind, window))
    return table


def _horizon_of(home: Home, options: Options, which: tuple[str, str, int]) -> Iterator[Row]:
    task, kind, window = which
    slow = kind in NETWORKS or kind == "boosted"
    number = 1 if slow else options.starts
    latest = home.days - window - max(AHEAD)
    starts = np.unique(np.linspace(0, max(latest, 0), number).round()).astype(int).tolist()
    found: dict[tuple[int | str, str], list[Score]] = {}
    for start in starts:
        train = in_days(home, start, start + window)
        target, classes = target_of(train, task)
        if len(np.unique(target)) < 2:
            continue
        model = Classifier(options.recipe(kind)).fit(train, target, classes)
        known = np.unique(train.version)
        spans: list[tuple[int | str, int, int]] = [
            (ahead, start + window + ahead - 1, start + window + ahead) for ahead in AHEAD
        ]
        spans.append((TO_THE_END, start + window, home.days))
        spans.append((TWO_WEEKS, start + window + 14, home.days))
        for ahead, first, end in spans:
            test = in_days(home, first, end)
            for name, part in _by_version(test, known):
                if len(part):
                    found.setdefault((ahead, name), []).append(score_home(model, part, task))
    for (ahead, versions), scores in found.items():
        columns = {"home": home.name, "task": task, "model": kind, "train_days": window}
        columns |= {"days_ahead": ahead, "versions": versions, "repeats": len(scores)}
        yield columns | mean_of(scores).record()


def _by_version(home: Home, known: I8) -> Iterator[tuple[str, Home]]:
    yield "all", home
    if len(home.versions) > 1:
        same = np.isin(home.version, known)
        yield "trained on", home.select(same)
        yield "new", home.select(~same)


def groups(home: Home, options: Options, on_step: OnStep) -> Table:
    """One model for all against one for each, for devices and for categories."""
    table: Table = []
    train, test = in_days(home, 0, TRAIN_DAYS), in_days(home, TRAIN_DAYS, home.days)
    networks = options.group_networks
    kinds = [kind for kind in options.kinds if kind not in NETWORKS or kind in networks]
    for task in TASKS:
        target, classes = target_of(train, task)
        truth, _ = target_of(test, task)
        if classes < 2:
            continue
        for kind in kinds:
            recipe = options.recipe(kind)
            for group in (f"all-{task}", f"per-{task}"):
                on_step(f"{kind}, {group}")
                row: Row = {"home": home.name, "group": group, "model": kind}
                if group.startswith("all"):
                    answer = Classifier(recipe).fit(train, target, classes).answer(test)
                    row |= {"models": 1, "binary_f1": None}
                else:
                    models = one_against_rest(recipe, train, target, classes)
                    yes = np.stack([each.probabilities(test)[:, 1] for each in models], axis=1)
                    answer = yes.argmax(axis=1)
                    f1 = [
                        float(f1_by_class((truth == each).astype(int), (yes[:, each] > 0.5) * 1)[1])
                        for each in np.unique(truth).tolist()
                    ]
                    row |= {"models": classes, "binary_f1": round(float(np.mean(f1)), 4)}
                table.append(row | score(truth, answer, _device_days(test)).record())
    return table


def inputs(homes: Sequence[Home], options: Options, on_step: OnStep) -> Table:
    """What inputs that leak the unit, or need handshakes, add: at home and in another home."""
    choices = {
        "default": DEFAULT_INPUTS,
        "with source port": (*LEAKS_THE_UNIT, *DEFAULT_INPUTS),
        "with domain": (*DEFAULT_INPUTS, *NEEDS_HANDSHAKES),
        "without ports": tuple(name for name in DEFAULT_INPUTS if name != "destination_port"),
    }
    table: Table = []
    home = homes[0]
    train = in_days(home, 0, TRAIN_DAYS)
    places = [("same home", in_days(home, TRAIN_DAYS, home.days))]
    places += [("other home", other) for other in homes[1:2]]
    for kind in [each for each in ("forest", "tree", "fc") if each in options.kinds]:
        for name, chosen in choices.items():
            on_step(f"{kind}, inputs {name}")
            recipe = replace(options.recipe(kind), inputs=chosen)
            model = Classifier(recipe).fit(train, train.device, len(home.devices))
            for place, test in places:
                if len(test):
                    row: Row = {"model": kind, "inputs": name, "tested_in": place}
                    table.append(row | score_home(model, test, "device").record())
    return table


def use(home: Home, options: Options, on_step: OnStep) -> Table:
    """Idle days against active ones; as many days of both are trained on."""
    table: Table = []
    idle_days = np.unique(home.day[home.idle])
    active_days = np.setdiff1d(np.unique(home.day), idle_days)
    number = min(len(idle_days), len(active_days) // 2)
    if not number:
        return table
    rng = np.random.default_rng(options.seed)
    chosen = np.sort(rng.permutation(active_days)[:number])
    trained: dict[str, Bools] = {
        "idle": np.asarray(home.idle),
        "active": np.isin(home.day, chosen) & ~home.idle,
    }
    for kind in options.kinds:
        for name, which in trained.items():
            on_step(f"{kind}, trained on {name} days")
            train = home.select(which)
            model = Classifier(options.recipe(kind)).fit(train, train.device, len(home.devices))
            tests = {
                "active": ~home.idle & ~np.isin(home.day, chosen),
                "idle": np.asarray(home.idle),
            }
            for tested, among in tests.items():
                if tested == name == "idle":
                    continue  # the same flows
                row: Row = {"home": home.name, "model": kind, "trained_on": name}
                row |= {"tested_on": tested, "train_flows": len(train)}
                table.append(row | score_home(model, home.select(among), "device").record())
    return table

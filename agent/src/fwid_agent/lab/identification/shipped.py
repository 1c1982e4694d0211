"""The model that comes with the agent: a forest of real device types, which refuses all others.

Siblings that share their traffic are one class, for the forest takes them for each other: *none
that I know* means of no such family. When an answer is believed is measured on whole families that
were left out of training, on set-ups that no model had seen.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from scipy.special import expit

from fwid_agent.identify.bases import BASES, MANIFEST, SHIPPED, Manifest
from fwid_agent.identify.calibration import calibrate
from fwid_agent.identify.identifier import Identifier, Known
from fwid_agent.identify.inputs import DEFAULT_INPUTS, select_inputs
from fwid_agent.identify.open_set import signs_of
from fwid_agent.lab.identification.samples import Home
from fwid_agent.lab.identification.trainables import trainable_network
from fwid_agent.retrain.trees import Growth, TreeModel
from fwid_agent.types import F8, I8, Bools

# Of the captures of IoT SENTINEL: label, category, the devices of it.
FAMILIES = (
    ("Fitbit Aria scale", "Appliance", ("Aria",)),
    ("D-Link HD camera", "Surveillance", ("D-LinkCam",)),
    ("D-Link day camera", "Surveillance", ("D-LinkDayCam",)),
    (
        "D-Link home sensor or siren",
        "Home Automation",
        ("D-LinkSensor", "D-LinkSiren", "D-LinkWaterSensor"),
    ),
    ("Edimax camera", "Surveillance", ("EdimaxCam1", "EdimaxCam2")),
    ("Edimax smart plug SP-1101W", "Home Automation", ("EdimaxPlug1101W",)),
    ("Ednet camera", "Surveillance", ("EdnetCam1",)),
    ("Ednet gateway", "Hub", ("EdnetGateway",)),
    ("HomeMatic plug", "Home Automation", ("HomeMaticPlug",)),
    ("Philips Hue bridge", "Hub", ("HueBridge", "HueSwitch")),
    ("MAX! gateway", "Hub", ("MAXGateway",)),
    ("Smarter coffee machine", "Appliance", ("SmarterCoffee",)),
    ("TP-Link plug HS100", "Home Automation", ("TP-LinkPlugHS100",)),
    ("WeMo Insight switch", "Home Automation", ("WeMoInsightSwitch", "WeMoInsightSwitch2")),
    ("WeMo switch", "Home Automation", ("WeMoSwitch", "WeMoSwitch2")),
    ("Withings scale", "Appliance", ("Withings",)),
)
_GROWTH = Growth(trees=60, least_leaf=2)
_FOLDS, _LEARNT_SETUPS = 6, 14
_EVEN = 0.5  # most homes have mostly devices of other families


@dataclass(frozen=True, slots=True)
class Setups:
    """What models that had not seen them say of set-ups, one element each."""

    family: I8  # [n]
    fold: I8  # [n]
    known: Bools  # [n] the family was trained on
    right: Bools  # [n] and is the most likely one
    signs: F8  # [n, 2]


def train_shipped(home: Home, seed: int) -> tuple[Identifier, dict[str, float]]:
    """Train on all set-ups of a home; gives the model and what it was measured to do.

    Raises:
        ValueError: the home has none of FAMILIES' devices, or one that is in none.

    """
    family = _families(home)
    asked = _ask(home, family, seed)
    trees = _grow(home, family, seed, np.ones(len(home), bool)).flat()
    classes = tuple(Known(label, category) for label, category, _ in FAMILIES)
    rule = calibrate(asked.signs, asked.known, least=_EVEN)
    return Identifier("forest", classes, DEFAULT_INPUTS, rule, trees=trees), _measure(asked)


def _families(home: Home) -> I8:
    of_device = []
    for name in home.devices:
        found = [number for number, (*_, members) in enumerate(FAMILIES) if name in members]
        if not found:
            raise ValueError(f"{name}: is of no family that the model is made of")
        of_device += found
    if set(of_device) != set(range(len(FAMILIES))):
        raise ValueError("not all families that the model is made of are there")
    return np.array(of_device, np.int64)[home.device]


def _grow(home: Home, family: I8, seed: int, which: Bools) -> TreeModel:
    model = TreeModel("forest", seed, _GROWTH)
    inputs = select_inputs(home.values[which], DEFAULT_INPUTS)
    model.fit(inputs, family[which], len(FAMILIES))
    return model


def _ask(home: Home, family: I8, seed: int) -> Setups:
    order = np.random.default_rng(seed).permutation(len(FAMILIES))
    inputs = select_inputs(home.values, DEFAULT_INPUTS)
    later = home.day >= _LEARNT_SETUPS
    rows = []
    for fold in range(_FOLDS):
        out = order[fold::_FOLDS]
        model = _grow(home, family, seed, ~np.isin(family, out) & ~later)
        for flows in _setups(home, later):
            said = model.probabilities(inputs[flows])
            true, best = int(family[flows[0]]), int(said.mean(axis=0).argmax())
            rows.append((true, fold, true not in out, true == best, signs_of(said)))
    of, folds, known, right, signs = zip(*rows, strict=True)
    return Setups(*(np.array(each) for each in (of, folds, known, right, signs)))


def _setups(home: Home, which: Bools) -> Iterator[I8]:
    key = home.day * len(home.devices) + home.device
    for each in np.unique(key[which]).tolist():
        yield np.flatnonzero(key == each)


def _measure(asked: Setups) -> dict[str, float]:
    """Count by limits that come from other families than those that they are tried on."""
    accepted = np.zeros(len(asked.fold), bool)
    for fold in range(_FOLDS):
        held = asked.fold == fold
        out = np.unique(asked.family[held & ~asked.known])
        others = ~held & ~np.isin(asked.family, out)
        rule = calibrate(asked.signs[others], asked.known[others], least=_EVEN)
        certain = expit(asked.signs[held] @ np.array(rule.weights) + rule.offset)
        accepted[held] = certain >= rule.limit
    known = asked.known
    return {
        "unknown_setups": int((~known).sum()),
        "unknown_refused": int((~known & ~accepted).sum()),
        "known_setups": int(known.sum()),
        "known_named_rightly": int((known & accepted & asked.right).sum()),
        "known_refused": int((known & ~accepted).sum()),
    }


def write_models(
    model: Identifier, metrics: Mapping[str, float], folder: Path, on_step: Callable[[str], None]
) -> dict[str, int]:
    """Write what comes with the agent to identify devices by; gives each file's size in bytes."""
    contents = {SHIPPED: model.dump()}
    for kind, name in BASES.items():
        on_step(name)
        contents[name] = trainable_network(kind)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    labels = tuple(label for label, *_ in FAMILIES)
    manifest = Manifest(digests, labels, dict(metrics))
    contents[MANIFEST] = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return {name: len(content) for name, content in contents.items()}

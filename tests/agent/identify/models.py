"""Small models of every type, made without scikit-learn."""

from dataclasses import replace

import numpy as np
from fwid_agent.core.flow_features import FLOW_FEATURE_INDEX, FLOW_FEATURES
from fwid_agent.identify.bases import draw_weights, network_of, read_base
from fwid_agent.identify.identifier import About, Identifier, Known, make_rows
from fwid_agent.identify.inputs import DEFAULT_INPUTS, Standard
from fwid_agent.identify.open_set import OpenSet
from fwid_agent.identify.trees import FlatTrees, TreeKind
from fwid_agent.types import F4

BULB, CAMERA = 0x020000000001, 0x020000000002
CLASSES = (Known("bulb", "Home Automation", (BULB,)), Known("camera", "Surveillance", (CAMERA,)))
ALWAYS = OpenSet((1.0, 1.0), 0.0, 0.0)
_PORT = 1000


def flows(port: int, count: int = 5) -> F4:
    """Flows to a port, all else of them is 0."""
    values = np.zeros((count, len(FLOW_FEATURES)), np.float32)
    values[:, FLOW_FEATURE_INDEX["destination_port"]] = port
    return values


def stump(limit: float = 0.0) -> Identifier:
    """One tree: ports up to 1000 are the bulb's, the others the camera's."""
    trees = FlatTrees(
        TreeKind.MEAN,
        np.zeros(1, np.int32),
        np.zeros(1, np.int32),
        np.array([DEFAULT_INPUTS.index("destination_port"), -1, -1], np.int16),
        np.array([_PORT, 0, 0], np.float32),
        np.array([1, 0, 1], np.int32),
        np.array([2, -1, -1], np.int32),
        np.array([[0.9, 0.1], [0.0, 1.0]]),
        np.zeros(0),
        len(DEFAULT_INPUTS),
    )
    rule = replace(ALWAYS, limit=limit)
    about = About(86_400_000_000_000, 7, 0.5)
    return Identifier("forest", CLASSES, DEFAULT_INPUTS, rule, about, trees=trees)


def network(kind: str) -> Identifier:
    """A network that was not trained."""
    base = network_of(read_base(kind))
    weights = draw_weights(base, np.random.default_rng(1))
    standard = Standard.of(np.random.default_rng(2).random((9, 19)), DEFAULT_INPUTS)
    rows = make_rows(kind, standard, weights)
    return Identifier(kind, CLASSES, DEFAULT_INPUTS, ALWAYS, network=rows)  # type: ignore[arg-type]

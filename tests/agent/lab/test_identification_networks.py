"""The three networks: as good in eight bits, and frozen where they are said to be."""

from pathlib import Path

import numpy as np
import pytest
from fwid_agent.errors import ModelError
from fwid_agent.identify.inputs import DEFAULT_INPUTS, Standard, select_inputs
from fwid_agent.identify.network import FlowNetwork
from fwid_agent.lab.identification.experiments import in_days
from fwid_agent.lab.identification.networks import NETWORKS, NetworkModel
from fwid_agent.lab.identification.samples import Home, Reading, Timeouts, load_home
from fwid_agent.lab.identification.scores import score

MADE = Path(__file__).parents[2] / "data" / "made-corpus"
pytestmark = [pytest.mark.lab, pytest.mark.slow]


@pytest.fixture(scope="module")
def home() -> Home:
    pytest.importorskip("tensorflow")
    return load_home(MADE, Reading(Timeouts(10, 20)), lambda _: None)


@pytest.fixture(scope="module", params=NETWORKS)
def trained(request: pytest.FixtureRequest, home: Home) -> tuple[NetworkModel, Standard]:
    """A network of the six devices, trained on seven days."""
    train = in_days(home, 0, 7)
    standard = Standard.of(train.values, DEFAULT_INPUTS)
    model = NetworkModel(request.param, 1, 40)
    model.fit(standard.apply(train.values), train.device, len(home.devices))
    return model, standard


def test_eight_bits_are_within_a_point_of_f1(
    trained: tuple[NetworkModel, Standard], home: Home
) -> None:
    """And floats in LiteRT are what Keras says; the product runs the small ones."""
    model, standard = trained
    test = in_days(home, 7, home.days)
    inputs = standard.apply(test.values)
    expected = model.probabilities(inputs)
    f1 = {}
    for precision in ("float", "int8"):
        content = model.convert(precision)
        found = FlowNetwork(content, precision).probabilities(inputs)
        if precision == "float":
            np.testing.assert_allclose(found, expected, atol=1e-5)
        f1[precision] = score(test.device, found.argmax(axis=1), test.day)
    assert f1["float"].macro > 0.5  # chance is 1 of 6
    assert abs(f1["int8"].micro - f1["float"].micro) < 0.01
    assert abs(f1["int8"].macro - f1["float"].macro) < 0.01


@pytest.mark.parametrize("frozen", [0, 2, 3])
def test_frozen_layers_stay_as_they_are(
    trained: tuple[NetworkModel, Standard], home: Home, frozen: int
) -> None:
    """An update moves all layers behind them, and leaves the model that it began from alone."""
    model, standard = trained
    local = in_days(home, 7, 9)
    inputs = standard.apply(local.values)
    before = [layer.get_weights() for layer in model._model.layers if layer.weights]
    updated = model.copy()
    updated.update(inputs, local.device, frozen, 2)
    after = [layer.get_weights() for layer in updated._model.layers if layer.weights]
    moved = [
        not all(np.array_equal(a, b) for a, b in zip(old, new, strict=True))
        for old, new in zip(before, after, strict=True)
    ]
    assert moved == [index >= frozen for index in range(len(before))]
    still = [layer.get_weights() for layer in model._model.layers if layer.weights]
    for old, new in zip(before, still, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(old, new, strict=True))


def test_a_network_of_other_inputs_is_refused(trained: tuple[NetworkModel, Standard]) -> None:
    """And what is no model at all."""
    model, _ = trained
    network = FlowNetwork(model.convert("float"), "network")
    with pytest.raises(ModelError, match="takes 17 inputs"):
        network.probabilities(np.zeros((2, 5), np.float32))
    with pytest.raises(ModelError, match="cannot be used as a model"):
        FlowNetwork(b"no model", "network")


def test_inputs_leave_out_what_tells_the_unit(home: Home) -> None:
    """Neither the source port nor, without handshakes, the domain; 17 of the 19 are left."""
    assert len(DEFAULT_INPUTS) == 17
    assert not {"source_port", "domain"} & set(DEFAULT_INPUTS)
    changed = home.values.copy()
    changed[:, [0, 18]] = 12345
    for change in (select_inputs, lambda values, names: Standard.of(values, names).apply(values)):
        assert np.array_equal(change(changed, DEFAULT_INPUTS), change(home.values, DEFAULT_INPUTS))

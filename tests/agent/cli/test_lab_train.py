"""Training from the command line, on the small made corpus that is shipped."""

from pathlib import Path

import pytest
from fwid_agent.model.manifest import read_manifest

from tests.agent.cli.conftest import Fwid

MADE = Path(__file__).parents[2] / "data/made-corpus"


@pytest.mark.lab
@pytest.mark.slow
def test_models_are_trained_that_can_be_used(fwid: Fwid, tmp_path: Path) -> None:
    """Also where one device alone is held out, and not everything can be measured."""
    pytest.importorskip("tensorflow")
    models = tmp_path / "models"
    ended = fwid("lab", "train", MADE, "--out", models, "--hold-out", "Python")
    assert ended.code == 0, ended.err
    manifest = read_manifest(models)
    assert "weather" not in manifest.trained_on
    assert "doorcam" in manifest.trained_on
    assert "software_auc_held_out" in manifest.metrics
    assert "device_auc_held_out" not in manifest.metrics

"""The whole way of docs/research.md, short: a corpus, models, and the bench."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from fwid_agent.lab.corpus.catalogue import QUICK
from fwid_agent.model.manifest import read_manifest

from tests.agent.cli.conftest import Fwid
from tests.agent.live.conftest import can_make_hosts

MADE = Path(__file__).parents[2] / "data/made-corpus"
pytestmark = [pytest.mark.lab, pytest.mark.slow]


def make(folder: Path) -> subprocess.CompletedProcess[str]:
    """Make the short corpus; in a process of its own, whose signals are its own."""
    words = (sys.executable, "-m", "fwid_agent.cli.main", "lab", "corpus", str(folder), "--quick")
    return subprocess.run(words, capture_output=True, text=True, timeout=900, check=False)


def test_a_corpus_is_made_and_judged(fwid: Fwid, tmp_path: Path) -> None:
    """Real devices in namespaces, day by day; the bench takes what came of it, beside another."""
    if not can_make_hosts():
        pytest.skip("needs root and iproute2, to make hosts of its own")
    folder = tmp_path / "short"
    ended = make(folder)
    if ended.returncode and "fetching" in ended.stderr:
        pytest.skip(f"the devices' software cannot be fetched here: {ended.stderr}")
    assert ended.returncode == 0, ended.stderr
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["device"] for row in rows} == set(QUICK)
    assert len(rows) == 5 * len(QUICK)
    assert all(any(row["change"] for row in rows if row["device"] == name) for name in QUICK)
    # Made again, nothing is missing but the day whose capture went.
    lost = folder / rows[0]["device"] / rows[0]["file"]
    lost.unlink()
    assert "1 device-days made" in make(folder).stdout
    assert lost.is_file()
    ended_bench = fwid("lab", "evaluate", folder, MADE, "--quick")
    assert ended_bench.code == 0, ended_bench.err
    assert "corpus short: sha256" in ended_bench.out


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

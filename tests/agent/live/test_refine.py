"""A running agent refines its network: asked by a command, done by a process, told and used."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fwid_agent.model.history import History, Refined
from fwid_agent.pipeline.refined import read_base

CORPUS = Path(__file__).parents[2] / "data" / "made-corpus"
FWID = [sys.executable, "-m", "fwid_agent.cli.main"]
_PATIENCE_S = 300  # whoever steps aside may wait for long


def refine(store: Path, *arguments: str) -> dict[str, Any]:
    """What `fwid refine` tells."""
    command = [*FWID, "refine", "--json", "--store", str(store), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


@pytest.mark.slow
def test_a_network_that_tells_nothing_is_rolled_back_by_the_agent(tmp_path: Path) -> None:
    """It judged until then; what came with the agent, or what is better, judges from then on."""
    store = tmp_path / "home.db"
    base = read_base()
    blind = tuple(np.zeros_like(each) for each in base.network().weights())
    bad = History(store).keep(Refined(base.digest, blind, 1.0, -1.0))
    made = {"time": "2026-01-01T00:00:00Z", "model": bad}
    History(store).record(made)
    settings = tmp_path / "fwid.toml"
    settings.write_text("learning_units = 3\ndiscovery = false\n")
    log = (tmp_path / "log").open("w+")
    command = [*FWID, "run", "--replay", "--speed", "max", "--store", str(store), "--port", "0"]
    folders = [str(CORPUS / name) for name in ("bulb", "sensor", "weather")]
    agent = subprocess.Popen([*command, "--config", str(settings), *folders], stderr=log)
    try:
        until = time.monotonic() + _PATIENCE_S
        while (told := try_once(store))["outcome"] == "too_little":
            assert agent.poll() is None, log.read()
            assert time.monotonic() < until
            time.sleep(1)
        assert told["dry_run"]
        assert "on the newest days" in told["rolled_back"]
        assert History(store).current() == bad
        told = refine(store)
        assert "on the newest days" in told["rolled_back"]
        assert told["model"] == History(store).current() != bad
        assert History(store).attempts() == [made, told]
    finally:
        agent.send_signal(signal.SIGTERM)
        code = agent.wait(30)
    said = (tmp_path / "log").read_text()
    assert code == 0, said
    assert f"the refined network judges number={bad}" in said
    assert "the refined network was rolled back" in said


def try_once(store: Path) -> dict[str, Any]:
    """Try it as soon as the agent is there."""
    if not store.with_name(store.name + ".sock").exists():
        return {"outcome": "too_little"}
    return refine(store, "--dry-run")

"""A store's network is refined: from captures to the network that judges, and back again."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fwid_agent import aside
from fwid_agent.config import Config
from fwid_agent.core.image import still_image
from fwid_agent.errors import StoreError
from fwid_agent.model.history import History, Refined
from fwid_agent.model.training import Bounds
from fwid_agent.pipeline.messages import ReplayRequest
from fwid_agent.pipeline.refined import load_twin, read_base
from fwid_agent.pipeline.replay import replay
from fwid_agent.refine import attempt as attempt_module
from fwid_agent.refine import run as run_module
from fwid_agent.refine import worker
from fwid_agent.refine.attempt import Plan
from fwid_agent.refine.days import LEAST_DAYS, read_stretches
from fwid_agent.refine.run import refine_store
from fwid_agent.store import Store

from tests.agent.refine.conftest import CORPUS

_DAY_S = 86_400
_NOW_NS = 1_800_000_000 * 10**9


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a home with every device of the made corpus."""
    path = tmp_path_factory.mktemp("home") / "home.db"
    folders = tuple(str(each) for each in sorted(CORPUS.iterdir()) if each.is_dir())
    request = ReplayRequest(folders, str(path), config=Config(learning_units=3))
    for _ in replay(request, on_progress=lambda _: None, on_note=lambda _: None):
        pass
    return path


@pytest.fixture
def store(watched: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(watched, tmp_path / "home.db"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer pairs and steps: what is tested is what follows from them."""
    few = {"learnt_pairs": 12, "held_pairs": 12}
    monkeypatch.setattr(
        run_module, "Plan", lambda prior, unit_ns, _: Plan(prior, unit_ns, Bounds(20), **few)
    )


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    """Whatever is refined is taken for better, so that what follows from that can be seen."""
    monkeypatch.setattr(attempt_module, "find_fault", lambda *_: "")


def refine(store: Path, *, dry_run: bool = False) -> dict[str, Any]:
    return refine_store(store, _DAY_S, _NOW_NS, dry_run=dry_run)


def distances(store: Path) -> Any:
    """What the network that judges makes of some pictures."""
    rng = np.random.default_rng(1)
    shape = (16, *still_image().shape)
    pictures = np.where(rng.random(shape) < 0.1, rng.integers(0, 256, shape), still_image())
    return load_twin(store).twin.distances(pictures.astype(np.uint8))


def test_days_of_a_store_are_of_one_version_each(watched: Path) -> None:
    """As the watch has parted them, none of them silent or twice there."""
    with Store.open(watched) as store:
        stretches = read_stretches(store, _DAY_S * 10**9)
    assert len({stretch.device for stretch in stretches}) > 5
    for stretch in stretches:
        starts = [int(day.start_ns.min()) // (_DAY_S * 10**9) for day in stretch.days]
        assert len(starts) >= LEAST_DAYS
        assert starts == sorted(set(starts))


def test_what_is_used_is_better_on_the_newest_days(store: Path) -> None:
    """From captures to a record, with nothing made easier."""
    attempt = refine(store)
    before, after = attempt["before"], attempt["after"]
    better = after["auc"] > before["auc"] and after["alarms"] <= before["alarms"]
    if attempt["outcome"] == "accepted":
        assert better
    else:
        assert attempt["outcome"] == "kept"
        assert attempt["reason"]
    assert load_twin(store).number == attempt["model"]
    assert attempt["devices"] > 5
    assert attempt["steps"] == Bounds().steps


@pytest.mark.usefixtures("accepted")
def test_a_refined_network_judges_until_it_is_rolled_back(store: Path) -> None:
    """What is said to be better is used, by whoever opens the store next."""
    before = distances(store)
    attempt = refine(store)
    assert attempt["outcome"] == "accepted", attempt
    assert attempt["model"] == load_twin(store).number == 1
    assert not np.allclose(distances(store), before)
    assert History(store).attempts() == [attempt]
    assert History(store).roll_back() is None
    assert np.array_equal(distances(store), before)


@pytest.mark.usefixtures("accepted")
def test_trying_changes_nothing(store: Path) -> None:
    """Not a file is left beside the store but the lock's."""
    attempt = refine(store, dry_run=True)
    assert attempt["outcome"] == "accepted"
    assert attempt["model"] is None
    assert History(store).attempts() == []
    assert load_twin(store).number is None


@pytest.mark.usefixtures("quick")
def test_what_is_no_better_than_what_is_used_is_not_used(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same days give the same network, which is no gain over itself."""
    monkeypatch.setattr(run_module, "is_worse", lambda *_: False)
    with monkeypatch.context() as decreed:
        decreed.setattr(attempt_module, "find_fault", lambda *_: "")
        refine(store)
    second = refine(store)
    assert second["outcome"] == "kept"
    assert second["model"] == 1
    assert "no better" in second["reason"]
    assert len(History(store).attempts()) == 2


def blind(history: History) -> int:
    """Use a network that tells nothing from anything."""
    weights = tuple(np.zeros_like(each) for each in read_base().network().weights())
    return history.keep(Refined(read_base().digest, weights, 1.0, -1.0))


@pytest.mark.usefixtures("quick")
def test_a_network_that_does_worse_on_new_days_is_rolled_back(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself, and it is said; what came with the agent judges again where nothing is better."""
    history = History(store)
    bad = blind(history)
    assert load_twin(store).number == bad
    monkeypatch.setattr(attempt_module, "find_fault", lambda *_: "made to fail")
    attempt = refine(store)
    assert "on the newest days" in attempt["rolled_back"]
    assert attempt["outcome"] == "kept"
    assert attempt["model"] is None
    assert load_twin(store).number is None
    assert history.numbers() == ()


@pytest.mark.usefixtures("accepted")
def test_what_is_refined_after_that_has_a_number_of_its_own(store: Path) -> None:
    """The record tells the networks apart."""
    bad = blind(History(store))
    attempt = refine(store)
    assert attempt["rolled_back"]
    assert attempt["model"] == load_twin(store).number
    assert attempt["model"] >= bad


@pytest.mark.usefixtures("accepted")
def test_a_damaged_network_is_passed_over(store: Path) -> None:
    """The agent watches with its own, and says why."""
    refine(store)
    (History(store).folder / "refined-1").write_bytes(b"gibberish")
    found = load_twin(store)
    assert found.number is None
    assert "refined-1" in found.note


@pytest.mark.usefixtures("accepted")
def test_a_network_of_another_agent_is_passed_over(store: Path) -> None:
    """It was refined from weights that are no longer there."""
    refine(store)
    history = History(store)
    history.keep(replace(history.read(1), base="another"))
    found = load_twin(store)
    assert found.number is None
    assert "another version of the agent" in found.note


def test_a_home_that_has_just_begun_has_nothing_to_refine_on(tmp_path: Path) -> None:
    """It is told, and noted."""
    path = tmp_path / "home.db"
    Store.open(path).close()
    attempt = refine(path)
    assert attempt["outcome"] == "too_little"
    assert "5 days" in attempt["reason"]


def test_one_refinement_at_a_time(store: Path) -> None:
    """A second one is turned away, and nothing is lost."""
    with History(store).alone(), pytest.raises(StoreError, match="under way"):
        refine(store)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the worker says, in this process: it does not step aside here."""
    monkeypatch.setattr(aside, "step_aside", lambda: None)
    return []


@pytest.mark.usefixtures("quick")
def test_the_worker_tells_stages_and_then_the_record(
    store: Path, said: list[dict[str, Any]]
) -> None:
    """As its caller reads it."""
    code = worker.main([str(store), str(_DAY_S), "dry-run"], said.append)
    assert code == 0
    assert [each["stage"] for each in said[:-1]] == ["pairs", "training", "measuring"]
    assert said[-1]["outcome"] in ("accepted", "kept")


def test_the_worker_tells_what_is_wrong(tmp_path: Path, said: list[dict[str, Any]]) -> None:
    """In the words and with the code of the command."""
    code = worker.main([str(tmp_path / "no.db"), str(_DAY_S)], said.append)
    assert code == said[-1]["code"] == StoreError.exit_code
    assert "no.db" in said[-1]["error"]


def test_the_worker_steps_aside() -> None:
    """It runs only where nobody else wants the processor, and the caller stays as it was."""
    program = (
        "import os; from fwid_agent import aside; aside.step_aside(); "
        "print(os.nice(0), os.sched_getscheduler(0) == os.SCHED_IDLE)"
    )
    command = [sys.executable, "-c", program]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert out.split() == ["19", "True"]
    assert os.sched_getscheduler(0) != os.SCHED_IDLE


def test_a_sandbox_that_forbids_that_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refining as fast as others is better than not at all."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.nice", refuse)
    monkeypatch.setattr("os.sched_setscheduler", refuse)
    aside.step_aside()


@pytest.mark.parametrize("lines", [[], [b""], [b"{}"], [b"Killed"], [b'{"stage": "pairs"}']])
def test_a_worker_that_was_ended_is_told(lines: list[bytes]) -> None:
    """Whatever it had said before."""
    with pytest.raises(StoreError, match="before its time"):
        aside.read_answer(lines, "refining")

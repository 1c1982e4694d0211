"""`fwid refine` from its arguments to what it prints, on a store and by a running agent."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from fwid_agent.errors import StoreError
from fwid_agent.model.history import History, Refined
from fwid_agent.pipeline.refined import read_base
from fwid_agent.service.local import listen

from tests.agent.cli.conftest import Fwid

RECORD: dict[str, Any] = {
    "outcome": "accepted",
    "model": 4,
    "reason": "",
    "rolled_back": "",
    "devices": 3,
    "days": 21,
    "before": {"auc": 0.9, "alarms": 3, "alike": 40, "missed": 2, "software": 40},
    "after": {"auc": 0.95, "alarms": 2, "alike": 40, "missed": 2, "software": 40},
    "seconds": 4.04,
    "cpu_s": 3.01,
    "peak_mb": 91.3,
    "dry_run": False,
}


def keep_network(store: Path) -> int:
    """A refined network beside the store, of the same weights as the agent's."""
    base = read_base()
    return History(store).keep(Refined(base.digest, base.network().weights(), 1.0, -1.0))


def test_too_few_days_are_told(fwid: Fwid, store: Path) -> None:
    """It is no error: another week helps."""
    ended = fwid("refine", "--dry-run", "--store", store)
    assert (ended.code, ended.err) == (0, "")
    assert "nothing to refine on yet" in ended.out
    (record,) = fwid("refine", "--store", store, "--json").records()
    assert record["outcome"] == "too_little"
    assert History(store).attempts() == [record]


def test_rolling_back_needs_something_to_roll_back(fwid: Fwid, store: Path) -> None:
    """Step by step, and then it is said that there is nothing."""
    keep_network(store)
    keep_network(store)
    assert fwid("refine", "--roll-back", "--store", store).out == "in use: refined network 1\n"
    assert fwid("refine", "--roll-back", "--store", store, "--json").records() == [{"model": None}]
    ended = fwid("refine", "--roll-back", "--store", store)
    assert (ended.code, ended.out) == (2, "")
    assert "nothing to roll back" in ended.err


def test_what_makes_no_sense_is_told(fwid: Fwid, store: Path, tmp_path: Path) -> None:
    """In one line, with what to do."""
    for arguments in (
        ["--store", tmp_path / "none.db"],
        ["--roll-back", "--dry-run", "--store", store],
    ):
        ended = fwid("refine", *arguments)
        assert (ended.code, ended.out) == (2, "")
        assert len(ended.err.splitlines()) == 1


class Agent:
    """A running agent's socket, that answers as one whose refinement takes a while."""

    def __init__(self, store: Path, answers: list[dict[str, Any]]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._store, self._answers = store, answers
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Agent":
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(listen(self._store, self._answer))
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(asked)
        answer = self._answers.pop(0)
        if "fault" in answer:
            raise StoreError(answer["fault"])
        return answer


def test_a_running_agent_does_the_work(fwid: Fwid, store: Path) -> None:
    """It is asked until it has done, and what came of it is told."""
    running = {"running": True}
    answers = [running, running, {"running": False, "attempt": RECORD}]
    with Agent(store, answers) as agent:
        ended = fwid("refine", "--store", store)
    assert agent.asked == [{"do": "refine", "dry_run": False}, *[{"do": "refinement"}] * 2]
    assert ended.code == 0
    for told in ("accepted", "0.900 → 0.950", "3 → 2 of 40", "3 devices, 21 days", "network 4"):
        assert told in ended.out
    assert not History(store).folder.exists()


def test_what_goes_wrong_in_the_agent_is_told(fwid: Fwid, store: Path) -> None:
    """With the exit code of the store."""
    with Agent(store, [{"running": True}, {"fault": "refining ended before its time"}]):
        ended = fwid("refine", "--store", store)
    assert (ended.code, ended.out) == (4, "")
    assert "before its time" in ended.err


@pytest.mark.parametrize(("number", "name"), [(2, "refined network 2"), (None, "came with")])
def test_a_running_agent_rolls_back(fwid: Fwid, store: Path, number: int | None, name: str) -> None:
    """And judges by what it names from then on."""
    with Agent(store, [{"model": number}]) as agent:
        ended = fwid("refine", "--roll-back", "--store", store)
    assert agent.asked == [{"do": "roll_back"}]
    assert name in ended.out

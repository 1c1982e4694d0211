"""Refinement in the running agent: one at a time, in a process of its own, and then it judges."""

import asyncio
import sys
from concurrent.futures import Future
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fwid_agent.config import Config
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.service import refiner as refiner_module
from fwid_agent.service.refiner import Refiner, is_due
from fwid_agent.service.request import WatchRequest
from hypothesis import given
from hypothesis import strategies as st

_NOW = datetime(2026, 6, 1, tzinfo=UTC)
_RECORD = '{"outcome": "kept", "rolled_back": "", "reason": "no better", "model": null}'


class Analysis:
    """Takes commands as the analysis does; counts the networks that it was given."""

    def __init__(self) -> None:
        self.taken = 0

    def ask(self, command: Any) -> "Future[Any]":
        class Home:
            def use(home, model: object) -> None:  # noqa: N805
                self.taken += 1

        answer: Future[Any] = Future()
        answer.set_result(command(Home()))
        return answer


def make(store: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> tuple[Refiner, Analysis]:
    """A refiner whose process is this program."""
    monkeypatch.setattr(
        refiner_module, "command", lambda *_, dry_run: [sys.executable, "-c", program]
    )
    analysis = Analysis()
    request = WatchRequest(("made",), store, Config())
    return Refiner(request, analysis), analysis  # type: ignore[arg-type]


async def finish(refiner: Refiner) -> dict[str, Any]:
    while (told := refiner.told())["running"]:
        await asyncio.sleep(0.02)
    return told


def test_the_analysis_takes_the_network_when_the_process_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before, and not where it was only tried."""

    async def story() -> None:
        program = f"print('{{\"stage\": \"pairs\"}}'); print('{_RECORD}')"
        refiner, analysis = make(tmp_path / "home.db", monkeypatch, program)
        with pytest.raises(UsageError, match="no refinement was started"):
            refiner.told()
        refiner.start(dry_run=True)
        assert refiner.told() == {"running": True}
        with pytest.raises(UsageError, match="under way"):
            refiner.start(dry_run=False)
        with pytest.raises(UsageError, match="under way"):
            await refiner.roll_back()
        told = await finish(refiner)
        assert told["attempt"]["outcome"] == "kept"
        assert analysis.taken == 0
        refiner.start(dry_run=False)
        await finish(refiner)
        assert analysis.taken == 1

    asyncio.run(story())


def test_a_process_that_dies_is_told_and_another_may_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network in use stays."""

    async def story() -> None:
        refiner, analysis = make(tmp_path / "home.db", monkeypatch, "raise SystemExit(9)")
        for _ in range(2):
            refiner.start(dry_run=False)
            with pytest.raises(StoreError, match="before its time"):
                await finish(refiner)
        assert analysis.taken == 0

    asyncio.run(story())


def test_an_agent_that_stops_takes_the_process_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes on behind it."""

    async def story() -> None:
        mark = tmp_path / "pid"
        program = (
            f"import os, pathlib, time; pathlib.Path({str(mark)!r}).write_text(str(os.getpid())); "
            "time.sleep(600)"
        )
        refiner, _ = make(tmp_path / "home.db", monkeypatch, program)
        refiner.start(dry_run=False)
        while not mark.exists() or not mark.read_text():
            await asyncio.sleep(0.02)
        await refiner.end()
        assert not Path(f"/proc/{mark.read_text()}").exists()

    asyncio.run(story())


def attempt(at: datetime) -> dict[str, Any]:
    return {"time": at.isoformat().replace("+00:00", "Z")}


@given(st.timedeltas(timedelta(days=-400), timedelta(days=400)))
def test_it_is_due_a_week_after_the_latest(ago: timedelta) -> None:
    """Whatever was before; a clock that was set back is no reason to wait for years."""
    attempts = [attempt(_NOW), attempt(_NOW - ago)]
    assert is_due(attempts, _NOW) == (ago >= timedelta(days=7) or ago < timedelta(0))


def test_it_is_due_where_nothing_is_known() -> None:
    """No attempt, or one without a time."""
    assert is_due([], _NOW)
    assert is_due([{"time": "gibberish"}], _NOW)
    assert is_due([{}], _NOW)


def test_the_schedule_starts_one_when_it_is_due(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And waits where one was made lately."""

    async def story(latest: list[dict[str, Any]]) -> bool:
        monkeypatch.setattr(refiner_module, "_SETTLE_S", 0.0)
        refiner, _ = make(tmp_path / "home.db", monkeypatch, f"print('{_RECORD}')")
        monkeypatch.setattr(refiner_module.History, "attempts", lambda _: latest)
        schedule = asyncio.create_task(refiner.keep_schedule(lambda: _NOW))
        await asyncio.sleep(0.2)
        schedule.cancel()
        try:
            refiner.told()
        except UsageError:
            return False
        await refiner.end()
        return True

    assert asyncio.run(story([attempt(_NOW - timedelta(days=8))]))
    assert not asyncio.run(story([attempt(_NOW - timedelta(days=6))]))

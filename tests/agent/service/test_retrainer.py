"""Retraining in the agent: one at a time, in a process of its own; then the model is asked."""

import asyncio
import sys
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fwid_agent.api.answers import convert
from fwid_agent.api.messages import Identification
from fwid_agent.config import Config
from fwid_agent.errors import UsageError
from fwid_agent.identify.kept import Identifiers
from fwid_agent.retrain.asked import Wish
from fwid_agent.service import retrainer as retrainer_module
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.retrainer import Retrainer
from fwid_agent.store import Store

from tests.agent.identify.models import BULB, CAMERA, stump

_DAY_NS = 86_400_000_000_000
_NOW_NS = 20_000 * _DAY_NS
_RECORD = (
    '{"time": "2026-06-01T00:00:00.000Z", "outcome": "kept", "reason": "no better", "doubted": []}'
)


class Analysis:
    """Takes commands as the analysis does; remembers the models that it was given."""

    class clock:  # noqa: N801
        now_ns = staticmethod(lambda: _NOW_NS)

    def __init__(self) -> None:
        self.taken: list[int | None] = []

    def ask(self, command: Any) -> "Future[Any]":
        class Home:
            def identify_by(home, model: Any) -> None:  # noqa: N805
                self.taken.append(model.number)

        answer: Future[Any] = Future()
        answer.set_result(command(Home()))
        return answer


class Told(list[Any]):
    """What was published."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """An empty one."""
    path = tmp_path / "home.db"
    Store.open(path).close()
    return path


def make(
    store: Path, monkeypatch: pytest.MonkeyPatch, program: str, **config: Any
) -> tuple[Retrainer, Analysis, Told]:
    """A retrainer whose process is this program."""
    monkeypatch.setattr(retrainer_module, "command", lambda *_: [sys.executable, "-c", program])
    analysis, told = Analysis(), Told()
    request = WatchRequest(("made",), store, Config(**config))
    return Retrainer(request, analysis, told.append), analysis, told  # type: ignore[arg-type]


async def finish(retrainer: Retrainer) -> dict[str, Any]:
    while (told := retrainer.told())["running"]:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0)
    return told


def test_the_model_is_asked_when_the_process_has_ended(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where it was only tried; clients are told when it begins and when it ends."""

    async def story() -> None:
        retrainer, analysis, told = make(store, monkeypatch, f"print('{_RECORD}')")
        with pytest.raises(UsageError, match="no retraining was started"):
            retrainer.told()
        retrainer.start(Wish(dry_run=True))
        with pytest.raises(UsageError, match="under way"):
            retrainer.start()
        with pytest.raises(UsageError, match="under way"):
            await retrainer.roll_back()
        assert (await finish(retrainer))["attempt"]["outcome"] == "kept"
        assert analysis.taken == []
        retrainer.start()
        await finish(retrainer)
        assert analysis.taken == [None]
        assert [each["running"] for each in told] == [True, False] * 2

    asyncio.run(story())


def test_how_the_model_stands_is_told_as_the_api_wants_it(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came with the agent; a home's own, and after rolling back the other again."""

    async def story() -> None:
        retrainer, _, _ = make(store, monkeypatch, f"print('{_RECORD}')")
        shipped = convert(retrainer.record(), Identification)
        assert (shipped.model, shipped.number, shipped.devices) == ("shipped", None, 0)
        kept = Identifiers(store)
        with kept.alone():
            kept.keep(stump())
        kept.record({"time": "2026-06-01T00:00:00.000Z", "outcome": "accepted", "reason": ""})
        retrainer.start()
        await finish(retrainer)
        own = convert(retrainer.record(), Identification)
        assert (own.model, own.number, own.type, own.devices) == ("home", 1, "forest", 2)
        assert (own.window_days, own.accuracy, own.running) == (7, 0.5, False)
        assert own.trained == "1970-01-02T00:00:00.000Z"
        assert own.last_attempt is not None
        assert own.last_attempt.outcome == "accepted"
        assert stump().knows == {BULB, CAMERA}
        assert await retrainer.roll_back() is None
        assert (retrainer.record() or {})["model"] == "shipped"
        with pytest.raises(UsageError, match="nothing to roll back"):
            await retrainer.roll_back()

    asyncio.run(story())


def test_other_threads_start_one_too(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API's, which waits for the answer."""

    async def story() -> None:
        go = store.with_name("go")
        there = f"pathlib.Path({str(go)!r}).exists()"
        waits = f"import pathlib, time\nwhile not {there}:\n time.sleep(.01)"
        retrainer, _, _ = make(store, monkeypatch, f"{waits}\nprint('{_RECORD}')")
        record = await asyncio.to_thread(retrainer.ask)
        assert (record or {})["running"] is True
        with pytest.raises(UsageError, match="under way"):
            await asyncio.to_thread(retrainer.ask_roll_back)
        go.touch()
        await finish(retrainer)

    asyncio.run(story())


def test_where_devices_are_not_identified_nothing_is_trained(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And there is no model to tell of."""

    async def story() -> None:
        retrainer, _, _ = make(store, monkeypatch, "", identify="off")
        assert retrainer.record() is None
        with pytest.raises(UsageError, match="not identified"):
            retrainer.start()
        with pytest.raises(UsageError, match="not identified"):
            await retrainer.roll_back()

    asyncio.run(story())


@pytest.mark.parametrize(("retrain", "started"), [("weekly", True), ("off", False)])
def test_the_schedule_starts_one_and_tells_of_old_models(
    store: Path, monkeypatch: pytest.MonkeyPatch, retrain: str, started: bool
) -> None:
    """Whoever has it off is told as well."""

    async def story() -> None:
        monkeypatch.setattr(retrainer_module, "_SETTLE_S", 0.0)
        monkeypatch.setattr(retrainer_module, "is_due", lambda *_: True)
        monkeypatch.setattr(retrainer_module, "old_because", lambda *_: "age")
        retrainer, _, told = make(store, monkeypatch, f"print('{_RECORD}')", retrain=retrain)
        schedule = asyncio.create_task(retrainer.keep_schedule())
        while not told:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)
        schedule.cancel()
        assert (told[-1]["getting_old"], told[-1]["old_because"]) == (True, "age")
        try:
            retrainer.told()
        except UsageError:
            assert not started
        else:
            assert started
            await retrainer.end()

    asyncio.run(story())


def test_the_day_of_the_clock_is_the_agents(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A capture that is played back has days of its own."""
    asked: list[Any] = []

    async def story() -> None:
        retrainer, _, _ = make(store, monkeypatch, "")
        monkeypatch.setattr(
            retrainer_module, "command", lambda *words: asked.extend(words) or [sys.executable]
        )
        retrainer.start()
        await retrainer.end()

    asyncio.run(story())
    assert asked[:3] == [store, int(timedelta(days=1).total_seconds()), _NOW_NS]

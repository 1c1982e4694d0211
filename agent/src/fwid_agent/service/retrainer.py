"""Retraining in the running agent: when it is due and when asked, in a process that steps aside.

When the process has ended, the analysis asks the model that is in use from then on.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from fwid_agent.errors import FwidError, UsageError
from fwid_agent.identify.kept import Identifiers, InUse, in_use
from fwid_agent.model.shelf import Attempt
from fwid_agent.retrain.age import OldBecause, is_due, look_at, old_because, tries_of
from fwid_agent.retrain.asked import Wish, command
from fwid_agent.retrain.days import read_household
from fwid_agent.service.background import Background
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.watcher import Watcher
from fwid_agent.store import Store
from fwid_agent.types import format_time

_LOOK_S = 3600.0  # how often it is asked whether one is due
_SETTLE_S = 1200.0  # after the start, when there is enough else to do
_ANSWER_S = 5.0
_SECOND_NS = 1_000_000_000
_OFF = "devices are not identified; `identify` in the configuration is off"
_AS_IT_IS = Wish()
Record = dict[str, Any]
_log = logging.getLogger("fwid")


class Retrainer:
    """Starts retrainings, one at a time, and knows how the model in use stands.

    Args:
        request: what is watched.
        watcher: the analysis.
        publish: told the model's record where it has changed, in the event loop.

    """

    def __init__(
        self,
        request: WatchRequest,
        watcher: Watcher,
        publish: Callable[[Record | None], object] = lambda _: None,
    ) -> None:
        self._request = request
        self._watcher = watcher
        self._publish = publish
        self._kept = Identifiers(request.store)
        self._work = Background("retraining", "retraining", self._on_end)
        self._loop = asyncio.get_running_loop()
        self._used: InUse | None = None
        self._old: OldBecause | None = None
        self._attempt: Attempt | None = None

    @property
    def on(self) -> bool:
        """Whether devices are identified at all."""
        return self._request.config.identify != "off"

    # --- in the event loop -----------------------------------------------------------------------

    def start(self, wish: Wish = _AS_IT_IS) -> None:
        """Start a retraining; raises UsageError where one is under way."""
        if not self.on:
            raise UsageError(_OFF)
        unit_s, now_ns = self._request.config.unit_s, self._watcher.clock.now_ns()
        asked = command(self._request.store, unit_s, now_ns, wish)
        self._work.start(asked, None if wish.dry_run else self._reload)
        self._publish(self.record())

    def told(self) -> Record:
        """Tell how the latest retraining stands: running, or its record; raises what went wrong."""
        return self._work.told()

    async def roll_back(self) -> int | None:
        """Use the model before; gives its number, None for the one that came with the agent."""
        if not self.on:
            raise UsageError(_OFF)
        self._work.check_idle()
        number = await asyncio.to_thread(self._kept.roll_back)
        await self._reload()
        self._publish(self.record())
        return number

    async def keep_schedule(self) -> None:
        """Look how the model stands, and retrain whenever it is due, until cancelled."""
        await asyncio.sleep(_SETTLE_S)
        while True:
            before = self._old
            try:
                due = await asyncio.to_thread(self._look)
            except FwidError as error:
                _log.warning("retraining: %s", error)
            else:
                if due and self._request.config.retrain == "weekly":
                    with suppress(UsageError):
                        self.start()
                if self._old != before:
                    self._publish(self.record())
            await asyncio.sleep(_LOOK_S)

    async def end(self) -> None:
        """Let a retraining go that is under way; what is in use stays in use."""
        await self._work.end()

    # --- in any thread ---------------------------------------------------------------------------

    def record(self) -> Record | None:
        """How the model in use stands: `messages.Identification`; None where there is none."""
        if not self.on:
            return None
        used = self._used or self._load()
        model, last = used.identifier, self._attempt
        about = model.about
        return {
            "model": used.model,
            "number": used.number,
            "type": model.type,
            "trained": None if about.trained_ns is None else format_time(about.trained_ns),
            "window_days": about.window_days,
            "devices": len(model.knows),
            "accuracy": about.accuracy,
            "getting_old": self._old is not None,
            "old_because": self._old,
            "running": self._work.running,
            "last_attempt": last and {name: last[name] for name in ("time", "outcome", "reason")},
        }

    def ask(self) -> Record | None:
        """Start one from another thread, and tell how the model stands; raises as `start`."""
        return self._in_loop(self._start())

    def ask_roll_back(self) -> Record | None:
        """Roll back from another thread, and tell how the model stands; raises as `roll_back`."""
        return self._in_loop(self._roll_back())

    # --- within ----------------------------------------------------------------------------------

    def _in_loop(self, asked: Any) -> Record | None:  # noqa: ANN401 - a coroutine
        record: Record | None
        record = asyncio.run_coroutine_threadsafe(asked, self._loop).result(_ANSWER_S)
        return record

    async def _start(self) -> Record | None:
        self.start()
        return await asyncio.to_thread(self.record)

    async def _roll_back(self) -> Record | None:
        await self.roll_back()
        return await asyncio.to_thread(self.record)

    def _load(self) -> InUse:
        used = self._used = in_use(self._request.store)
        attempts = self._kept.attempts()
        self._attempt = attempts[-1] if attempts else None
        return used

    def _look(self) -> bool:
        """Look how the model stands; says whether another is due."""
        used = self._used or self._load()
        unit_s, now_ns = self._request.config.unit_s, self._watcher.clock.now_ns()
        with Store.open(self._request.store, create=False) as store:
            home = read_household(store, unit_s * _SECOND_NS, now_ns)
            standing = look_at(store, home, used)
        self._old = old_because(standing, now_ns)
        now = datetime.fromtimestamp(now_ns / _SECOND_NS, UTC)
        tries = tries_of(self._kept.attempts())
        return is_due(standing, tries, now, timedelta(seconds=unit_s))

    async def _reload(self) -> None:
        used = await asyncio.to_thread(self._load)
        await asyncio.to_thread(self._look)
        await asyncio.wrap_future(self._watcher.ask(lambda home: home.identify_by(used)))

    def _on_end(self, ended: Attempt | BaseException) -> None:
        if isinstance(ended, BaseException):
            _log.warning("retraining: %s", ended)
            time = format_time(self._watcher.clock.now_ns())
            self._attempt = {"time": time, "outcome": "failed", "reason": str(ended)}
        else:
            for doubted in ended["doubted"]:
                _log.warning(
                    "device=%s is called %s and behaves like %s; if its name is right, "
                    "`fwid retrain --believe-labels`",
                    doubted["device"], doubted["label"], doubted["behaves_like"],
                )  # fmt: skip
            _log.info("retrained outcome=%s %s", ended["outcome"], ended["reason"])
        self._publish(self.record())

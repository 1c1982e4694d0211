"""Refinement in the running agent: on a schedule and when asked, in a process that steps aside.

When the process has ended, the analysis takes the network that is in use from then on.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from fwid_agent.errors import UsageError
from fwid_agent.model.history import History
from fwid_agent.model.shelf import Attempt
from fwid_agent.pipeline.refined import load_twin
from fwid_agent.refine.worker import command
from fwid_agent.service.background import Background, is_older
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.watcher import Watcher

_EVERY = timedelta(days=7)
_LOOK_S = 3600.0  # how often it is asked whether one is due
_SETTLE_S = 900.0  # after the start, when there is enough else to do
_log = logging.getLogger("fwid")


class Refiner:
    """Starts refinements, one at a time."""

    def __init__(self, request: WatchRequest, watcher: Watcher) -> None:
        self._request = request
        self._watcher = watcher
        self._history = History(request.store)
        self._work = Background("refining", "refinement", _tell)

    def start(self, *, dry_run: bool) -> None:
        """Start a refinement; raises UsageError where one is under way."""
        asked = command(self._request.store, self._request.config.unit_s, dry_run=dry_run)
        self._work.start(asked, None if dry_run else self._reload)

    def told(self) -> dict[str, Any]:
        """Tell how the latest refinement stands: running, or its record.

        Raises:
            FwidError: what went wrong.

        """
        return self._work.told()

    async def roll_back(self) -> int | None:
        """Use the network before; gives its number, None for the one that came with the agent."""
        self._work.check_idle()
        number = await asyncio.to_thread(self._history.roll_back)
        await self._reload()
        return number

    async def keep_schedule(self, wall: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Refine whenever it is due, until cancelled."""
        await asyncio.sleep(_SETTLE_S)
        while True:
            if is_due(await asyncio.to_thread(self._history.attempts), wall()):
                with suppress(UsageError):
                    self.start(dry_run=False)
            await asyncio.sleep(_LOOK_S)

    async def end(self) -> None:
        """Let a refinement go that is under way; what is in use stays in use."""
        await self._work.end()

    async def _reload(self) -> None:
        in_use = await asyncio.to_thread(load_twin, self._request.store)
        await asyncio.wrap_future(self._watcher.ask(lambda home: home.use(in_use.twin)))


def is_due(attempts: list[Attempt], now: datetime) -> bool:
    """Say whether the latest attempt is a week ago."""
    return is_older(attempts, now, _EVERY)


def _tell(ended: Attempt | BaseException) -> None:
    if isinstance(ended, BaseException):
        _log.warning("refining: %s", ended)
        return
    if ended["rolled_back"]:
        _log.warning("the refined network was rolled back: %s", ended["rolled_back"])
    _log.info("refined outcome=%s %s", ended["outcome"], ended["reason"])

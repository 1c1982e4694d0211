"""Refinement in the running agent: on a schedule and when asked, in a process that steps aside.

Capturing and judging go on meanwhile; when the process has ended, the analysis takes the network
that is in use from then on.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from fwid_agent.errors import FwidError, StoreError, UsageError
from fwid_agent.model.history import History
from fwid_agent.model.shelf import Attempt
from fwid_agent.pipeline.refined import load_twin
from fwid_agent.refine.worker import command, environment, read_answer
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.watcher import Watcher

_EVERY = timedelta(days=7)
_LOOK_S = 3600.0  # how often it is asked whether one is due
_SETTLE_S = 900.0  # after the start, when there is enough else to do
_MOST_S = 3600.0  # the process is ended after so long: it may wait for the processor
_MOST_BYTES = 1 << 16
_log = logging.getLogger("fwid")


class Refiner:
    """Starts refinements, one at a time."""

    def __init__(self, request: WatchRequest, watcher: Watcher) -> None:
        self._request = request
        self._watcher = watcher
        self._history = History(request.store)
        self._task: asyncio.Task[Attempt] | None = None

    def start(self, *, dry_run: bool) -> None:
        """Start a refinement; raises UsageError where one is under way."""
        if self._task is not None and not self._task.done():
            raise UsageError("a refinement is under way; wait until it has ended")
        self._task = asyncio.create_task(self._refine(dry_run=dry_run))
        self._task.add_done_callback(_tell)

    def told(self) -> dict[str, Any]:
        """Tell how the latest refinement stands: running, or its record.

        Raises:
            FwidError: what went wrong.

        """
        if self._task is None:
            raise UsageError("no refinement was started")
        if not self._task.done():
            return {"running": True}
        return {"running": False, "attempt": self._task.result()}

    async def roll_back(self) -> int | None:
        """Use the network before; gives its number, None for the one that came with the agent."""
        if self._task is not None and not self._task.done():
            raise UsageError("a refinement is under way; wait until it has ended")
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
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with suppress(asyncio.CancelledError, FwidError):
                await self._task

    async def _refine(self, *, dry_run: bool) -> Attempt:
        asked = command(self._request.store, self._request.config.unit_s, dry_run=dry_run)
        process = await asyncio.create_subprocess_exec(
            *asked,
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_MOST_BYTES,
        )
        try:
            async with asyncio.timeout(_MOST_S):
                out, _ = await process.communicate()
        except TimeoutError:
            raise StoreError("refining took too long and was ended; nothing was changed") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        attempt = read_answer(out.splitlines())
        if not dry_run:
            await self._reload()
        return attempt

    async def _reload(self) -> None:
        in_use = await asyncio.to_thread(load_twin, self._request.store)
        await asyncio.wrap_future(self._watcher.ask(lambda home: home.use(in_use.twin)))


def is_due(attempts: list[Attempt], now: datetime) -> bool:
    """Say whether the latest attempt is a week ago; a clock that was set back waits for nothing."""
    if not attempts:
        return True
    try:
        last = datetime.fromisoformat(str(attempts[-1].get("time")))
    except ValueError:
        return True
    return not timedelta() <= now - last < _EVERY


def _tell(task: "asyncio.Task[Attempt]") -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        _log.warning("refining: %s", error)
        return
    attempt = task.result()
    if attempt["rolled_back"]:
        _log.warning("the refined network was rolled back: %s", attempt["rolled_back"])
    _log.info("refined outcome=%s %s", attempt["outcome"], attempt["reason"])

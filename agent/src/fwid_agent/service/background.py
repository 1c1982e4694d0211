"""What takes long in the running agent: a process that steps aside, one at a time.

Capturing and judging go on meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from fwid_agent.aside import environment, read_answer
from fwid_agent.errors import FwidError, StoreError, UsageError
from fwid_agent.model.shelf import Attempt

_MOST_S = 3600.0  # the process is ended after so long: it may wait for the processor
_MOST_BYTES = 1 << 16
_Then = Callable[[], Awaitable[object]]


class Background:
    """Work that is started and told of.

    Args:
        doing: what the process is at, as in "refining took too long".
        one: what is under way, as in "refinement".
        tell: what to do when one has ended, or failed.

    """

    def __init__(
        self, doing: str, one: str, tell: Callable[[Attempt | BaseException], object]
    ) -> None:
        self._doing = doing
        self._one = one
        self._tell = tell
        self._task: asyncio.Task[Attempt] | None = None

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._task is not None and not self._task.done()

    def check_idle(self) -> None:
        """Raise UsageError where it is under way."""
        if self.running:
            raise UsageError(f"a {self._one} is under way; wait until it has ended")

    def start(self, asked: Sequence[str], then: _Then | None = None) -> None:
        """Start a process, and then do something; raises UsageError where one runs."""
        self.check_idle()
        self._task = asyncio.create_task(self._work(asked, then))
        self._task.add_done_callback(self._on_end)

    def told(self) -> dict[str, Any]:
        """Tell how the latest stands: running, or its record; raises what went wrong."""
        if self._task is None:
            raise UsageError(f"no {self._one} was started")
        if not self._task.done():
            return {"running": True}
        return {"running": False, "attempt": self._task.result()}

    async def end(self) -> None:
        """Let one go that is under way; what is in use stays in use."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with suppress(asyncio.CancelledError, FwidError):
                await self._task

    async def _work(self, asked: Sequence[str], then: _Then | None) -> Attempt:
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
            raise StoreError(
                f"{self._doing} took too long and was ended; nothing was changed"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        attempt = read_answer(out.splitlines(), self._doing)
        if then is not None:
            await then()
        return attempt

    def _on_end(self, task: "asyncio.Task[Attempt]") -> None:
        if not task.cancelled():
            self._tell(task.exception() or task.result())


def is_older(attempts: Sequence[Attempt], now: datetime, age: timedelta) -> bool:
    """Say whether the latest attempt is that old; a clock that was set back waits for nothing."""
    if not attempts:
        return True
    try:
        last = datetime.fromisoformat(str(attempts[-1].get("time")))
    except ValueError:
        return True
    return not timedelta() <= now - last < age

"""The running agent: starts the analysis, answers those who ask, and ends cleanly."""

import asyncio
import signal

from fwid_agent.errors import FwidError
from fwid_agent.service.watcher import Watcher, WatchRequest

_POLL_S = 0.2


def run_agent(request: WatchRequest) -> None:
    """Watch until SIGINT or SIGTERM; what was captured until then is stored.

    Raises:
        FwidError: the analysis cannot go on.

    """
    asyncio.run(_run(request))


async def _run(request: WatchRequest) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    watcher = Watcher(request, lambda events: None)
    watcher.start()
    try:
        while watcher.is_alive() and not stopping.is_set():
            try:
                await asyncio.wait_for(stopping.wait(), _POLL_S)
            except TimeoutError:
                continue
    finally:
        watcher.stop()
        await asyncio.to_thread(watcher.join)
    error: FwidError | None = watcher.error
    if error is not None:
        raise error

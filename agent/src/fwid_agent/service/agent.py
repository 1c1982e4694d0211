"""The running agent: starts the analysis, answers those who ask, and ends cleanly."""

import asyncio
import signal
import time
from typing import Any

from fwid_agent.core.stability import Accepted, Relearn
from fwid_agent.errors import UsageError
from fwid_agent.service.link import CaptureLink
from fwid_agent.service.local import listen, socket_path
from fwid_agent.service.watcher import Watcher, WatchRequest
from fwid_agent.types import parse_mac

_STEERING: dict[str, Accepted | Relearn] = {"accept": Accepted(), "relearn": Relearn()}


def run_agent(request: WatchRequest, link: CaptureLink) -> None:
    """Watch until SIGINT or SIGTERM; what was captured until then is stored.

    Raises:
        FwidError: the analysis cannot go on.

    """
    asyncio.run(_run(request, link))


async def _run(request: WatchRequest, link: CaptureLink) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    watcher = Watcher(
        request, link, lambda _: None, lambda: loop.call_soon_threadsafe(stopping.set)
    )
    server = await listen(request.store, lambda asked: _answer(watcher, asked))
    watcher.start()
    try:
        await stopping.wait()
    finally:
        server.close()
        watcher.stop()
        await asyncio.to_thread(watcher.join)
        socket_path(request.store).unlink(missing_ok=True)
    if watcher.error is not None:
        raise watcher.error


async def _answer(watcher: Watcher, asked: dict[str, Any]) -> dict[str, Any]:
    """Do what a command on this machine asks."""
    given = _STEERING.get(asked.get("do", ""))
    if given is None:
        raise UsageError(f"{asked.get('do')!r}: the agent knows no such command; update it")
    device = parse_mac(str(asked.get("device")))
    done = watcher.ask(lambda home: home.steer(device, given, time.time_ns()))
    state = await asyncio.wrap_future(done)
    return {"state": state.state.value, "version": state.version}

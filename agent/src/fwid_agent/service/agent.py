"""The running agent: starts the analysis, answers those who ask, and ends cleanly."""

import asyncio
import os
import signal
import time
from typing import Any

from fwid_agent.core.stability import Accepted, Relearn
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.pipeline.models import load_model, load_prior
from fwid_agent.service.link import CaptureLink
from fwid_agent.service.local import is_running, listen, socket_path
from fwid_agent.service.privileges import become, find_user
from fwid_agent.service.watcher import Watcher, WatchRequest
from fwid_agent.types import parse_mac

_STEERING: dict[str, Accepted | Relearn] = {"accept": Accepted(), "relearn": Relearn()}


def run_agent(request: WatchRequest) -> None:
    """Watch until SIGINT or SIGTERM; what was captured until then is stored.

    Raises:
        FwidError: the analysis cannot go on, or another agent runs on the store.

    """
    asyncio.run(_run(request))


async def _run(request: WatchRequest) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    if is_running(request.store):
        raise StoreError(f"{request.store}: another agent is running on this store; stop it first")
    link = CaptureLink(request.interface, request.user)
    # The capture has what it needs; nothing from here on has any right, perhaps not even that to
    # read where Python lies: what is loaded late is loaded now.
    load_prior()
    load_model()
    await asyncio.to_thread(lambda: None)
    become(_prepare(request))
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


def _prepare(request: WatchRequest) -> tuple[int, int] | None:
    """Make sure that the user can write the store; returns whom to become."""
    user = find_user(request.user) if request.user else None
    folder = request.store.parent
    try:
        new = not folder.exists()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if user is not None and os.geteuid() == 0:
            # A folder that was there is somebody's: only what is the store's own is given away.
            for path in ([folder] if new else []) + list(folder.glob(request.store.name + "*")):
                os.chown(path, *user)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error
    return user


async def _answer(watcher: Watcher, asked: dict[str, Any]) -> dict[str, Any]:
    """Do what a command on this machine asks."""
    given = _STEERING.get(asked.get("do", ""))
    if given is None:
        raise UsageError(f"{asked.get('do')!r}: the agent knows no such command; update it")
    device = parse_mac(str(asked.get("device")))
    done = watcher.ask(lambda home: home.steer(device, given, time.time_ns()))
    state = await asyncio.wrap_future(done)
    return {"state": state.state.value, "version": state.version}

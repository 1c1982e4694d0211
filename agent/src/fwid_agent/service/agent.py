"""The running agent: starts the analysis and the API, answers those who ask, ends cleanly."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from fwid_agent.api.certificate import Certificate, find_names, load_certificate, make_ssl_context
from fwid_agent.api.context import Clock, Context
from fwid_agent.api.ingress import Ingress
from fwid_agent.api.pairing import Pairing
from fwid_agent.api.server import make_app, start_server
from fwid_agent.api.tokens import TokenStore
from fwid_agent.core.stability import Accepted, Relearn
from fwid_agent.errors import UsageError
from fwid_agent.pipeline.identifying import Answer
from fwid_agent.retrain.asked import Wish
from fwid_agent.service.discovery import Announcement, announced
from fwid_agent.service.feed import Feed
from fwid_agent.service.identity import CERTIFICATE, TOKENS
from fwid_agent.service.local import listen, socket_path
from fwid_agent.service.notify import notify
from fwid_agent.service.refiner import Refiner
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.retrainer import Retrainer
from fwid_agent.service.supervisor import Supervisor, introduced, token_for_home_assistant
from fwid_agent.service.view import AgentView
from fwid_agent.service.watcher import Watcher
from fwid_agent.types import Event, parse_mac

_STEERING: dict[str, Accepted | Relearn] = {"accept": Accepted(), "relearn": Relearn()}
_READY_S = 30.0
_ALIVE_S = 20.0
_log = logging.getLogger("fwid")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """Where the API listens; `host` None is everywhere."""

    host: str | None
    port: int
    supervisor: Supervisor | None = None  # Home Assistant's, where the agent is one of its apps


def run_agent(request: WatchRequest, feed: Feed, api: ApiRequest | None) -> None:
    """Watch until SIGINT or SIGTERM; what came until then is stored.

    Raises:
        FwidError: the analysis cannot go on, or the API cannot listen.

    """
    asyncio.run(_run(request, feed, api))


async def _run(request: WatchRequest, feed: Feed, api: ApiRequest | None) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    views: list[AgentView] = []

    def on_events(events: Sequence[Event]) -> None:
        for view in views:
            loop.call_soon_threadsafe(view.tell, events)

    def on_judged(news: Sequence[Answer]) -> None:
        for view in views:
            loop.call_soon_threadsafe(view.tell_judged, news)

    def on_end() -> None:
        loop.call_soon_threadsafe(stopping.set)

    watcher = Watcher(request, feed, on_events, on_end, on_judged)
    views.append(AgentView(request, watcher))
    refiner = Refiner(request, watcher)
    retrainer = views[0].retrainer = Retrainer(request, watcher, views[0].tell_model)
    async with AsyncExitStack() as stack:
        access = Access(request.store.parent)

        async def answer(asked: dict[str, Any]) -> dict[str, Any]:
            told = await _answer_of_refiner(refiner, asked)
            if told is None:
                told = await _answer_of_retrainer(retrainer, asked)
            return await _answer(watcher, access, asked) if told is None else told

        server = await listen(request.store, answer)
        stack.callback(_remove, socket_path(request.store))
        stack.callback(server.close)
        watcher.start()
        stack.push_async_callback(_end, watcher)
        stack.push_async_callback(refiner.end)
        stack.push_async_callback(retrainer.end)
        if request.config.refine == "weekly":
            schedule = asyncio.create_task(refiner.keep_schedule())
            stack.callback(schedule.cancel)
        if retrainer.on:
            looking = asyncio.create_task(retrainer.keep_schedule())
            stack.callback(looking.cancel)
        await asyncio.to_thread(watcher.ready.wait, _READY_S)
        if api is not None and watcher.error is None:
            serving = _serving(api, access, views[0], announce=request.config.discovery)
            await stack.enter_async_context(serving)
        notify("READY=1")
        while not stopping.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _ALIVE_S)
            if watcher.alive():
                notify("WATCHDOG=1")
        notify("STOPPING=1")
        watcher.stop()  # while the API still says good-bye
    if watcher.error is not None:
        raise watcher.error


@asynccontextmanager
async def _serving(
    api: ApiRequest, access: "Access", view: AgentView, *, announce: bool
) -> AsyncIterator[None]:
    """Answer clients while the context is open, and have those told who look for the agent."""
    certificate = access.certificate()
    ingress = Ingress() if api.supervisor else None
    app = make_app(
        Context(
            view,
            access.tokens,
            access.pairing,
            fingerprint=certificate.fingerprint,
            ingress=ingress,
        )
    )
    async with AsyncExitStack() as stack:
        listening = start_server(app, api.host, api.port, make_ssl_context(certificate))
        port = (await stack.enter_async_context(listening)).port
        _log.info("serving port=%d fingerprint=%s", port, certificate.fingerprint)
        if announce:
            who = str((await asyncio.to_thread(view.info))["id"])
            told = Announcement(who, version("fwid-agent"), certificate.fingerprint, port)
            await stack.enter_async_context(announced(told, view.count_devices))
        if api.supervisor:
            config = access.introduction(certificate, port)
            await stack.enter_async_context(introduced(api.supervisor, config))
        yield


def _remove(path: Path) -> None:
    with suppress(OSError):  # where the disk has become read-only, the next start removes it
        path.unlink()


async def _end(watcher: Watcher) -> None:
    watcher.stop()
    await asyncio.to_thread(watcher.join)


class Access:
    """Who may ask the API: the tokens, the pairing and the certificate, beside the store."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.tokens = TokenStore(folder / TOKENS)
        self.pairing = Pairing()

    def certificate(self) -> Certificate:
        """The agent's certificate, made at first start."""
        return load_certificate(self._folder / CERTIFICATE, find_names(), datetime.now(tz=UTC))

    def introduction(self, certificate: Certificate, port: int) -> dict[str, str | int]:
        """What lets Home Assistant in; it shares its network with its apps."""
        path = self._folder / "home-assistant.token"
        token = token_for_home_assistant(self.tokens, path, Clock().wall_ns())
        found = {"host": "127.0.0.1", "token": token, "fingerprint": certificate.fingerprint}
        return {**found, "port": port}


async def _answer_of_refiner(refiner: Refiner, asked: dict[str, Any]) -> dict[str, Any] | None:
    """Do what `fwid refine` asks; None where something else is asked."""
    what = asked.get("do")
    if what == "refine":
        refiner.start(dry_run=asked.get("dry_run") is True)
        return {"running": True}
    if what == "refinement":
        return refiner.told()
    if what == "roll_back":
        return {"model": await refiner.roll_back()}
    return None


async def _answer_of_retrainer(
    retrainer: Retrainer, asked: dict[str, Any]
) -> dict[str, Any] | None:
    """Do what `fwid retrain` asks; None where something else is asked."""
    what = asked.get("do")
    if what == "retrain":
        try:
            wish = msgspec.convert(asked.get("wish"), type=Wish)
        except msgspec.ValidationError as error:
            raise UsageError(f"cannot retrain so: {error}") from error
        retrainer.start(wish)
        return {"running": True}
    if what == "retraining":
        return retrainer.told()
    if what == "roll_back_identifier":
        return {"model": await retrainer.roll_back()}
    return None


async def _answer(watcher: Watcher, access: Access, asked: dict[str, Any]) -> dict[str, Any]:
    """Do what a command on this machine asks."""
    what = asked.get("do")
    if what == "pair":
        fingerprint = (await asyncio.to_thread(access.certificate)).fingerprint
        return {"code": access.pairing.new_code(Clock().steady_ns()), "fingerprint": fingerprint}
    if what == "tokens":
        tokens = access.tokens.tokens()
        return {
            "tokens": [
                {"id": one.id, "name": one.name, "created": one.created, "last_used": one.last_used}
                for one in tokens
            ]
        }
    if what == "revoke":
        access.tokens.revoke(str(asked.get("id")))
        return {"revoked": asked["id"]}
    given = _STEERING.get(str(what))
    if given is None:
        raise UsageError(f"{what!r}: the agent knows no such command; update it")
    device = parse_mac(str(asked.get("device")))
    done = watcher.ask(lambda home: home.steer(device, given, watcher.clock.now_ns()))
    state = await asyncio.wrap_future(done)
    return {"state": state.state.value, "version": state.version}

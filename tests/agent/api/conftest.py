"""An agent that keeps everything in memory, behind a real server with a real certificate."""

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from fwid_agent.api.certificate import Certificate, load_certificate, make_ssl_context
from fwid_agent.api.context import Clock, Context, Limits
from fwid_agent.api.contract import AgentApi, Record, Which
from fwid_agent.api.ingress import Ingress
from fwid_agent.api.messages import Notice
from fwid_agent.api.pairing import Pairing
from fwid_agent.api.server import make_app, start_server
from fwid_agent.api.tokens import TokenStore
from fwid_agent.api.values import Category, Source
from fwid_agent.errors import UsageError
from fwid_agent.types import Cause, Event, EventReason, EventType, format_mac, format_time

PLUG = 0x908D78A8E143
EVENT_ID = "00000000-0000-0000-0000-000000000001"
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Page:
    events: Sequence[Event]
    gap: bool
    last_seq: int


@dataclass
class FakeAgent:
    """What the API talks to; `told` is what it was asked to do."""

    stored: list[Event] = field(default_factory=list)
    dropped: int = 0
    told: list[tuple[Any, ...]] = field(default_factory=list)
    listeners: list[Callable[[Event | Notice], None]] = field(default_factory=list)
    identifies: bool = True
    running: bool = False
    is_ready: bool = True
    error: Exception | None = None
    before_page: Callable[[], None] | None = None
    copy: Path = Path()

    def add(self, count: int = 1, text: str = "") -> None:
        """Let events happen, as the store and the service do; in the event loop."""
        for _ in range(count):
            seq = len(self.stored) + 1
            event = make_event(seq, text)
            self.stored.append(event)
            for tell in tuple(self.listeners):
                tell(event)

    def info(self) -> Record:
        if self.error:
            raise self.error
        times = {"started": format_time(0), "time": format_time(10**18)}
        known = {"identification": self._identification() if self.identifies else None}
        about = {"id": EVENT_ID, "version": "0.1.0", "capture": self._capture()}
        return {**about, **times, **known}

    def devices(self) -> list[Record]:
        return [self._record(PLUG)]

    def device(self, mac: int) -> Record | None:
        return self._record(mac) if mac == PLUG else None

    def _record(self, mac: int) -> Record:
        return {
            "device": format_mac(mac),
            "state": "stable",
            "version": 1,
            "since": format_time(0),
            "first_seen": format_time(0),
            "last_seen": format_time(10**18),
            "packets_sent": 10,
            "packets_received": 0,
            "bytes": 1234,
            "name": "<script>alert(1)</script>",
            "name_source": "device",
            "vantage": "multicast",
            "similarity": float("nan"),
            "reasons": [{"key": "new_port", "params": {"port": 443}}],
            "versions": [{"version": 1, "label": None}],
            "kind": {"label": "Plug", "category": "Home Automation", "source": "home_assistant"},
            "identified": {
                "label": None,
                "category": None,
                "certainty": 0.93,
                "model": "home",
                "time": format_time(0),
                "agrees": False,
            },
        }

    def history(self, mac: int, since_ns: int) -> list[Record]:
        self._act("history", mac, since_ns)
        return [
            {
                "time": format_time(0),
                "state": "changed",
                "version": 1,
                "verdict": "changed",
                "cause": "software",
                "g": float("nan"),
                "reasons": [],
            }
        ]

    def contacts(self, mac: int, since_ns: int) -> list[Record]:
        self._act("contacts", mac, since_ns)
        port = {"port": 443, "protocol": "tls", "opened": True, "flows": 3}
        network = {"network": "52.84.12.0/24", "flows": 3}
        hour = {"time": format_time(0), "length_s": 3600, "packets": 12, "bytes": 1234}
        return [{**hour, "networks": [network], "ports": [port]}]

    def image(self, mac: int, which: Which) -> bytes | None:
        self._act("image", mac, which)
        return None if which == "after" else PNG

    def enrol(self, mac: int) -> None:
        self._act("enrol", mac)

    def accept(self, mac: int) -> None:
        self._act("accept", mac)

    def relearn(self, mac: int) -> None:
        self._act("relearn", mac)

    def mute(self, mac: int, until_ns: int | None) -> None:
        self._act("mute", mac, until_ns)

    def wrong_alarm(self, mac: int, event_id: str) -> None:
        self._act("wrong_alarm", mac, event_id)

    def label(self, mac: int, version: int, text: str) -> None:
        if version > 1:
            raise UsageError(f"no version {version}")
        self._act("label", mac, version, text)

    def name(self, mac: int, text: str | None) -> None:
        self._act("name", mac, text)

    def expect_update(self, mac: int, until_ns: int) -> None:
        self._act("expect_update", mac, until_ns)

    def set_kind(
        self, mac: int, label: str | None, category: Category | None, source: Source
    ) -> None:
        self._act("set_kind", mac, label, category, source)

    def retrain(self) -> Record:
        return self._train(running=True)

    def roll_back_identifier(self) -> Record:
        return self._train(running=False)

    def _train(self, *, running: bool) -> Record:
        if not self.identifies:
            raise UsageError("devices are not identified (`identify`)")
        if self.running:
            raise UsageError("a model is being trained")
        self.running = running
        return self._identification()

    def _identification(self) -> Record:
        return {
            "model": "home",
            "number": 2,
            "type": "forest",
            "trained": format_time(0),
            "window_days": 7,
            "devices": 12,
            "accuracy": 0.98,
            "getting_old": True,
            "old_because": "age",
            "running": self.running,
            "last_attempt": {"time": format_time(0), "outcome": "accepted", "reason": ""},
        }

    def _act(self, *told: Any) -> None:
        if told[1] != PLUG:
            raise UsageError("no such device;\n`fwid devices` lists them")
        self.told.append(told)

    def events(self, after_seq: int, limit: int, device: str | None = None) -> Page:
        if self.before_page:
            self.before_page()
        kept = [
            event
            for event in self.stored
            if event.seq > max(after_seq, self.dropped) and device in (None, event.device)
        ]
        gap = after_seq < self.dropped or after_seq > len(self.stored)
        return Page(kept[:limit], gap, len(self.stored))

    def reason_texts(self, event: Event) -> list[str]:
        return [str(reason.params.get("text")) for reason in event.reasons]

    def subscribe(self, callback: Callable[[Event | Notice], None]) -> Callable[[], None]:
        self.listeners.append(callback)
        return lambda: self.listeners.remove(callback)

    def backup(self) -> Path:
        self.copy.write_bytes(b"SQLite" * 100_000)
        return self.copy

    def metrics(self) -> Mapping[str, float]:
        return {"frames_total": 12, "devices": 3}

    def _capture(self) -> Record:
        source = {"source": "eth0", "kind": "interface", "capturing": True, "frames": 12}
        return {"capturing": True, "frames": 12, "sources": [source]}

    def ready(self) -> bool:
        return self.is_ready


# The fake is what the service has to be.
_: type[AgentApi] = FakeAgent


def make_event(seq: int, text: str = "") -> Event:
    return Event(
        seq=seq,
        id=str(UUID(int=seq)),
        time=format_time(seq * 10**9),
        device=format_mac(PLUG),
        type=EventType.VERSION_CHANGED,
        from_version=1,
        to_version=2,
        cause=Cause.SOFTWARE,
        expected=False,
        reasons=(EventReason("new_port", {"port": 443, "text": text}),),
    )


@dataclass
class Time:
    """A clock that moves when it is told to."""

    now_ns: int = 10**18

    def clock(self) -> Clock:
        return Clock(lambda: self.now_ns, lambda: self.now_ns)


@dataclass
class Home:
    """A running server with everything behind it, and a client that has its fingerprint."""

    agent: FakeAgent
    tokens: TokenStore
    pairing: Pairing
    time: Time
    session: aiohttp.ClientSession
    url: str
    token: str
    pinned: aiohttp.Fingerprint
    port: int
    certificate: Path

    async def ask(
        self, method: str, path: str, *, token: str | None = "", **more: Any
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Give status, JSON (or bytes) and headers; `token` None sends none."""
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["Authorization"] = f"Bearer {token or self.token}"
        async with self.session.request(
            method, self.url + path, headers=headers, ssl=self.pinned, **more
        ) as response:
            is_json = response.content_type == "application/json"
            data = await (response.json() if is_json else response.read())
            return response.status, data, response.headers

    @contextlib.asynccontextmanager
    async def socket(self, after: Any = None) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a WebSocket, and send the first message where `after` is given."""
        async with self.session.ws_connect(
            self.url + "/events/ws",
            headers={"Authorization": f"Bearer {self.token}"},
            ssl=self.pinned,
        ) as opened:
            if after is not None:
                await opened.send_json({"after": after})
            yield opened


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    return load_certificate(path, ("localhost", "127.0.0.1"), datetime(2026, 1, 1, tzinfo=UTC))


class Runner:
    """Runs one test's coroutine against a server of its own."""

    def __init__(self, folder: Path, certificate: Certificate) -> None:
        self.folder = folder
        self.certificate = certificate
        self.limits = Limits(close_s=0.5)
        self.ingress: Ingress | None = None

    def limit(self, **values: Any) -> None:
        self.limits = replace(self.limits, **values)

    def __call__(self, test: Callable[[Home], Coroutine[Any, Any, None]]) -> None:
        async def run() -> None:
            async with asyncio.timeout(60), self.home() as home:
                await test(home)

        asyncio.run(run())

    @contextlib.asynccontextmanager
    async def home(self) -> AsyncIterator[Home]:
        agent, pairing, time = FakeAgent(copy=self.folder / "copy"), Pairing(), Time()
        tokens = TokenStore(self.folder / "tokens.json")
        token = tokens.add("test", time.now_ns)
        app = make_app(
            Context(agent, tokens, pairing, time.clock(), self.limits, ingress=self.ingress)
        )
        context = make_ssl_context(self.certificate)
        pinned = aiohttp.Fingerprint(bytes.fromhex(self.certificate.fingerprint))
        async with (
            start_server(app, "127.0.0.1", 0, context) as listening,
            aiohttp.ClientSession() as session,
        ):
            url = f"https://127.0.0.1:{listening.port}/api/v1"
            yield Home(
                agent,
                tokens,
                pairing,
                time,
                session,
                url,
                token,
                pinned,
                listening.port,
                self.certificate.path,
            )


@pytest.fixture
def serve(tmp_path: Path, certificate: Certificate) -> Runner:
    return Runner(tmp_path, certificate)


@pytest.fixture
def background(serve: Runner) -> Iterator[Home]:
    """A server in a thread of its own, for clients that block."""
    ready, homes = threading.Event(), list[Home]()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with serve.home() as home:
            homes.append(home)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(30)
    yield homes[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


def free_port() -> int:
    """A port that nobody has, out of the range that connections are given theirs from."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port

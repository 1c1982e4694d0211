"""What all handlers share: the agent, who may ask, the clocks, and the limits."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from aiohttp import web

from fwid_agent.api.contract import AgentApi
from fwid_agent.api.ingress import VISITOR, Ingress
from fwid_agent.api.pairing import Pairing
from fwid_agent.api.tokens import Token, TokenStore

SESSION_COOKIE = "__Host-fwid"  # the prefix: only over TLS, for this host alone (RFC 6265bis)
PAGE_HEADER = "X-Fwid-Page"
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Clock:
    """Both kinds of time, replaced in tests."""

    wall_ns: Callable[[], int] = time.time_ns
    steady_ns: Callable[[], int] = time.monotonic_ns  # never jumps: a Pi's wall clock does


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, or all together, can take of the agent."""

    body_bytes: int = 16 * 1024
    body_s: float = 10.0
    sockets: int = 32
    waiting_events: int = 1000  # of one WebSocket whose client does not read
    resume_s: float = 10.0  # until the first message on a WebSocket
    heartbeat_s: float = 30.0
    close_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the agent ends a WebSocket; an RFC 6455 status."""

    status: int
    text: str
    polite: bool = True  # there is room to say so


class Sockets:
    """The open WebSockets, by the token that each was opened with."""

    def __init__(self) -> None:
        self._open: dict[asyncio.Future[Ending], str] = {}

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    @contextmanager
    def hold(self, token_id: str) -> Iterator[asyncio.Future[Ending]]:
        """Count a WebSocket as open; what it is given is done when it has to end."""
        ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._open[ending] = token_id
        try:
            yield ending
        finally:
            del self._open[ending]

    def end(self, why: Ending, token_id: str | None = None) -> None:
        """End those of a token, or all; nothing more is sent on them from now on."""
        for ending, owner in self._open.items():
            if token_id in (None, owner) and not ending.done():
                ending.set_result(why)


@dataclass(frozen=True, slots=True)
class Context:
    """What all handlers share."""

    agent: AgentApi
    tokens: TokenStore
    pairing: Pairing
    clock: Clock = field(default_factory=Clock)
    limits: Limits = field(default_factory=Limits)
    fingerprint: str = ""  # of the certificate, for people to compare
    ingress: Ingress | None = None  # where Home Assistant shows the page
    sockets: Sockets = field(default_factory=Sockets)
    copying: asyncio.Lock = field(default_factory=asyncio.Lock)  # one backup at a time
    worker: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="fwid-api")
    )

    async def call(self, ask: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Ask the agent in the thread that is there for it; see `contract`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.worker, lambda: ask(*args, **kwargs))

    def verify(self, request: web.Request) -> Token | None:
        """Return the token that a request shows, None where it shows none that is valid."""
        if self.came_by_ingress(request):
            return VISITOR if _is_own(request) else None
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            secret = _page_secret(request)
        if not secret:
            return None
        return self.tokens.verify(secret.strip(), self.clock.wall_ns())

    def came_by_ingress(self, request: web.Request) -> bool:
        """Say whether it is Home Assistant that has looked who asks."""
        return self.ingress is not None and self.ingress.admits(request)


def _page_secret(request: web.Request) -> str:
    """The token in the page's cookie, "" where the request may not be one of the page's own."""
    secret = request.cookies.get(SESSION_COOKIE, "")
    if request.headers.get("Upgrade", "").lower() == "websocket":
        # Browsers let any page open a WebSocket, and say honestly which page it is.
        origin = request.headers.get("Origin", "").partition("://")[2]
        return secret if origin and origin == request.headers.get("Host") else ""
    return secret if _is_own(request) else ""


def _is_own(request: web.Request) -> bool:
    """Say whether a request that changes anything is one of the page's own."""
    return request.method == "GET" or PAGE_HEADER in request.headers


CONTEXT = web.AppKey("fwid_context", Context)

"""The application and the server: everything put together."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from fwid_agent.api.context import CONTEXT, Clock, Context, Ending, Limits
from fwid_agent.api.contract import AgentApi
from fwid_agent.api.guard import add_headers, guard
from fwid_agent.api.handlers import HANDLERS
from fwid_agent.api.listener import Listener
from fwid_agent.api.pairing import Pairing
from fwid_agent.api.routes import PREFIX, ROUTES
from fwid_agent.api.session import PAGE_ROUTES
from fwid_agent.api.tokens import TokenStore
from fwid_agent.api.websocket import stream

DEFAULT_PORT = 8127
_STOP_S = 1.5
_REVOKED = Ending(1008, "the token was revoked")
_STOPPING = Ending(1001, "the agent stops")
# What aiohttp logs of broken requests holds addresses and parts of what was sent.
_silent = logging.getLogger("fwid.http")
_silent.setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a server listens."""

    port: int


def make_app(
    agent: AgentApi,
    tokens: TokenStore,
    pairing: Pairing,
    *,
    clock: Clock | None = None,
    limits: Limits | None = None,
) -> web.Application:
    """Make the application that answers for an agent."""
    limits = limits or Limits()
    context = Context(agent, tokens, pairing, clock or Clock(), limits)
    app = web.Application(middlewares=[guard], client_max_size=limits.body_bytes)
    app[CONTEXT] = context
    for route in ROUTES:
        handler = stream if route.name == "stream" else HANDLERS[route.name]
        app.router.add_route(route.method, PREFIX + route.path, handler, name=route.name)
    for name, (method, path, page_handler) in PAGE_ROUTES.items():
        app.router.add_route(method, path, page_handler, name=name)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_sockets)
    app.cleanup_ctx.append(_run_context)
    return app


@asynccontextmanager
async def start_server(
    app: web.Application, host: str | None, port: int, ssl_context: ssl.SSLContext
) -> AsyncIterator[Listening]:
    """Listen while the context is open; `host` None: everywhere, `port` 0: any that is free.

    Raises:
        UsageError: nothing can listen there.

    """
    # Compressed bodies are not unpacked: a few bytes would become any number of them.
    runner = web.AppRunner(
        app, access_log=None, logger=_silent, shutdown_timeout=_STOP_S, auto_decompress=False
    )
    await runner.setup()
    try:
        server = runner.server
        assert server is not None  # set up just now
        listener = Listener(server, host, port, ssl_context)
        try:
            yield Listening(listener.port)
        finally:
            await listener.close()
    finally:
        await runner.cleanup()


async def _end_sockets(app: web.Application) -> None:
    app[CONTEXT].sockets.end(_STOPPING)


async def _run_context(app: web.Application) -> AsyncIterator[None]:
    context = app[CONTEXT]
    forget = context.tokens.on_revoked(lambda token: context.sockets.end(_REVOKED, token))
    yield
    forget()
    context.worker.shutdown(wait=False, cancel_futures=True)

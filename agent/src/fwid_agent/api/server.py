"""The application and the server: everything put together."""

import asyncio
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
from fwid_agent.api.pairing import Pairing
from fwid_agent.api.routes import PREFIX, ROUTES
from fwid_agent.api.tokens import TokenStore
from fwid_agent.api.websocket import stream
from fwid_agent.errors import UsageError

DEFAULT_PORT = 8127
_MOST_CONNECTIONS = 128  # each is a file that the store cannot open any more
_TLS_S = 10.0
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

        def accept() -> asyncio.BaseProtocol:
            return _Refuse() if len(server.connections) >= _MOST_CONNECTIONS else server()

        try:
            listener = await asyncio.get_running_loop().create_server(
                accept,
                host,
                port,
                ssl=ssl_context,
                ssl_handshake_timeout=_TLS_S,
                ssl_shutdown_timeout=_TLS_S,
            )
        except OSError as error:
            raise UsageError(f"port {port}: {error.strerror or error}") from error
        try:
            yield Listening(listener.sockets[0].getsockname()[1])
        finally:
            listener.close()
    finally:
        await runner.cleanup()


class _Refuse(asyncio.Protocol):
    """Hangs up: there are as many connections as there may be."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hang up at once."""
        transport.close()


async def _end_sockets(app: web.Application) -> None:
    app[CONTEXT].sockets.end(_STOPPING)


async def _run_context(app: web.Application) -> AsyncIterator[None]:
    context = app[CONTEXT]
    forget = context.tokens.on_revoked(lambda token: context.sockets.end(_REVOKED, token))
    yield
    forget()
    context.worker.shutdown(wait=False, cancel_futures=True)

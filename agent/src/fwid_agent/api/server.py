"""The application and the server: everything put together."""

import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from fwid_agent.api.context import CONTEXT, Context, Ending
from fwid_agent.api.guard import add_headers, guard
from fwid_agent.api.handlers import HANDLERS
from fwid_agent.api.listener import Door, Listener
from fwid_agent.api.routes import PREFIX, ROUTES
from fwid_agent.api.session import PAGE_ROUTES
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


def make_app(context: Context) -> web.Application:
    """Make the application that answers for an agent."""
    app = web.Application(middlewares=[guard], client_max_size=context.limits.body_bytes)
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
    doors = [Door(host, port, ssl_context)]
    if (ingress := app[CONTEXT].ingress) is not None:
        doors.append(Door(ingress.host, ingress.port, None, only=ingress.visitor))
    async with AsyncExitStack() as stack:
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        server = runner.server
        assert server is not None  # set up just now
        listeners = []
        for door in doors:
            listeners.append(Listener(server, door))
            stack.push_async_callback(listeners[-1].close)
        yield Listening(listeners[0].port)


async def _end_sockets(app: web.Application) -> None:
    app[CONTEXT].sockets.end(_STOPPING)


async def _run_context(app: web.Application) -> AsyncIterator[None]:
    context = app[CONTEXT]
    forget = context.tokens.on_revoked(lambda token: context.sockets.end(_REVOKED, token))
    yield
    forget()
    context.worker.shutdown(wait=False, cancel_futures=True)

"""Listening with bounds: a connection is a file, and the store needs files too.

A connection counts from the moment that it is accepted, so that one which never speaks TLS counts
as well. No address can take all places.
"""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from aiohttp import web

from fwid_agent.errors import UsageError

MOST_CONNECTIONS = 128
MOST_OF_ADDRESS = 32
_TLS_S = 10.0
_BACKLOG = 64
_PAUSE_S = 0.5
_EVERYWHERE = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))  # noqa: S104


@dataclass(frozen=True, slots=True)
class Door:
    """Where connections are accepted, and whose."""

    host: str | None  # None: all addresses of this machine
    port: int  # 0: any that is free
    context: ssl.SSLContext | None  # None: without TLS
    only: str | None = None  # the one address that is let in


class Listener:
    """Accepts connections for a server of aiohttp until it is closed."""

    def __init__(self, server: web.Server, door: Door) -> None:
        """Listen; raises UsageError."""
        self._server = server
        self._door = door
        self._greeting: dict[asyncio.Task[None], str] = {}  # address of each
        self._connected: dict[asyncio.BaseProtocol, str] = {}
        self._sockets = _open(door.host, door.port)
        self.port: int = self._sockets[0].getsockname()[1]
        self._accepting = [asyncio.create_task(self._accept(one)) for one in self._sockets]

    async def close(self) -> None:
        """Accept no more; connections that speak TLS already are the server's."""
        tasks = (*self._accepting, *self._greeting)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for one in self._sockets:
            one.close()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, name = await loop.sock_accept(listening)
            except OSError:  # no files left, or the client is gone already
                await asyncio.sleep(_PAUSE_S)
                continue
            address = str(name[0])
            if not self._admits(address):
                accepted.close()
                continue
            task = asyncio.create_task(self._greet(accepted, address))
            self._greeting[task] = address
            task.add_done_callback(self._greeting.pop)

    async def _greet(self, accepted: socket.socket, address: str) -> None:
        """Bring a connection to speak TLS where it has to, and hand it over to the server."""
        accepted.setblocking(False)
        limit_s = None if self._door.context is None else _TLS_S
        try:
            _, connection = await asyncio.get_running_loop().connect_accepted_socket(
                self._server,
                accepted,
                ssl=self._door.context,
                ssl_handshake_timeout=limit_s,
                ssl_shutdown_timeout=limit_s,
            )
        except (OSError, asyncio.CancelledError):
            accepted.close()
        else:
            self._connected[connection] = address

    def _admits(self, address: str) -> bool:
        if self._door.only not in (None, address):
            return False
        places = self._taken()
        return len(places) < MOST_CONNECTIONS and places.count(address) < MOST_OF_ADDRESS

    def _taken(self) -> list[str]:
        """Return the address of each connection that there is."""
        # A transport that is being closed does not know its address any more: it is kept here.
        live = set(self._server.connections)
        self._connected = {one: name for one, name in self._connected.items() if one in live}
        return [*self._greeting.values(), *self._connected.values()]


def _open(host: str | None, port: int) -> list[socket.socket]:
    opened: list[socket.socket] = []
    try:
        for family, address in _addresses_of(host, port):
            # Where any port will do, it is the same on all addresses.
            chosen = port or (opened[0].getsockname()[1] if opened else 0)
            one = socket.create_server((address, chosen), family=family, backlog=_BACKLOG)
            one.setblocking(False)
            opened.append(one)
    except OSError as error:
        for one in opened:
            one.close()
        reason = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            reason = f"{os.strerror(errno.EADDRINUSE)}; name another one with --port"
        raise UsageError(f"port {port}: {reason}") from error
    return opened


def _addresses_of(host: str | None, port: int) -> Iterator[tuple[int, str]]:
    if host is None:
        # One socket for each: on one for both, addresses would come in another form.
        yield from (_EVERYWHERE if socket.has_ipv6 and _speaks_ipv6() else _EVERYWHERE[:1])
        return
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    yield from dict.fromkeys((int(family), str(name[0])) for family, *_, name in found)


def _speaks_ipv6() -> bool:
    """Python may know IPv6 where the kernel was told not to."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True

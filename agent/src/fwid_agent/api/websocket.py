"""The WebSocket: events that a client missed, then each as it happens; none lost, none twice.

Live events are queued from before the stored ones are read, so none falls between. A client that
does not read is dropped when its queue is full: it resumes from the last event that it has seen.
"""

import asyncio
import logging
from contextlib import suppress

import msgspec
from aiohttp import WSMsgType, web

from fwid_agent.api import messages, requests
from fwid_agent.api.answers import RefusedError
from fwid_agent.api.context import CONTEXT, Context, Ending
from fwid_agent.errors import FwidError
from fwid_agent.events_json import encode_event
from fwid_agent.types import Event

_log = logging.getLogger("fwid")
_PAGE = 200
_MESSAGE_BYTES = 1024  # a client has very little to say
_SLOW = Ending(1013, "too slow: resume after the last event", polite=False)
_LEFT = Ending(1000, "")


async def stream(request: web.Request) -> web.StreamResponse:
    """Send events until the client leaves or the agent has a reason to end it."""
    context = request.app[CONTEXT]
    socket = web.WebSocketResponse(
        heartbeat=context.limits.heartbeat_s,
        timeout=context.limits.close_s,
        max_msg_size=_MESSAGE_BYTES,
        compress=False,
    )
    if not socket.can_prepare(request):
        raise RefusedError(426, "this is a WebSocket")
    if len(context.sockets) >= context.limits.sockets:
        raise RefusedError(503, "too many WebSockets are open")
    token = context.verify(request)
    if token is None:
        raise RefusedError(401, "a valid token is needed")
    # Held from the moment that the token was looked at: no revocation comes in between.
    with context.sockets.hold(token.id) as ending:
        await socket.prepare(request)
        work = asyncio.create_task(_serve(socket, context, ending))
        try:
            await asyncio.wait((work, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()
            await asyncio.wait((work,))
        why = ending.result() if ending.done() else work.result()
        await _close(request, socket, why, context.limits.close_s)
    return socket


async def _serve(
    socket: web.WebSocketResponse, context: Context, ending: asyncio.Future[Ending]
) -> Ending:
    """Serve one client; returns why it is over."""
    try:
        after = await _read_resume(socket, context.limits.resume_s)
    except RefusedError as error:
        return Ending(error.status, str(error))
    if after is None:
        return _LEFT
    waiting: asyncio.Queue[Event | messages.Notice] = asyncio.Queue(context.limits.waiting_events)

    def put(event: Event | messages.Notice) -> None:
        try:
            waiting.put_nowait(event)
        except asyncio.QueueFull:
            if not ending.done():
                ending.set_result(_SLOW)

    unsubscribe = context.agent.subscribe(put)
    sender = asyncio.create_task(_Sender(socket, context, ending).run(after, waiting))
    reader = asyncio.create_task(socket.receive())
    try:
        await asyncio.wait((sender, reader), return_when=asyncio.FIRST_COMPLETED)
        if reader.done() and reader.result().type in (WSMsgType.TEXT, WSMsgType.BINARY):
            return Ending(1008, "nothing is expected after the first message")
        return sender.result() if sender.done() else _LEFT
    finally:
        unsubscribe()
        sender.cancel()
        reader.cancel()
        await asyncio.wait((sender, reader))


async def _read_resume(socket: web.WebSocketResponse, patience_s: float) -> int | None:
    """Read the first message; None where the client leaves instead."""
    try:
        async with asyncio.timeout(patience_s):
            message = await socket.receive()
    except TimeoutError as error:
        raise RefusedError(1008, "the first message does not come") from error
    if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
        return None
    try:
        return msgspec.json.decode(message.data, type=requests.Resume).after
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(1008, 'the first message has to be {"after": seq}') from error


class _Sender:
    """Brings one client up to date and keeps it so."""

    def __init__(
        self, socket: web.WebSocketResponse, context: Context, ending: asyncio.Future[Ending]
    ) -> None:
        self._socket = socket
        self._context = context
        self._ending = ending

    async def run(self, after: int, waiting: asyncio.Queue[Event | messages.Notice]) -> Ending:
        """Send what is stored after `after`, then what comes; returns why it cannot go on."""
        try:
            last = await self._catch_up(after)
            while True:
                event = await waiting.get()
                if not isinstance(event, Event):
                    await self._send(msgspec.json.encode(event))
                elif event.seq > last:
                    await self._send(encode_event(event))
                    last = event.seq
        except ConnectionError:
            return _LEFT
        except FwidError as error:
            _log.warning("api: %s", error)
            return Ending(1011, "events cannot be read now")

    async def _catch_up(self, last: int) -> int:
        """Send what is stored; returns the last `seq` that the client has."""
        while True:
            page = await self._context.call(self._context.agent.events, last, _PAGE)
            if page.gap:
                await self._send(msgspec.json.encode(messages.Gap(last_seq=page.last_seq)))
            for event in page.events:
                await self._send(encode_event(event))
                last = event.seq
            if not page.events:
                # Of another store, a client may ask for what comes after events yet to happen.
                return page.last_seq if page.gap else last

    async def _send(self, data: bytes) -> None:
        # A revoked token gets nothing more, not even what is on its way.
        if self._ending.done():
            raise ConnectionError
        await self._socket.send_str(data.decode())


async def _close(
    request: web.Request, socket: web.WebSocketResponse, why: Ending, patience_s: float
) -> None:
    with suppress(TimeoutError, ConnectionError):
        if why.polite:
            async with asyncio.timeout(patience_s):
                await socket.close(code=why.status, message=why.text.encode(), drain=False)
            return
    if request.transport is not None:
        request.transport.abort()  # with whatever its client left in the buffers

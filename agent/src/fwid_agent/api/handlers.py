"""The handlers of all routes but the WebSocket, each named as its route."""

import asyncio
import re
from collections.abc import Callable
from typing import TypeVar, get_args

import msgspec
from aiohttp import web

from fwid_agent.api import messages, requests, values
from fwid_agent.api.answers import RefusedError, answer, convert, nanoseconds
from fwid_agent.api.context import CONTEXT
from fwid_agent.api.contract import AgentApi, Record, Which
from fwid_agent.api.guard import Handler
from fwid_agent.api.metrics import write_metrics
from fwid_agent.api.openapi import make_document
from fwid_agent.api.pairing import Outcome
from fwid_agent.api.routes import PNG, TEXT
from fwid_agent.errors import UsageError
from fwid_agent.types import parse_mac

_T = TypeVar("_T", bound=msgspec.Struct)
_R = TypeVar("_R")
_IMAGES: dict[str, Which] = {which: which for which in get_args(Which)}
_NOT_PAIRED = {
    Outcome.WRONG: (403, "wrong or expired code"),
    Outcome.LOCKED: (423, "too many wrong codes: make a new one with `fwid pair`"),
    Outcome.TOO_OFTEN: (429, "too many tries: wait a minute"),
}


async def info(request: web.Request) -> web.Response:
    """Who the agent is."""
    context = request.app[CONTEXT]
    return answer(convert(await context.call(context.agent.info), messages.Info))


async def openapi(request: web.Request) -> web.Response:
    """Serve the document."""
    context = request.app[CONTEXT]
    about = convert(await context.call(context.agent.info), messages.Info)
    return web.json_response(make_document(about.version))


async def devices(request: web.Request) -> web.Response:
    """All devices."""
    context = request.app[CONTEXT]
    records = await context.call(context.agent.devices)
    return answer(convert({"devices": records}, messages.Devices))


async def device(request: web.Request) -> web.Response:
    """One device."""
    return await _answer_device(request, _read_mac(request))


async def history(request: web.Request) -> web.Response:
    """What was decided of a device."""
    context, mac = request.app[CONTEXT], _read_mac(request)
    since_ns = _read_since(request)
    rows = await _ask(request, mac, lambda: context.agent.history(mac, since_ns))
    return answer(convert({"history": rows}, messages.History))


async def contacts(request: web.Request) -> web.Response:
    """How chatty a device is."""
    context, mac = request.app[CONTEXT], _read_mac(request)
    since_ns = _read_since(request)
    rows = await _ask(request, mac, lambda: context.agent.contacts(mac, since_ns))
    return answer(convert({"contacts": rows}, messages.Contacts))


async def image(request: web.Request) -> web.Response:
    """A fingerprint image."""
    context, mac = request.app[CONTEXT], _read_mac(request)
    which = _IMAGES.get(request.match_info["which"])
    if which is None:
        raise RefusedError(404, f"an image is one of {', '.join(_IMAGES)}")
    png = await _ask(request, mac, lambda: context.agent.image(mac, which))
    if png is None:
        raise RefusedError(404, "no such image yet")
    return web.Response(body=png, content_type=PNG)


async def retrain(request: web.Request) -> web.Response:
    """Start to train the model that identifies devices."""
    return await _steer_model(request, request.app[CONTEXT].agent.retrain)


async def roll_back_identifier(request: web.Request) -> web.Response:
    """Identify devices by the model before again."""
    return await _steer_model(request, request.app[CONTEXT].agent.roll_back_identifier)


async def events(request: web.Request) -> web.Response:
    """Give a page of stored events."""
    context, query = request.app[CONTEXT], _read_query(request, requests.EventsQuery)
    page = await context.call(context.agent.events, query.after, query.limit, query.device)
    texts = tuple(tuple(context.agent.reason_texts(event)) for event in page.events)
    return answer(
        messages.Events(
            events=tuple(page.events), reason_texts=texts, gap=page.gap, last_seq=page.last_seq
        )
    )


async def metrics(request: web.Request) -> web.Response:
    """Figures in Prometheus' text format."""
    context = request.app[CONTEXT]
    response = web.Response(text=write_metrics(await context.call(context.agent.metrics)))
    response.headers["Content-Type"] = f"{TEXT}; version=0.0.4; charset=utf-8"
    return response


async def health(request: web.Request) -> web.Response:
    """That the API answers, and more for those with a token."""
    context = request.app[CONTEXT]
    if context.verify(request) is None:
        return answer(messages.Health())
    about = convert(await context.call(context.agent.info), messages.Info)
    return answer(messages.Health(details=about.capture))


async def ready(request: web.Request) -> web.Response:
    """Whether packets are captured and judged."""
    is_ready = request.app[CONTEXT].agent.ready()
    return answer(messages.Ready(ready=is_ready), 200 if is_ready else 503)


async def pair(request: web.Request) -> web.Response:
    """Exchange a code for a token."""
    asked = await read_body(request, requests.PairRequest)
    return answer(messages.Paired(token=admit_code(request, asked.code, asked.name)))


async def forget_token(request: web.Request) -> web.Response:
    """Revoke the token that is shown: a client that is removed leaves nothing behind."""
    context = request.app[CONTEXT]
    token = context.verify(request)
    if token is not None:  # else the guard has refused already
        context.tokens.revoke(token.id)
    return web.Response(status=204)


def admit_code(request: web.Request, code: str, name: str, *, session: bool = False) -> str:
    """Return a new token for whoever shows the code; raises RefusedError."""
    context = request.app[CONTEXT]
    # The peer's address as the kernel knows it: headers say what a client wants them to.
    outcome = context.pairing.try_code(code, request.remote or "", context.clock.steady_ns())
    if outcome is not Outcome.PAIRED:
        raise RefusedError(*_NOT_PAIRED[outcome])
    return context.tokens.add(name, context.clock.wall_ns(), session=session)


def _action(body: type[_T], act: Callable[[AgentApi, int, _T], None]) -> Handler:
    """Make the handler of an action; it answers with the device as it is then."""

    async def handle(request: web.Request) -> web.Response:
        agent, mac = request.app[CONTEXT].agent, _read_mac(request)
        asked = await read_body(request, body)
        await _ask(request, mac, lambda: act(agent, mac, asked))
        return await _answer_device(request, mac)

    return handle


def _mute(agent: AgentApi, mac: int, asked: requests.Mute) -> None:
    agent.mute(mac, None if asked.until is None else nanoseconds(asked.until))


def _set_kind(agent: AgentApi, mac: int, asked: requests.SetKind) -> None:
    if asked.label is None and asked.category is not None:
        raise UsageError("a category needs a label")
    agent.set_kind(mac, asked.label, asked.category, asked.source)


def _expect_update(agent: AgentApi, mac: int, asked: requests.ExpectUpdate) -> None:
    agent.expect_update(mac, nanoseconds(asked.until))


def _label(agent: AgentApi, mac: int, asked: requests.Label) -> None:
    agent.label(mac, asked.version, asked.label)


def _name(agent: AgentApi, mac: int, asked: requests.NameDevice) -> None:
    agent.name(mac, asked.name)


HANDLERS: dict[str, Handler] = {
    "info": info,
    "openapi": openapi,
    "devices": devices,
    "device": device,
    "history": history,
    "contacts": contacts,
    "image": image,
    "enrol": _action(requests.Nothing, lambda agent, mac, _: agent.enrol(mac)),
    "accept": _action(requests.Nothing, lambda agent, mac, _: agent.accept(mac)),
    "relearn": _action(requests.Nothing, lambda agent, mac, _: agent.relearn(mac)),
    "mute": _action(requests.Mute, _mute),
    "wrong_alarm": _action(
        requests.WrongAlarm, lambda agent, mac, asked: agent.wrong_alarm(mac, asked.event)
    ),
    "label": _action(requests.Label, _label),
    "name": _action(requests.NameDevice, _name),
    "set_kind": _action(requests.SetKind, _set_kind),
    "expect_update": _action(requests.ExpectUpdate, _expect_update),
    "retrain": retrain,
    "roll_back_identifier": roll_back_identifier,
    "events": events,
    "metrics": metrics,
    "health": health,
    "ready": ready,
    "pair": pair,
    "forget_token": forget_token,
}


async def _answer_device(request: web.Request, mac: int) -> web.Response:
    context = request.app[CONTEXT]
    record = await context.call(context.agent.device, mac)
    if record is None:
        raise RefusedError(404, "no such device")
    return answer(convert(record, messages.Device))


async def _steer_model(request: web.Request, ask: Callable[[], Record]) -> web.Response:
    await read_body(request, requests.Nothing)
    try:
        record = await request.app[CONTEXT].call(ask)
    except UsageError as error:
        raise RefusedError(409, str(error)) from error
    return answer(convert(record, messages.Identification))


async def _ask(request: web.Request, mac: int, ask: Callable[[], _R]) -> _R:
    """Ask about a device; one that is not there is another error than a wrong question."""
    context = request.app[CONTEXT]
    try:
        return await context.call(ask)
    except UsageError as error:
        known = await context.call(context.agent.device, mac)
        raise RefusedError(404 if known is None else 409, str(error)) from error


def _read_mac(request: web.Request) -> int:
    text = request.match_info["mac"]
    if not re.fullmatch(values.MAC_PATTERN, text):
        raise RefusedError(400, "a device is named by its MAC, in lower case with colons")
    return parse_mac(text)


def _read_since(request: web.Request) -> int:
    since = _read_query(request, requests.SinceQuery).since
    return 0 if since is None else nanoseconds(since)


def _read_query(request: web.Request, query: type[_T]) -> _T:
    values: dict[str, str | int] = {}
    for name, text in request.query.items():
        if name in values:
            raise RefusedError(400, "a parameter is there twice")
        is_count = re.fullmatch("[0-9]{1,19}", text) is not None
        values[name] = int(text) if is_count else text
    try:
        return msgspec.convert(values, query)
    except msgspec.ValidationError as error:
        raise RefusedError(400, str(error)) from error


async def read_body(request: web.Request, body: type[_T]) -> _T:
    """Read a request's body; raises RefusedError where it is none of these."""
    try:
        async with asyncio.timeout(request.app[CONTEXT].limits.body_s):
            data = await request.read()
    except TimeoutError as error:
        raise RefusedError(408, "the body does not come") from error
    if not data and body is requests.Nothing:
        data = b"{}"
    elif request.content_type != "application/json":
        # Forms of other sites cannot send this type without asking first.
        raise RefusedError(415, "the body has to be application/json")
    try:
        return msgspec.json.decode(data, type=body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError(400, str(error)) from error

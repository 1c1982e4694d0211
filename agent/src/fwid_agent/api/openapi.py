"""The OpenAPI 3.1 document, made from the table of routes and the messages."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from fwid_agent.api import messages, requests, values
from fwid_agent.api.contract import Which
from fwid_agent.api.routes import PREFIX, ROUTES, Message, Route
from fwid_agent.events_json import event_schema

_REF = "#/components/schemas/{name}"
_EVERY = {400: "the request makes no sense", 500: "a fault of the agent"}
_TOKEN = {401: "no valid token"}
_BODY = {408: "the body does not come", 413: "the body is too large", 415: "the body is not JSON"}
_DEVICE = {
    404: "no such device, or nothing of it yet",
    409: "what is asked does not fit the device, such as a version that it never had",
}
_STORE = {503: "the agent cannot do that now"}
# On the WebSocket only.
_EXTRA: tuple[Message, ...] = (
    messages.Error, requests.Resume, messages.Gap, *get_args(messages.Notice),
)  # fmt: skip
_PATHS: dict[str, dict[str, Any]] = {
    "mac": {"type": "string", "pattern": values.MAC_PATTERN},
    "which": {"type": "string", "enum": list(get_args(Which))},
}


def make_document(version: str) -> dict[str, Any]:
    """Make the whole document; `version` is the agent's."""
    schemas = _make_schemas()
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _describe(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "fwid agent", "version": version, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _messages() -> Iterator[Message]:
    yield from _EXTRA
    for route in ROUTES:
        for message in (route.body, route.query, route.answer):
            if isinstance(message, type):
                yield message


def _make_schemas() -> dict[str, Any]:
    named = tuple(dict.fromkeys(_messages()))
    schemas: dict[str, Any]
    _, schemas = msgspec.json.schema_components(named, ref_template=_REF)
    schemas = _refer(schemas)
    # What the type of an event does not say stands in its own schema.
    event = event_schema()["$defs"]["Event"]["properties"]
    schemas["Event"]["properties"] = _refer(event)
    return schemas


def _refer(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Make it plain JSON, with the references of a JSON Schema into this document."""
    if isinstance(value, dict):
        return {key: _refer(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_refer(item) for item in value]
    return value.replace("#/$defs/", _REF.format(name="")) if isinstance(value, str) else value


def _describe(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": _responses(route),
    }
    parameters = list(_parameters(route, schemas))
    if parameters:
        described["parameters"] = parameters
    if route.body:
        described["requestBody"] = {
            "required": bool(schemas[route.body.__name__].get("required")),
            "content": {"application/json": {"schema": _ref(route.body)}},
        }
    if route.is_open:
        described["security"] = [{}, {"token": []}]
    return described


def _parameters(route: Route, schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": _PATHS[name]}
    if route.query:
        for name, schema in schemas[route.query.__name__]["properties"].items():
            kept = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
            said = kept[0] if kept else schema  # a query has no null: it is left out
            yield {"name": name, "in": "query", "required": False, "schema": said}


def _responses(route: Route) -> dict[str, Any]:
    errors = dict(_EVERY)
    for applies, more in (
        (not route.is_open, _TOKEN),
        (route.body, _BODY),
        (route.of_device, _DEVICE),
        (not route.is_open or route.body, _STORE),
        (route.errors, route.errors or {}),
    ):
        if applies:
            errors |= more
    responses: dict[str, Any] = {}
    if route.answer == "websocket":
        responses["101"] = {"description": route.summary}
    elif route.answer is None:
        responses["204"] = {"description": route.summary}
    elif isinstance(route.answer, str):
        responses["200"] = {"description": route.summary, "content": {route.answer: {}}}
    else:
        responses["200"] = _answer(route.summary, route.answer)
    for status, text in sorted(errors.items()):
        responses[str(status)] = _answer(text, messages.Error)
    if route.name == "ready":
        responses["503"] = _answer("not ready", messages.Ready)
    return responses


def _answer(text: str, message: Message) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": _ref(message)}}}


def _ref(message: Message) -> dict[str, str]:
    return {"$ref": _REF.format(name=message.__name__)}

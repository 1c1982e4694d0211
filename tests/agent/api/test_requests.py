"""Every route answers as the document says, and nothing that is sent does harm."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import schemathesis
from fwid_agent.api.context import Context
from fwid_agent.api.openapi import make_document
from fwid_agent.api.routes import PREFIX, ROUTES
from fwid_agent.api.server import make_app
from fwid_agent.api.session import PAGE_ROUTES
from fwid_agent.errors import StoreError
from fwid_agent.types import parse_time
from hypothesis import HealthCheck, assume, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

MAC = "90:8d:78:a8:e1:43"
PLUG = 0x908D78A8E143
EVENT_ID = "00000000-0000-0000-0000-000000000001"
PNG = b"\x89PNG\r\n\x1a\n"
STRANGER = "00:00:00:00:00:01"
DOCUMENT = make_document("0.1.0")
BODIES = {
    "mute": {"until": "2026-01-01T00:00:00Z"},
    "wrong_alarm": {"event": EVENT_ID},
    "label": {"version": 1, "label": "1.7.5"},
    "name": {"name": "Kitchen plug"},
    "set_kind": {"label": "Philips Hue bridge", "category": "Hub"},
    "expect_update": {"until": "2026-01-01T01:00:00+01:00"},
}
YEAR_NS = parse_time("2026-01-01T00:00:00Z")


def path_of(route: Any, mac: str = MAC) -> str:
    return str(route.path).format(mac=mac, which="before")


def check(status: int, said: Any, route: Any) -> None:
    """Hold an answer against the document."""
    described = DOCUMENT["paths"][route.path][route.method.lower()]["responses"]
    assert str(status) in described, (route.name, status)
    for content in described[str(status)].get("content", {}).values():
        if "schema" in content:
            schema = {**content["schema"], "components": DOCUMENT["components"]}
            jsonschema.Draft202012Validator(schema).validate(said)


def test_the_document_and_the_server_have_the_same_routes(serve: Any) -> None:
    """Nothing is answered that is not documented, and the document is served as it is."""

    async def test(home: Any) -> None:
        app = make_app(Context(home.agent, home.tokens, home.pairing))
        served = {
            (route.method.lower(), (route.resource.canonical if route.resource else ""))
            for route in app.router.routes()
            if route.name not in PAGE_ROUTES  # they are for browsers
        }
        documented = {
            (method, PREFIX + path)
            for path, methods in DOCUMENT["paths"].items()
            for method in methods
        }
        assert served == documented
        assert (await home.ask("GET", "/openapi.json"))[1] == DOCUMENT

    serve(test)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.name != "stream"], ids=lambda route: route.name
)
def test_each_route_answers_as_documented(serve: Any, route: Any) -> None:
    """With a good request, of a stranger, and with a body that is none."""

    async def test(home: Any) -> None:
        body = BODIES.get(route.name, {})
        if route.name == "pair":
            body = {"code": home.pairing.new_code(home.time.now_ns), "name": "x"}
        more = {"json": body} if route.body else {}
        status, said, _ = await home.ask(route.method, path_of(route), **more)
        assert status == (200 if route.answer else 204)
        check(status, said, route)
        if route.of_device:
            status, said, _ = await home.ask(route.method, path_of(route, STRANGER), **more)
            assert status == 404
            check(status, said, route)
        if route.body:
            status, said, _ = await home.ask(route.method, path_of(route), json=[1])
            assert status == 400
            check(status, said, route)

    serve(test)


def test_the_document_is_valid() -> None:
    """Schemas hold to their draft, references lead somewhere, operations are told apart."""
    text = json.dumps(DOCUMENT)
    schemas = DOCUMENT["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(json.loads(json.dumps(schema)))
    for reference in text.split('"$ref": "')[1:]:
        assert reference.partition('"')[0].removeprefix("#/components/schemas/") in schemas
    names = [
        operation["operationId"]
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names)) == len(ROUTES)


def cases() -> Iterator[Any]:
    """Every operation with right requests, and with wrong ones where there are any."""
    right, wrong = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
    # Requests without a token have tests of their own; here each has one.
    paths = {
        path: {
            method: {key: value for key, value in described.items() if key != "security"}
            for method, described in methods.items()
        }
        for path, methods in DOCUMENT["paths"].items()
    }
    document = {key: value for key, value in DOCUMENT.items() if key != "security"}
    for result in schemathesis.openapi.from_dict({**document, "paths": paths}).get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if operation.path != "/events/ws":  # has tests of its own
            yield pytest.param(operation, right, id=f"{operation.label}, right")
            if operation.body or operation.query or operation.path_parameters:
                yield pytest.param(operation, wrong, id=f"{operation.label}, wrong")


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "mode"), list(cases()))
def test_any_request_is_answered_as_documented(background: Any, operation: Any, mode: Any) -> None:
    """Made-up requests, right and wrong: no fault, no answer that is not documented."""
    headers = {"Authorization": f"Bearer {background.token}"}
    # To JSON Schema 1.0 is an integer, to a strict reader it is none.
    excluded = [positive_data_acceptance] if operation.path.endswith("/label") else []

    # The same requests each time: what is found here is found again.
    @settings(
        max_examples=20,
        suppress_health_check=list(HealthCheck),
        deadline=None,
        derandomize=True,
        database=None,
    )
    @given(operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        # An empty list is sent as nothing at all, and nothing is wrong with nothing.
        assume(all(value not in ([], {}, None) for value in dict(case.query or {}).values()))
        case.call_and_validate(
            base_url=background.url,
            headers=headers,
            verify=str(background.certificate),
            excluded_checks=excluded,
        )

    run()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("mute", {"until": "2026-01-01T00:00:00"}),  # of which place?
        ("mute", {}),
        ("mute", {"until": 5}),
        ("mute", {"untill": None}),
        ("accept", {"version": 2}),
        ("label", {"version": 0, "label": "x"}),
        ("label", {"version": 1, "label": ""}),
        ("label", {"version": 1, "label": "x" * 65}),
        ("label", {"version": 1, "label": "a\nb"}),
        ("label", {"version": 1, "label": "\u001b[31mred"}),
        ("label", {"version": 1, "label": "\u202egnp.exe"}),  # written from right to left
        ("label", {"version": 1, "label": "x", "more": 1}),
        ("name", {"name": ""}),
        ("name", {"name": "a\u0000b"}),
        ("name", {}),
        ("kind", {}),
        ("kind", {"label": "a\u0000b"}),
        ("kind", {"label": "x", "category": "Weapons"}),
        ("kind", {"label": "x", "source": "the device itself"}),
        ("wrong-alarm", {"event": "../../etc/passwd"}),
        ("expect-update", {}),
        ("expect-update", {"until": None}),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_one_line(
    serve: Any, path: str, body: Any
) -> None:
    """The agent is not even asked."""

    async def test(home: Any) -> None:
        status, said, _ = await home.ask("POST", f"/devices/{MAC}/{path}", json=body)
        assert (status, list(said)) == (400, ["error"])
        assert "\n" not in said["error"]
        assert home.agent.told == []

    serve(test)


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"null", "application/json", 400),
        (b"[" * 16_000, "application/json", 400),
        (b" " * 16_383, "application/json", 400),
        (b" " * 16_385, "application/json", 413),
        (b'{"until": "' + b"x" * 10**6 + b'"}', "application/json", 413),
        (b"{}", "text/plain", 415),
        (b"until=1", "application/x-www-form-urlencoded", 415),
        (b"", "", 415),
    ],
)
def test_bodies_that_are_none(serve: Any, data: bytes, kind: str, status: int) -> None:
    """Too large, broken, of another type: one line, and the next request is answered."""

    async def test(home: Any) -> None:
        headers = {"Content-Type": kind}
        path = f"/devices/{MAC}/mute"
        got, said, _ = await home.ask("POST", path, data=data, headers=headers)
        assert (got, list(said)) == (status, ["error"])
        assert home.agent.told == []
        assert (await home.ask("GET", "/info"))[0] == 200

    serve(test)


def test_a_body_without_end_or_of_no_size_is_refused(serve: Any) -> None:
    """Chunks without a length in front, a packed body, and one that never comes."""
    serve.limit(body_s=0.1)

    async def test(home: Any) -> None:
        async def chunks(wait: bool) -> Any:
            for _ in range(64):
                yield b" " * 1024
            if wait:
                await asyncio.sleep(60)

        async def little() -> Any:
            yield b"{"
            await asyncio.sleep(60)

        path = f"/devices/{MAC}/mute"
        kind = {"Content-Type": "application/json"}
        assert (await home.ask("POST", path, data=chunks(False), headers=kind))[0] == 413
        assert (await home.ask("POST", path, data=little(), headers=kind))[0] == 408
        packed = gzip.compress(b"{}")
        headers = kind | {"Content-Encoding": "gzip"}
        assert (await home.ask("POST", path, data=packed, headers=headers))[0] == 400
        assert home.agent.told == []

    serve(test)


@pytest.mark.parametrize(
    "path",
    [
        "/events?after=-1",
        "/events?after=x",
        "/events?after=1&after=2",
        "/events?after=99999999999999999999",
        "/events?after=\u0661",
        "/events?after=1&token=x",
        "/events?limit=0",
        "/events?limit=1001",
        f"/devices/{MAC}/history?since=yesterday",
        f"/devices/{MAC}/history?since=5",
        f"/devices/{MAC.upper()}",
        "/devices/1",
        "/devices/..%2f..%2fetc",
    ],
)
def test_addresses_that_make_no_sense(serve: Any, path: str) -> None:
    """Unknown parameters too: a mistyped one never goes unnoticed."""

    async def test(home: Any) -> None:
        status, said, _ = await home.ask("GET", path)
        assert (status, list(said)) == (400, ["error"])

    serve(test)


def test_actions_reach_the_agent_as_they_were_meant(serve: Any) -> None:
    """Each is told once, with times in nanoseconds, and answered with the device."""

    async def test(home: Any) -> None:
        for route in ROUTES:
            if route.method == "POST" and route.of_device:
                more = {"json": BODIES[route.name]} if route.name in BODIES else {}
                said = (await home.ask("POST", path_of(route), **more))[1]
                assert said["device"] == MAC
        await home.ask("POST", f"/devices/{MAC}/mute", json={"until": None})
        await home.ask("POST", f"/devices/{MAC}/mute", json={"until": "0001-01-01T00:00:00Z"})
        await home.ask("POST", f"/devices/{MAC}/mute", json={"until": "9999-01-01T00:00:00Z"})
        await home.ask("GET", f"/devices/{MAC}/history?since=2026-01-01T00:00:00Z")
        assert home.agent.told == [
            ("enrol", PLUG),
            ("accept", PLUG),
            ("relearn", PLUG),
            ("mute", PLUG, YEAR_NS),
            ("wrong_alarm", PLUG, EVENT_ID),
            ("label", PLUG, 1, "1.7.5"),
            ("name", PLUG, "Kitchen plug"),
            ("set_kind", PLUG, "Philips Hue bridge", "Hub", "person"),
            ("expect_update", PLUG, YEAR_NS),
            ("mute", PLUG, None),
            ("mute", PLUG, 0),
            ("mute", PLUG, parse_time("2262-01-01T00:00:00Z")),  # what fits into 64 bits
            ("history", PLUG, YEAR_NS),
        ]

    serve(test)


def test_a_version_that_never_was_is_another_mistake_than_no_device(serve: Any) -> None:
    """The agent says what does not fit."""

    async def test(home: Any) -> None:
        body = {"version": 7, "label": "x"}
        status, said, _ = await home.ask("POST", f"/devices/{MAC}/label", json=body)
        assert (status, said) == (409, {"error": "no version 7"})

    serve(test)


def test_what_a_device_is_is_told_and_forgotten(serve: Any) -> None:
    """By each source of its own; a category alone says too little."""

    async def test(home: Any) -> None:
        path = f"/devices/{MAC}/kind"
        told = {"label": None, "source": "home_assistant"}
        assert (await home.ask("POST", path, json=told))[0] == 200
        assert home.agent.told == [("set_kind", PLUG, None, None, "home_assistant")]
        said = (await home.ask("POST", path, json={"label": None, "category": "Hub"}))[:2]
        assert said == (409, {"error": "a category needs a label"})
        assert len(home.agent.told) == 1

    serve(test)


@pytest.mark.parametrize("path", ["/retrain", "/retrain/roll-back"])
def test_a_model_that_is_trained_or_missing_is_left_alone(serve: Any, path: str) -> None:
    """One training at a time, and none where devices are not identified."""

    async def test(home: Any) -> None:
        status, said, _ = await home.ask("POST", path)
        assert (status, said["running"], said["type"]) == (200, path == "/retrain", "forest")
        home.agent.running = True
        assert (await home.ask("POST", path))[:2] == (409, {"error": "a model is being trained"})
        home.agent.identifies = False
        status, said, _ = await home.ask("POST", path)
        assert (status, "not identified" in said["error"]) == (409, True)
        assert (await home.ask("GET", "/info"))[1]["identification"] is None
        assert (await home.ask("POST", path, json={"now": True}))[0] == 400

    serve(test)


def test_events_come_in_pages(serve: Any) -> None:
    """For clients that ask from time to time instead of listening."""

    async def test(home: Any) -> None:
        home.agent.add(5)
        said = (await home.ask("GET", "/events?after=1&limit=2"))[1]
        assert ([event["seq"] for event in said["events"]], said["gap"]) == ([2, 3], False)
        home.agent.dropped = 3
        said = (await home.ask("GET", "/events"))[1]
        assert (said["gap"], said["last_seq"], len(said["events"])) == (True, 5, 2)
        assert len((await home.ask("GET", f"/events?device={MAC}"))[1]["events"]) == 2
        assert (await home.ask("GET", f"/events?device={STRANGER}"))[1]["events"] == []

    serve(test)


def test_images_and_figures_come_as_they_are(serve: Any) -> None:
    """A picture that is not there yet is another thing than one that never will be."""

    async def test(home: Any) -> None:
        status, png, headers = await home.ask("GET", f"/devices/{MAC}/image/difference.png")
        assert (status, png, headers["Content-Type"]) == (200, PNG, "image/png")
        for name in ("after", "other"):
            assert (await home.ask("GET", f"/devices/{MAC}/image/{name}.png"))[0] == 404

        text = (await home.ask("GET", "/metrics"))[1].decode()
        assert "# TYPE fwid_frames_total counter\nfwid_frames_total 12.0\n" in text
        assert "# TYPE fwid_devices gauge\nfwid_devices 3.0\n" in text

    serve(test)


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [(StoreError("disk full\nat line 2"), 503, "disk full at line 2"), (KeyError("x"), 500, "log")],
)
def test_a_fault_of_the_agent_is_one_line(
    serve: Any, error: Exception, status: int, text: str
) -> None:
    """What the user can mend is said; what he cannot is in the log."""

    async def test(home: Any) -> None:
        home.agent.error = error
        got, said, _ = await home.ask("GET", "/info")
        assert got == status
        assert text in said["error"]
        assert "\n" not in said["error"]
        home.agent.error = None
        assert (await home.ask("GET", "/info"))[0] == 200

    serve(test)

"""Nobody gets anything without a token, and no answer gives more than it has to."""

import asyncio
import json
import logging
import ssl
import warnings
from typing import Any

import aiohttp
import pytest
from fwid_agent.api.certificate import Certificate
from fwid_agent.api.context import Context
from fwid_agent.api.openapi import make_document
from fwid_agent.api.pairing import CODE_LIFE_NS, MOST_WRONG, TRIES_PERIOD_NS
from fwid_agent.api.server import start_server
from fwid_agent.errors import UsageError

from tests.agent.api.conftest import free_port

MAC = "90:8d:78:a8:e1:43"
OPEN = {"/health", "/ready", "/pair"}
PATHS = [
    (method.upper(), path.format(mac=MAC, which="before") if "{" in path else path)
    for path, methods in make_document("0")["paths"].items()
    for method in methods
]
CLOSED = [(method, path) for method, path in PATHS if path not in OPEN]
NO_ROUTE = [
    ("GET", "/nothing"),
    ("GET", "/../nothing"),
    ("DELETE", "/info"),
    ("OPTIONS", "/devices"),
]


def test_no_request_without_a_token_gets_more_than_health(serve: Any) -> None:
    """Every route, and what is none, says one line and the same to strangers; nothing is done."""

    async def test(home: Any) -> None:
        wrong = {"Authorization": "Bearer wrong"}
        basic = {"Authorization": f"Basic {home.token}"}
        for method, path in CLOSED + NO_ROUTE:
            for headers in ({}, wrong, basic, {"Cookie": f"token={home.token}"}):
                for query in ("", f"?token={home.token}"):
                    status, said, got = await home.ask(
                        method, path + query, token=None, headers=headers
                    )
                    assert (status, list(said)) == (401, ["error"]), (method, path)
                    assert "\n" not in said["error"]
                    assert got["WWW-Authenticate"] == "Bearer"
        assert home.agent.told == []
        assert home.agent.listeners == []

        assert await said_by(home, "/health", token=None) == {"status": "ok"}
        assert await said_by(home, "/health", token="wrong") == {"status": "ok"}
        assert await said_by(home, "/ready", token=None) == {"ready": True}

    serve(test)


async def said_by(home: Any, path: str, **more: Any) -> Any:
    return (await home.ask("GET", path, **more))[1]


def test_health_tells_more_to_those_with_a_token(serve: Any) -> None:
    """And `ready` is a status that a watchdog understands."""

    async def test(home: Any) -> None:
        said = await said_by(home, "/health")
        assert said["status"] == "ok"
        assert said["details"]["sources"][0]["source"] == "eth0"
        home.agent.is_ready = False
        assert (await home.ask("GET", "/ready"))[:2] == (503, {"ready": False})

    serve(test)


def test_a_code_is_exchanged_for_a_token_once(serve: Any) -> None:
    """The whole way of a new client; the token works at once."""

    async def test(home: Any) -> None:
        code = home.pairing.new_code(home.time.now_ns)
        body = {"code": code, "name": "Home Assistant"}
        status, said, _ = await home.ask("POST", "/pair", token=None, json=body)
        assert status == 200
        assert (await home.ask("GET", "/info", token=said["token"]))[0] == 200
        assert (await home.ask("POST", "/pair", token=None, json=body))[0] == 403
        assert [token.name for token in home.tokens.tokens()] == ["test", "Home Assistant"]

    serve(test)


def test_wrong_codes_lock_and_expired_ones_fail(serve: Any) -> None:
    """Ten wrong ones and the right one is worth nothing; so is it after ten minutes."""

    async def test(home: Any) -> None:
        async def pair(code: str) -> int:
            body = {"code": code, "name": "x"}
            return int((await home.ask("POST", "/pair", token=None, json=body))[0])

        code = home.pairing.new_code(home.time.now_ns)
        wrong = f"{(int(code) + 1) % 10**8:08d}"
        for number in range(MOST_WRONG):
            assert await pair(wrong) == 403
            if number % 5 == 4:
                assert await pair(code) == 429  # this address has to wait
                home.time.now_ns += TRIES_PERIOD_NS
        assert await pair(code) == 423

        code = home.pairing.new_code(home.time.now_ns)
        home.time.now_ns += CODE_LIFE_NS
        assert await pair(code) == 403
        assert len(home.tokens.tokens()) == 1

    serve(test)


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Host", "X-Forwarded-Host"]
)
def test_headers_do_not_make_another_address_of_a_client(serve: Any, header: str) -> None:
    """Otherwise each try could come from a new one."""

    async def test(home: Any) -> None:
        home.pairing.new_code(home.time.now_ns)
        statuses = []
        for number in range(6):
            body = {"code": "00000000", "name": "x"}
            headers = {header: f"{'for=' * (header == 'Forwarded')}10.0.0.{number}"}
            answer = await home.ask("POST", "/pair", token=None, json=body, headers=headers)
            statuses.append(answer[0])
            assert "10.0.0" not in json.dumps(answer[1]) + str(answer[2])
        assert statuses[-1] == 429

    serve(test)


def test_a_revoked_token_fails_at_once(serve: Any) -> None:
    """The next request on the same connection is turned away."""

    async def test(home: Any) -> None:
        assert (await home.ask("GET", "/info"))[0] == 200
        home.tokens.revoke(home.tokens.tokens()[0].id)
        assert (await home.ask("GET", "/info"))[0] == 401

    serve(test)


def test_a_client_can_revoke_its_own_token_and_no_other(serve: Any) -> None:
    """What Home Assistant does when it is told to forget the agent."""

    async def test(home: Any) -> None:
        other = home.tokens.add("other", home.time.now_ns)
        async with home.socket(0) as opened:
            assert (await home.ask("DELETE", "/token"))[:2] == (204, b"")
            assert (await home.ask("GET", "/info"))[0] == 401
            message = await opened.receive(timeout=5)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1008)
        assert (await home.ask("GET", "/info", token=other))[0] == 200
        assert [one.name for one in home.tokens.tokens()] == ["other"]

    serve(test)


def test_every_answer_keeps_browsers_from_harm(serve: Any) -> None:
    """Errors and pictures too; nobody learns what software answers."""

    async def test(home: Any) -> None:
        paths = ["/info", "/nothing", "/health", "/metrics", f"/devices/{MAC}/image/before.png"]
        for path in paths:
            for token in ("", None):
                headers = (await home.ask("GET", path, token=token))[2]
                assert headers["X-Content-Type-Options"] == "nosniff"
                assert headers["Cache-Control"] == "no-store"
                assert headers["X-Frame-Options"] == "DENY"
                assert "default-src 'none'" in headers["Content-Security-Policy"]
                assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
                assert headers["Server"] == "fwid"
                assert "Access-Control-Allow-Origin" not in headers

    serve(test)


def test_the_log_holds_no_token_no_query_and_no_address(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs are sent around when people ask for help; addresses come at debug level only."""

    async def test(home: Any) -> None:
        code = home.pairing.new_code(home.time.now_ns)
        await home.ask("GET", f"/devices/{MAC}?secret=abc%0Ainjected")
        await home.ask("GET", f"/a%0Ab%20level=x?token={home.token}", token="wrong-token")
        body = {"code": code, "name": "named-client"}
        token = (await home.ask("POST", "/pair", token=None, json=body))[1]["token"]
        for kept in (home.token, token, code, "wrong-token", "secret", "abc", "named-client"):
            assert kept not in caplog.text
        mine = [record for record in caplog.records if record.name.startswith("fwid")]
        assert mine
        for record in mine:
            assert "\n" not in record.getMessage()
            if record.levelno > logging.DEBUG:
                assert MAC not in record.getMessage()
                assert "127.0.0.1" not in record.getMessage()

    with caplog.at_level(logging.DEBUG, logger="fwid"):
        serve(test)


def test_a_client_that_pins_another_fingerprint_does_not_talk(serve: Any) -> None:
    """Whoever stands between agent and client has another certificate."""

    async def test(home: Any) -> None:
        home.pinned = aiohttp.Fingerprint(bytes(32))
        with pytest.raises(aiohttp.ServerFingerprintMismatch):
            await home.ask("GET", "/info")

    serve(test)


def test_plain_http_and_old_tls_get_nothing(serve: Any, certificate: Certificate) -> None:
    """There is no way around TLS 1.2."""

    async def test(home: Any) -> None:
        async def say(data: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
            writer.write(data)
            said = await reader.read()
            writer.close()
            return said

        assert b"HTTP" not in await say(b"GET /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n")

        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.set_ciphers("DEFAULT@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", home.port, ssl=old)

    serve(test)


def test_a_port_that_is_taken_is_said_to_be_so(serve: Any, certificate: Certificate) -> None:
    """One clear line, and nothing is left running."""

    async def test(home: Any) -> None:
        from fwid_agent.api.certificate import make_ssl_context
        from fwid_agent.api.server import make_app

        app = make_app(Context(home.agent, home.tokens, home.pairing))
        with pytest.raises(UsageError, match="already in use; name another one with --port"):
            async with start_server(app, "127.0.0.1", home.port, make_ssl_context(certificate)):
                pass

    serve(test)


@pytest.mark.parametrize("limit", ["MOST_CONNECTIONS", "MOST_OF_ADDRESS"])
@pytest.mark.parametrize("speaks", [True, False])
def test_more_connections_than_there_may_be_are_refused(
    serve: Any, monkeypatch: pytest.MonkeyPatch, limit: str, speaks: bool
) -> None:
    """Open connections are open files; those that never speak TLS count, too."""
    monkeypatch.setattr(f"fwid_agent.api.listener.{limit}", 3)

    async def test(home: Any) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        kept = []
        for _ in range(3):
            encrypted = context if speaks else None
            kept.append(await asyncio.open_connection("127.0.0.1", home.port, ssl=encrypted))
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await home.ask("GET", "/health")
        kept.pop()[1].transport.abort()
        while True:  # until the server has seen that a place is free
            try:
                assert (await home.ask("GET", "/health"))[0] == 200
            except (aiohttp.ClientError, ConnectionError):
                await asyncio.sleep(0.01)
            else:
                break
        for _, writer in kept:
            writer.transport.abort()

    serve(test)


def test_one_that_never_speaks_tls_loses_its_place(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence is not for ever."""
    monkeypatch.setattr("fwid_agent.api.listener._TLS_S", 0.05)

    async def test(home: Any) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
        assert await reader.read() == b""
        writer.close()

    serve(test)


def test_without_a_host_it_listens_everywhere(serve: Any, certificate: Certificate) -> None:
    """On all addresses of the machine, on the one port that was asked for."""
    from fwid_agent.api.certificate import make_ssl_context
    from fwid_agent.api.server import make_app

    async def test(home: Any) -> None:
        app = make_app(Context(home.agent, home.tokens, home.pairing))
        port = free_port()
        async with start_server(app, None, port, make_ssl_context(certificate)) as listening:
            assert listening.port == port
            url = f"https://127.0.0.1:{port}/api/v1/health"
            async with home.session.get(url, ssl=home.pinned) as response:
                assert response.status == 200

    serve(test)

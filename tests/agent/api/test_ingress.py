"""The page inside Home Assistant: for whom the Supervisor passes on, and for nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from fwid_agent.api.context import PAGE_HEADER
from fwid_agent.api.ingress import Ingress

from tests.agent.api.conftest import free_port

SUPERVISOR, SOMEBODY = "127.0.0.2", "127.0.0.3"
_ACT = "/api/v1/devices/90:8d:78:a8:e1:43/accept"


def ingress() -> Ingress:
    """One on this machine; the Supervisor is told by its address there as well."""
    return Ingress("127.0.0.1", free_port(), SUPERVISOR)


@asynccontextmanager
async def visitor(way: Ingress, address: str) -> AsyncIterator[aiohttp.ClientSession]:
    """A client whose connections come from this address."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    base = f"http://{way.host}:{way.port}"
    async with aiohttp.ClientSession(base, connector=connector) as session:
        yield session


def test_a_visitor_is_let_in_without_a_token(serve: Any) -> None:
    """Home Assistant has seen to it that they may: they read, act and listen."""
    way = serve.ingress = ingress()

    async def test(home: Any) -> None:
        async with visitor(way, SUPERVISOR) as session:
            async with session.get("/api/v1/devices") as answer:
                assert answer.status == 200
            async with session.post(_ACT, headers={PAGE_HEADER: "1"}) as answer:
                assert answer.status == 200
            async with session.ws_connect("/api/v1/events/ws") as stream:
                await stream.send_json({"after": 0})
                home.agent.add()
                assert (await stream.receive_json(timeout=10))["seq"] == 1
        assert [one.name for one in home.tokens.tokens()] == ["test"]

    serve(test)


def test_a_visitor_may_do_what_a_person_on_the_page_may(serve: Any) -> None:
    """They let others in and shut them out; by a program's token nobody does."""
    way = serve.ingress = ingress()
    ours = {PAGE_HEADER: "1"}

    async def test(home: Any) -> None:
        async with visitor(way, SUPERVISOR) as session:
            async with session.post("/session/code", headers=ours) as answer:
                assert answer.status == 200
            async with session.get("/session/tokens") as answer:
                (token,) = (await answer.json())["tokens"]
            async with session.delete(f"/session/tokens/{token['id']}", headers=ours) as answer:
                assert answer.status == 200
        assert (await home.ask("GET", "/devices"))[0] == 401

    serve(test)


@pytest.mark.parametrize("address", [SOMEBODY, "127.0.0.1"])
def test_nobody_else_is_heard(serve: Any, address: str) -> None:
    """Not a byte is answered, not even to whoever has a token or claims another address."""
    way = serve.ingress = ingress()

    async def test(home: Any) -> None:
        lie = {"X-Forwarded-For": SUPERVISOR, "X-Ingress-Path": "/api/hassio_ingress/x"}
        async with visitor(way, address) as session:
            for headers in ({}, lie, {"Authorization": f"Bearer {home.token}"}):
                with pytest.raises(aiohttp.ClientError):
                    await session.get("/api/v1/health", headers=headers)

    serve(test)


def test_the_way_in_by_tls_is_no_ingress(serve: Any) -> None:
    """There the Supervisor's address is one as any other, whatever it says of itself."""
    way = serve.ingress = ingress()

    async def test(home: Any) -> None:
        connector = aiohttp.TCPConnector(local_addr=(SUPERVISOR, 0), ssl=home.pinned)
        lie = {"Host": f"127.0.0.1:{way.port}", "X-Ingress-Path": "/"}
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.get(f"{home.url}/devices", headers=lie) as answer,
        ):
            assert answer.status == 401

    serve(test)


def test_what_changes_anything_is_the_pages_own(serve: Any) -> None:
    """Whatever a browser may be brought to send along: the page's header it is not."""
    way = serve.ingress = ingress()

    async def test(home: Any) -> None:
        async with visitor(way, SUPERVISOR) as session, session.post(_ACT) as answer:
            assert answer.status == 401
        assert home.agent.told == []

    serve(test)


def test_home_assistant_may_frame_the_page_and_others_may_not(serve: Any) -> None:
    """It is shown within Home Assistant's own page; by TLS nobody frames it."""
    way = serve.ingress = ingress()

    async def test(home: Any) -> None:
        async with visitor(way, SUPERVISOR) as session, session.get("/") as answer:
            assert answer.status == 200
            assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
            inside = answer.headers["Content-Security-Policy"]
        _, _, headers = await home.ask("GET", "/../../", token=None)
        outside = headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert inside == outside.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
        assert inside != outside

    serve(test)


def test_the_page_names_everything_relative_to_itself(serve: Any) -> None:
    """Home Assistant serves it below a path that the agent does not know."""
    way = serve.ingress = ingress()

    async def test(home: Any) -> None:
        async with visitor(way, SUPERVISOR) as session:
            async with session.get("/") as answer:
                page = await answer.text()
            async with session.get("/page/page.js") as answer:
                script = await answer.text()
        for start in ('src="/', 'href="/', 'fetch("/', "fetch('/", '= "/'):
            assert start not in page + script

    serve(test)


def test_idle_connections_of_the_supervisor_keep_nobody_out(serve: Any) -> None:
    """The two ways in have places of their own."""
    way = serve.ingress = ingress()

    async def test(home: Any) -> None:
        idle = []
        for _ in range(140):
            _, writer = await asyncio.open_connection(
                "127.0.0.1", way.port, local_addr=(SUPERVISOR, 0)
            )
            idle.append(writer)
        assert (await home.ask("GET", "/devices"))[0] == 200
        for writer in idle:
            writer.close()

    serve(test)

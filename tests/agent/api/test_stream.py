"""A client that comes back has every event, each once, in order; one that may not has none."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType
from fwid_agent.api.messages import Changed, Identification, ModelChanged, NewlyIdentified
from fwid_agent.events_json import event_record

MAC = "90:8d:78:a8:e1:43"


async def read(opened: aiohttp.ClientWebSocketResponse, count: int) -> list[Any]:
    return [await opened.receive_json() for _ in range(count)]


async def read_end(opened: aiohttp.ClientWebSocketResponse) -> int | None:
    """Read until the server ends it; gives its status."""
    while (message := await opened.receive()).type is WSMsgType.TEXT:
        pass
    assert message.type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING, WSMsgType.ERROR)
    return message.data if message.type is WSMsgType.CLOSE else opened.close_code


async def until(holds: Any) -> None:
    """Wait for something to become true."""
    while not holds():
        await asyncio.sleep(0.01)


def test_stored_events_come_first_then_live_ones(serve: Any) -> None:
    """As they stand in the store, from the one after the last that was seen."""

    async def test(home: Any) -> None:
        home.agent.add(5)
        async with home.socket(2) as opened:
            stored = await read(opened, 3)
            home.agent.add(2)
            live = await read(opened, 2)
        assert stored + live == [
            json.loads(json.dumps(event_record(event))) for event in home.agent.stored[2:]
        ]
        await until(lambda: home.agent.listeners == [])

    serve(test)


def test_changed_states_are_told_among_the_events(serve: Any) -> None:
    """A client that shows states need not ask for them again and again."""

    model = ModelChanged(identification=Identification(model="home", number=3))

    async def test(home: Any) -> None:
        async with home.socket(0) as opened:
            await until(lambda: home.agent.listeners)
            for notice in (Changed(), NewlyIdentified(device=MAC, identified=None), model):
                home.agent.listeners[0](notice)
            home.agent.add(1)
            told = await read(opened, 4)
        assert [one["type"] for one in told] == [
            "changed",
            "identified",
            "model",
            "version_changed",
        ]
        assert told[1] == {"type": "identified", "device": MAC, "identified": None}
        assert told[2]["identification"]["number"] == 3

    serve(test)


@pytest.mark.parametrize("backlog", [0, 1, 199, 200, 201, 650])
def test_nothing_is_lost_or_twice_while_stored_events_are_read(serve: Any, backlog: int) -> None:
    """Events that happen between any two pages are the ones that are lost most easily."""

    async def test(home: Any) -> None:
        home.agent.add(backlog)
        loop = asyncio.get_running_loop()

        def happen() -> None:  # in the API's thread, before it reads a page
            asyncio.run_coroutine_threadsafe(add(), loop).result(10)

        async def add() -> None:
            if len(home.agent.stored) < backlog + 4:
                home.agent.add(1)

        home.agent.before_page = happen
        async with home.socket(0) as opened:
            first = await read(opened, backlog + 1)
            home.agent.before_page = None
            home.agent.add(3)
            rest = await read(opened, len(home.agent.stored) - len(first))
        seqs = [event["seq"] for event in first + rest]
        assert seqs == list(range(1, len(home.agent.stored) + 1))

    serve(test)


def test_coming_back_again_and_again_gives_each_event_once(serve: Any) -> None:
    """The connection breaks at any point; what was received last is what counts."""

    async def test(home: Any) -> None:
        seen: list[int] = []
        for turn in range(12):
            home.agent.add(3)
            async with home.socket(seen[-1] if seen else 0) as opened:
                wanted = turn % 4
                seen += [event["seq"] for event in await read(opened, wanted)]
                home.agent.add(1)
                opened._response.connection.transport.abort()
        async with home.socket(seen[-1]) as opened:
            seen += [event["seq"] for event in await read(opened, 48 - len(seen))]
        assert seen == list(range(1, 49))

    serve(test)


@pytest.mark.parametrize(
    ("dropped", "after", "then"),
    [
        (3, 0, [4, 5, 6]),  # the oldest are no longer kept
        (3, 2, [4, 5, 6]),
        (3, 3, None),
        (5, 0, [6]),  # none is kept
        (0, 99, [6]),  # the store is another one
    ],
)
def test_a_gap_is_told_first(serve: Any, dropped: int, after: int, then: list[int] | None) -> None:
    """The client knows that it has to ask for the present states, and goes on from there."""

    async def test(home: Any) -> None:
        home.agent.add(5)
        home.agent.dropped = dropped
        async with home.socket(after) as opened:
            if then is not None:
                assert await opened.receive_json() == {"type": "gap", "last_seq": 5}
            await until(lambda: home.agent.listeners)
            await asyncio.sleep(0.05)
            home.agent.add(1)
            seqs = [event["seq"] for event in await read(opened, len(then or [4, 5, 6]))]
            assert seqs == (then or [4, 5, 6])

    serve(test)


def test_a_revoked_token_ends_its_open_websockets_and_no_others(serve: Any) -> None:
    """At once: an event that happens in the same moment is not sent any more."""

    async def test(home: Any) -> None:
        kept = home.tokens.add("other", 0)
        async with home.socket(0) as one, home.socket(0) as two, home.socket() as silent:
            home.token = kept
            async with home.socket(0) as other:
                await until(lambda: len(home.agent.listeners) == 3)
                home.agent.add(1)
                assert len(await read(one, 1) + await read(two, 1) + await read(other, 1)) == 3
                home.tokens.revoke(home.tokens.tokens()[0].id)
                home.agent.add(1)
                for opened in (one, two, silent):
                    message = await opened.receive()
                    assert message.type is WSMsgType.CLOSE
                    assert (message.data, message.extra) == (1008, "the token was revoked")
                assert (await other.receive_json())["seq"] == 2
        await until(lambda: home.agent.listeners == [])

    serve(test)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{}",
        "[]",
        '{"after": -1}',
        '{"after": "1"}',
        '{"after": 1, "token": "x"}',
        '{"after": 99999999999999999999}',
        "after",
        "x" * 5000,
    ],
)
def test_a_first_message_that_is_none_ends_it(serve: Any, said: str) -> None:
    """Nothing is guessed, and nothing is subscribed."""

    async def test(home: Any) -> None:
        home.agent.add(3)
        async with home.socket() as opened:
            await opened.send_str(said)
            assert await read_end(opened) in (1008, 1009)
        assert home.agent.listeners == []

    serve(test)


def test_one_who_says_nothing_or_too_much_is_ended(serve: Any) -> None:
    """Neither an idle nor a talking client holds a place."""
    serve.limit(resume_s=0.05)

    async def test(home: Any) -> None:
        async with home.socket() as opened:
            assert await read_end(opened) == 1008
        async with home.socket(0) as opened:
            await opened.send_json({"after": 0})
            assert await read_end(opened) == 1008

    serve(test)


def test_a_slow_client_is_dropped_and_the_others_are_not(serve: Any) -> None:
    """What waits for one that does not read is bounded; it can come back for the rest."""
    serve.limit(waiting_events=50)

    async def test(home: Any) -> None:
        async with home.socket(0) as slow, home.socket(0) as good:
            await until(lambda: len(home.agent.listeners) == 2)
            # Its transport is stopped, so that not even the library reads.
            slow._response.connection.transport.pause_reading()
            sent = 0
            while len(home.agent.listeners) == 2:
                assert sent < 20_000, "a client that does not read is never dropped"
                home.agent.add(20, "x" * 4000)
                sent += 20
                assert len(await read(good, 20)) == 20
            home.agent.add(1)
            assert (await good.receive_json())["seq"] == sent + 1
            slow._response.connection.transport.abort()

    serve(test)


def test_a_client_that_answers_no_ping_is_gone(serve: Any) -> None:
    """A phone that left the house does not keep its place for ever."""
    serve.limit(heartbeat_s=0.1)

    async def test(home: Any) -> None:
        async with home.session.ws_connect(
            home.url + "/events/ws",
            headers={"Authorization": f"Bearer {home.token}"},
            ssl=home.pinned,
            autoping=False,
        ) as opened:
            await opened.send_json({"after": 0})
            await until(lambda: home.agent.listeners)
            await until(lambda: not home.agent.listeners)

    serve(test)


def test_there_are_no_more_than_can_be_served(serve: Any) -> None:
    """The next one is told so, and gets in when another has left."""
    serve.limit(sockets=2)

    async def test(home: Any) -> None:
        async with home.socket(0):
            async with home.socket(0):
                await until(lambda: len(home.agent.listeners) == 2)
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    async with home.socket(0):
                        pass
                assert refused.value.status == 503
            home.agent.add(1)
            while True:
                try:
                    async with home.socket(0) as opened:
                        assert (await opened.receive_json())["seq"] == 1
                        break
                except aiohttp.WSServerHandshakeError:
                    await asyncio.sleep(0.01)

    serve(test)


def test_stopping_tells_the_clients(serve: Any) -> None:
    """They come back by themselves, and the agent does not wait for them."""

    async def test() -> None:
        async with asyncio.timeout(30):
            running = serve.home()
            home = await running.__aenter__()
            async with home.socket(0) as opened:
                await until(lambda: home.agent.listeners)
                stopping = asyncio.create_task(running.__aexit__(None, None, None))
                assert await read_end(opened) in (1001, 1006)
                await stopping
            assert home.agent.listeners == []

    asyncio.run(test())


def test_a_plain_request_is_told_that_this_is_a_websocket(serve: Any) -> None:
    """A person who tries the address in a browser learns what is wrong."""

    async def test(home: Any) -> None:
        assert (await home.ask("GET", "/events/ws"))[0] == 426

    serve(test)

"""What the client relies on, held to the fake agent and the real one by the same assertions."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from homeassistant.util.ssl import get_default_no_verify_context

from custom_components.fwid.client import Address, AgentClient, read_fingerprint
from custom_components.fwid.errors import CertificateError, RefusedError, TokenError
from custom_components.fwid.models import Category, Changed, Event, Gap, Kind
from tests.integration.fake_agent import FakeAgent, make_device
from tests.integration.real_agent import FWID, SENSOR, RealAgent

# aiohttp sets its heartbeat's timer once more when the other side answers that it closes.
pytestmark = pytest.mark.parametrize("expected_lingering_timers", [True], ids=[""])
REAL = [
    pytest.mark.slow,
    pytest.mark.skipif(FWID is None, reason="no agent: FWID_AGENT names its command"),
]


class Fake:
    """The fake agent with one device whose firmware has changed, and a code to pair with."""

    def __init__(self, folder: Path) -> None:
        self.agent = FakeAgent(folder)
        self.agent.devices = {SENSOR: make_device(SENSOR)}
        for _ in range(3):
            self.agent.change_version(SENSOR)

    async def code(self) -> str:
        self.agent.code = "12345678"
        return self.agent.code


class Real:
    """The real agent, which replays the captures of one device."""

    def __init__(self, folder: Path) -> None:
        self.agent = RealAgent(folder)

    async def code(self) -> str:
        return str((await self.agent.ask("pair"))["code"])


@pytest.fixture(params=[Fake, pytest.param(Real, marks=REAL)], ids=["fake", "real"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Any]:
    side = request.param(tmp_path)
    await side.agent.start()
    yield side
    await side.agent.stop()


@pytest.fixture
async def session() -> AsyncGenerator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def address(side: Any) -> Address:
    context = get_default_no_verify_context()
    fingerprint = await read_fingerprint(side.agent.host, side.agent.port, context)
    return Address(side.agent.host, side.agent.port, fingerprint)


@pytest.fixture
async def client(side: Any, session: ClientSession, address: Address) -> AgentClient:
    """A client that is let in."""
    token = await AgentClient(session, address).pair(await side.code(), "Home Assistant")
    return AgentClient(session, address, token)


async def read(client: AgentClient, after: int, count: int) -> list[Any]:
    """The first messages after an event, less hints."""
    found: list[Any] = []
    async with aclosing(client.stream(after)) as messages:
        async for message in messages:
            if not isinstance(message, Changed):
                found.append(message)
            if len(found) == count:
                break
    return found


async def test_who_has_no_token_learns_nothing(
    session: ClientSession, address: Address, side: Any
) -> None:
    """Health is open; a wrong token, a wrong code and another certificate are told apart."""
    stranger = AgentClient(session, address, "wrong")
    await AgentClient(session, address).check()
    for ask in (stranger.info, stranger.devices, lambda: anext(stranger.stream(0))):
        with pytest.raises(TokenError):
            await ask()
    await side.code()
    with pytest.raises(RefusedError) as refused:
        await stranger.pair("00000000", "Home Assistant")
    assert refused.value.status == 403
    other = Address(address.host, address.port, "0" * 64)
    with pytest.raises(CertificateError):
        await AgentClient(session, other, "wrong").info()


async def test_what_the_client_reads_and_does(client: AgentClient) -> None:
    """Info, devices and one of them, its history and images, and each action's answer."""
    (message,) = await read(client, 0, 1)
    assert isinstance(message, Event)
    info = await client.info()
    assert (info.api, info.last_seq > 0) == (1, True)
    devices = {device.mac: device for device in await client.devices()}
    assert devices[SENSOR].state is not None
    assert all(isinstance(judged.version, int) for judged in await client.history(
        SENSOR, devices[SENSOR].first_seen
    ))  # fmt: skip
    png = await client.image(SENSOR, "after")
    assert png is None or png.startswith(b"\x89PNG")

    until = "2100-01-01T00:00:00.000Z"
    assert (await client.act(SENSOR, "enrol")).mac == SENSOR
    assert (await client.act(SENSOR, "mute", until=until)).muted_until is not None
    assert (await client.act(SENSOR, "expect-update", until=until)).update_expected_until
    named = await client.act(SENSOR, "label", version=1, label="1.1.0")
    assert named.label_of(1) == "1.1.0"
    assert (await client.act(SENSOR, "relearn")).state == "learning"


async def test_what_a_device_is_is_said_by_two_and_forgotten_by_each(client: AgentClient) -> None:
    """A person's word stands above Home Assistant's, which is there again without it."""
    (_,) = await read(client, 0, 1)

    async def say(label: str | None, category: str | None, source: str) -> Kind | None:
        words = {"label": label, "category": category, "source": source}
        return (await client.act(SENSOR, "kind", **words)).kind

    ours = Kind("D-Link DCH-S160", Category.HOME_AUTOMATION, "home_assistant")
    assert await say(ours.label, "Home Automation", "home_assistant") == ours
    person = Kind("Water sensor", None, "person")
    assert await say("Water sensor", None, "person") == person
    assert await say("D-Link", "Hub", "home_assistant") == person
    assert await say(None, None, "person") == Kind("D-Link", Category.HUB, "home_assistant")
    assert await say(None, None, "home_assistant") is None
    for mac, words, status in (
        (SENSOR, {"label": None, "category": "Hub", "source": "person"}, 409),
        ("00:00:00:00:00:99", {"label": "x", "category": None, "source": "person"}, 404),
    ):
        with pytest.raises(RefusedError) as refused:
            await client.act(mac, "kind", **words)
        assert refused.value.status == status


async def test_a_model_is_trained_where_devices_are_identified(client: AgentClient) -> None:
    """One at a time; how the model stands is told with everything else."""
    (_,) = await read(client, 0, 1)
    info = await client.info()
    assert info.knows_kinds
    assert info.identification is not None
    assert info.identification.type in ("forest", "tree", "fc", "conv1d")
    assert (info.identification.old_because, info.identification.running) == (None, False)
    await client.retrain()
    with pytest.raises(RefusedError) as refused:
        await client.retrain()
    assert refused.value.status == 409


async def test_what_makes_no_sense_is_refused_alike(client: AgentClient) -> None:
    """The status says what of it: no such device, or nothing that fits this one."""
    (_,) = await read(client, 0, 1)
    for mac, action, words, status in (
        ("00:00:00:00:00:99", "accept", {}, 404),
        (SENSOR, "label", {"version": 99, "label": "x"}, 409),
        (SENSOR, "wrong-alarm", {"event": "00000000-0000-4000-8000-000000000000"}, 409),
    ):
        with pytest.raises(RefusedError) as refused:
            await client.act(mac, action, **words)
        assert refused.value.status == status, action


async def test_events_resume_where_they_were_left(client: AgentClient) -> None:
    """Each once and in order, from any number on; a number that is not there yet is a gap."""
    first, second = await read(client, 0, 2)
    assert second.seq == first.seq + 1
    assert (await read(client, first.seq, 1))[0] == second
    assert isinstance((await read(client, 10_000, 1))[0], Gap)


async def test_a_revoked_token_is_one_no_longer(client: AgentClient) -> None:
    """Who gives it back is out at once."""
    await client.revoke_token()
    with pytest.raises(TokenError):
        await client.info()
    with pytest.raises(TokenError):
        await anext(client.stream(0))

"""What the integration's tests have in common."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path
from typing import Any
from unittest.mock import PropertyMock, patch

import pytest
from awesomeversion import AwesomeVersion
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.syrupy import HomeAssistantSnapshotExtension
from syrupy.assertion import SnapshotAssertion

# Imported before Home Assistant looks in its configuration folder, where the test package keeps a
# `custom_components` of its own: the first one imported is the one that is searched.
import custom_components.fwid  # noqa: F401
from custom_components.fwid.const import (
    CONF_DEVICES,
    CONF_FINGERPRINT,
    CONF_OFFERED_UNTIL,
    CONF_SHARE_VERSIONS,
    DOMAIN,
)
from tests.integration.fake_agent import START, FakeAgent, make_device

# What a device may call itself to be more than text where Home Assistant reads Markdown.
CRAFTED = "![x](//e.x/i)<img src=//e.x/i>[a](//e.x)www.e.x _b_ `c`"
CAMERA, PLUG = "90:8d:78:a8:e1:43", "94:10:3e:35:01:c1"


def pytest_configure() -> None:
    """Stop on an old Home Assistant, which installs silently where Python is older than 3.14."""
    if AwesomeVersion(__version__) < AwesomeVersion("2026.8"):
        pytest.exit(f"Home Assistant {__version__} is too old; run scripts/test ha", returncode=2)


@pytest.fixture(autouse=True)
def _custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant find the integration of this checkout."""


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let tests speak with agents on this machine."""


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compare what Home Assistant's own snapshots compare, and leave ids and times out."""
    return snapshot.use_extension(HomeAssistantSnapshotExtension)


@pytest.fixture
async def agent(hass: HomeAssistant, tmp_path: Path) -> AsyncGenerator[FakeAgent]:
    """An agent that has seen a camera and a plug, and has let us in."""
    agent = FakeAgent(tmp_path)
    agent.add_token()
    agent.devices = {mac: make_device(mac) for mac in (CAMERA, PLUG)}
    agent.set_device(PLUG, name="wemo")
    await agent.start()
    yield agent
    await agent.stop()


@pytest.fixture
def entry(hass: HomeAssistant, agent: FakeAgent) -> MockConfigEntry:
    """An entry that follows the agent, with both devices enrolled; not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="fwid (pi)",
        unique_id=agent.id,
        data={
            CONF_HOST: agent.host,
            CONF_PORT: agent.port,
            CONF_FINGERPRINT: agent.fingerprint,
            CONF_TOKEN: "secret",
        },
        options={
            CONF_DEVICES: [CAMERA, PLUG],
            CONF_SHARE_VERSIONS: False,
            CONF_OFFERED_UNTIL: START.isoformat(),
        },
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def camera(hass: HomeAssistant) -> dr.DeviceEntry:
    """The camera as another integration knows it."""
    other = MockConfigEntry(domain="camera_maker", title="camera maker")
    other.add_to_hass(hass)
    return dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id,
        identifiers={("camera_maker", "1")},
        connections={(dr.CONNECTION_NETWORK_MAC, CAMERA)},
        name="Porch camera",
        sw_version="1.1.0",
        suggested_area="Porch",
    )


@pytest.fixture
async def loaded(
    hass: HomeAssistant, camera: dr.DeviceEntry, entry: MockConfigEntry, agent: FakeAgent
) -> MockConfigEntry:
    """The entry, set up and following."""
    assert await hass.config_entries.async_setup(entry.entry_id)
    # Once to set up, and once more when the connection for events was there.
    await until(lambda: agent.answers["GET devices"] == 2)
    await hass.async_block_till_done()
    return entry


@pytest.fixture
def every_entity() -> Generator[None]:
    """Turn on what is off at first."""
    with patch(
        "homeassistant.helpers.entity.Entity.entity_registry_enabled_default",
        new_callable=PropertyMock(return_value=True),
    ):
        yield


async def until(true: Callable[[], Any], patience_s: float = 5.0) -> None:
    """Wait until something is true, which then has to be soon."""
    async with asyncio.timeout(patience_s):
        while not true():
            await asyncio.sleep(0.01)


def device_id_of(hass: HomeAssistant, mac: str) -> str:
    """Return the id of our device with a MAC."""
    connection = (dr.CONNECTION_NETWORK_MAC, mac)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    device = dr.async_get(hass).async_get_device_by_connection(connection, entry.entry_id)
    assert device is not None
    return device.id


def as_shown(markdown: str) -> str:
    """Return the text that Markdown with nothing but escapes shows."""
    return re.sub(r"\\([!-/:-@[-`{-~])", r"\1", markdown)


def is_plain(markdown: str) -> bool:
    """Whether every sign that could be more than text is escaped."""
    return re.fullmatch(r"(?:\\[!-/:-@[-`{-~]|[^!-/:-@[-`{-~])*", markdown) is not None

"""Setting up, unloading and removing: what is there, and what is left."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from awesomeversion import AwesomeVersion
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE, __version__
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
from homeassistant.util.dt import utcnow
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.fwid.const import CONF_DEVICES, DOMAIN
from tests.integration.conftest import CAMERA, PLUG, until
from tests.integration.fake_agent import FakeAgent, make_device

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "custom_components/fwid"
WANTED = os.environ.get("FWID_HOME_ASSISTANT", "2026.10")


def test_home_assistant_is_the_one_that_is_meant() -> None:
    """The tests prove something about the newest and the oldest version that is supported."""
    version = AwesomeVersion(__version__)
    assert f"{version.section(0)}.{version.section(1)}" == WANTED


async def test_home_assistant_loads_the_integration_of_this_checkout(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """The integration of this checkout, not another of the name, is set up without complaint."""
    assert await async_setup_component(hass, DOMAIN, {})

    assert DOMAIN in hass.config.components
    integration = await async_get_integration(hass, DOMAIN)
    assert integration.file_path == COMPONENT
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_an_entry_is_set_up_unloaded_and_set_up_again(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Unloading lets the agent go, and nothing stands in the way of coming back."""
    assert loaded.state is ConfigEntryState.LOADED

    assert await hass.config_entries.async_unload(loaded.entry_id)
    await until(lambda: agent.followers == 0)
    assert hass.states.get("sensor.wemo_firmware_stability").state == STATE_UNAVAILABLE

    assert await hass.config_entries.async_setup(loaded.entry_id)
    await until(lambda: agent.followers == 1)
    assert hass.states.get("sensor.wemo_firmware_stability").state == "stable"


async def test_nothing_is_asked_while_the_agent_can_push(
    loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """States are not polled for: the agent says when to look."""
    assert loaded.runtime_data.update_interval is None
    before = len(agent.requests)

    agent.set_device(PLUG, state="suspected")
    agent.tell_changed()
    await until(lambda: loaded.runtime_data.data.devices[PLUG].state == "suspected")

    assert agent.requests[before:] == ["GET info", "GET devices"]


@pytest.mark.parametrize("path", ["info", "devices"])
async def test_an_agent_in_trouble_is_tried_again_later(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent, path: str
) -> None:
    """An agent that cannot answer yet is no reason to ask the user anything."""
    agent.failing[path] = 503

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.reason == "The agent refuses: a fault that a test wants"


async def test_an_agent_that_is_away_is_tried_again_later(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """The error names no address: it is shown, and logged, above debug level."""
    await agent.stop()

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.reason == "The agent does not answer"


async def test_a_refused_token_asks_to_be_let_in_again(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """A token that was revoked while Home Assistant was away starts a reauth flow."""
    agent.tokens.clear()

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_ERROR
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [
        SOURCE_REAUTH
    ]


async def test_another_certificate_is_refused_before_the_token_is_shown(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """Whoever took the agent's place learns nothing, and a person is asked."""
    await agent.stop()
    agent.renew_certificate()
    await agent.start()

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert agent.requests == []
    assert entry.error_reason_translation_key == "certificate_changed"
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [
        SOURCE_REAUTH
    ]


@pytest.mark.parametrize(
    ("fields", "reason", "shown"),
    [
        ({"id": "another"}, "Another agent answers than", None),
        ({"version": "0.0.9"}, "The agent has version 0.0.9; at least 0.1.0", "agent_too_old"),
        ({"api": 2}, "The agent, version 0.1.0, is newer than", "integration_too_old"),
        ({"api": 0}, "The agent has version 0.1.0; at least", "agent_too_old"),
    ],
)
async def test_an_agent_that_does_not_fit_is_not_followed(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    agent: FakeAgent,
    fields: dict[str, Any],
    reason: str,
    shown: str | None,
) -> None:
    """A repair says what to update; once that is done, nobody has to do more."""
    for name, value in fields.items():
        setattr(agent, name, value)
    issues = ir.async_get(hass).issues

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert str(entry.reason).startswith(reason)
    assert [issue.translation_key for issue in issues.values()] == ([shown] if shown else [])

    agent.id, agent.version, agent.api = entry.unique_id, "0.1.0", 1
    async_fire_time_changed(hass, utcnow() + timedelta(seconds=30))
    await until(lambda: entry.state is ConfigEntryState.LOADED)
    assert not issues


async def test_enrolled_devices_that_are_only_seen_are_watched(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """Enrolling here is enough: nobody has to enrol on the agent as well."""
    agent.set_device(PLUG, state=None)

    assert await hass.config_entries.async_setup(entry.entry_id)

    assert agent.actions == [(PLUG, "enrol", {})]
    assert hass.states.get("sensor.wemo_firmware_stability").state == "learning"


async def test_an_agent_that_cannot_watch_yet_is_tried_again_later(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    """An agent may go between two questions of a setup: that is no fault of ours to log."""
    agent.set_device(PLUG, state=None)
    agent.failing[f"devices/{PLUG}/enrol"] = 503

    assert not await hass.config_entries.async_setup(entry.entry_id)

    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.reason == "The agent refuses: a fault that a test wants"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_devices_are_kept_with_the_agent_and_named_like_the_hardware(
    hass: HomeAssistant, loaded: MockConfigEntry, camera: dr.DeviceEntry
) -> None:
    """Each has its own entry beside that of the other integration, linked by the MAC."""
    registry = dr.async_get(hass)
    devices = registry.async_get_devices(connections={(dr.CONNECTION_NETWORK_MAC, CAMERA)})
    ours = next(device for device in devices if device.config_entry_id == loaded.entry_id)

    assert {device.id for device in devices} == {camera.id, ours.id}
    assert ours.name == "Porch camera"
    assert ours.area_id == camera.area_id
    assert registry.async_get(ours.via_device_id).identifiers == {(DOMAIN, loaded.unique_id)}


async def test_devices_that_are_enrolled_no_longer_go(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """Leaving a device out removes it with its entities."""
    hass.config_entries.async_update_entry(
        loaded, options={**loaded.options, CONF_DEVICES: [CAMERA]}
    )
    assert await hass.config_entries.async_reload(loaded.entry_id)
    await hass.async_block_till_done()

    names = {device.name for device in _devices(hass, loaded)}
    assert names == {"fwid (pi)", "Porch camera"}
    assert hass.states.get("sensor.wemo_firmware_stability") is None


async def test_a_person_can_remove_a_device_but_not_the_agent(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A removed device stays away; the agent goes with its entry only."""
    registry = dr.async_get(hass)
    by_name = {device.name: device for device in _devices(hass, loaded)}
    remove = custom_remove(hass)

    assert not await remove(hass, loaded, by_name["fwid (pi)"])
    assert await remove(hass, loaded, by_name["wemo"])
    registry.async_remove_device(by_name["wemo"].id)

    assert await hass.config_entries.async_reload(loaded.entry_id)
    assert {device.name for device in _devices(hass, loaded)} == {"fwid (pi)", "Porch camera"}


async def test_a_device_that_the_agent_has_forgotten_is_unavailable(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """An agent with a new store knows fewer devices; theirs is no state."""
    del agent.devices[PLUG]
    agent.tell_changed()

    await until(
        lambda: hass.states.get("sensor.wemo_firmware_stability").state == STATE_UNAVAILABLE
    )
    agent.devices[PLUG] = make_device(PLUG)
    agent.tell_changed()
    await until(lambda: hass.states.get("sensor.wemo_firmware_stability").state == "stable")


async def test_removing_leaves_nothing_behind(
    hass: HomeAssistant, hass_storage: dict[str, Any], loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """No entity, device, repair, stored file or token is left, and no discovery waits."""
    agent.sources = [agent.source(capturing=False, trouble="eth0 is gone")]
    agent.devices["aa:aa:aa:00:00:01"] = make_device(
        "a8:aa:aa:00:00:01", first_seen="2026-03-02T00:00:00.000Z"
    )
    agent.happen(CAMERA, "behaves_differently")
    await until(lambda: ir.async_get(hass).issues)
    await until(hass.config_entries.flow.async_progress)

    await hass.config_entries.async_remove(loaded.entry_id)
    await hass.async_block_till_done()

    assert agent.tokens == {}
    assert not er.async_get(hass).entities.get_entries_for_config_entry_id(loaded.entry_id)
    assert not _devices(hass, loaded)
    assert not ir.async_get(hass).issues
    assert not hass.config_entries.flow.async_progress()
    assert not [key for key in hass_storage if key.startswith("fwid")]
    assert not [state for state in hass.states.async_all() if "wemo" in state.entity_id]


async def test_an_agent_that_is_gone_can_be_removed(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Nobody has to bring an agent back to get rid of it."""
    await agent.stop()

    await hass.config_entries.async_remove(loaded.entry_id)

    assert not hass.config_entries.async_entries(DOMAIN)


async def test_nothing_more_is_told_once_home_assistant_stops(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Automations are stopping as well: what comes now is told after the next start."""
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await until(lambda: agent.followers == 0)

    agent.change_version(CAMERA)
    assert loaded.runtime_data.journal.last_seq == 0


async def test_a_clock_that_is_wrong_does_not_shift_what_is_asked(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Times of our clock are told to the agent in times of its own."""
    agent.clock = lambda: datetime(2016, 4, 21, 12, tzinfo=UTC)
    agent.tell_changed()
    await until(lambda: ir.async_get(hass).issues)

    coordinator = loaded.runtime_data
    await coordinator.async_mute(PLUG, datetime.now(UTC))

    _, action, words = agent.actions[-1]
    assert action == "mute"
    assert words["until"].startswith("2016-04-21T12:0")


def custom_remove(hass: HomeAssistant) -> Any:
    from custom_components.fwid import async_remove_config_entry_device

    return async_remove_config_entry_device


def _devices(hass: HomeAssistant, entry: MockConfigEntry) -> list[dr.DeviceEntry]:
    return dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)

"""What Home Assistant knows of what devices are, and what of it the agent is told."""

import asyncio
from typing import Any

import pytest
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.fwid.const import CONF_DEVICES, CONF_SHARE_KINDS
from custom_components.fwid.kinds import choose_category, find_kind, make_label
from custom_components.fwid.models import Category, Kind
from tests.integration.conftest import CAMERA, PLUG, until
from tests.integration.fake_agent import FakeAgent, Json

TOLD = {"label": "D-Link DCS-930L", "category": "Surveillance", "source": "home_assistant"}
FORGOTTEN = {"label": None, "category": None, "source": "home_assistant"}


def add_entity(hass: HomeAssistant, device: dr.DeviceEntry, domain: str, **fields: Any) -> None:
    """Let another integration have an entity of a device."""
    number = len(er.async_entries_for_device(er.async_get(hass), device.id))
    er.async_get(hass).async_get_or_create(
        domain, "camera_maker", f"{device.id}-{number}", device_id=device.id, **fields
    )


@pytest.fixture
def known(hass: HomeAssistant, camera: dr.DeviceEntry) -> dr.DeviceEntry:
    """The camera, with maker, model and a picture, as another integration knows it."""
    dr.async_get(hass).async_update_device(camera.id, manufacturer="D-Link", model="DCS-930L")
    add_entity(hass, camera, "camera")
    return camera


@pytest.fixture
async def sharing(
    hass: HomeAssistant, entry: MockConfigEntry, known: dr.DeviceEntry, agent: FakeAgent
) -> MockConfigEntry:
    """An entry whose owner agrees to share what devices are."""
    share(hass, entry, agrees=True)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: kinds(agent) == [TOLD])
    await until(lambda: agent.followers)
    await hass.async_block_till_done()
    return entry


def share(hass: HomeAssistant, entry: MockConfigEntry, *, agrees: bool) -> None:
    options = {**entry.options, CONF_SHARE_KINDS: agrees}
    hass.config_entries.async_update_entry(entry, options=options)


def kinds(agent: FakeAgent) -> list[Json]:
    return [words for _, action, words in agent.actions if action == "kind"]


async def settle(hass: HomeAssistant) -> None:
    """Give what runs in the background time to do what it should not."""
    await asyncio.sleep(0.1)
    await hass.async_block_till_done()


async def test_nothing_is_told_without_consent(
    hass: HomeAssistant, known: dr.DeviceEntry, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """What other integrations know stays with Home Assistant."""
    dr.async_get(hass).async_update_device(known.id, model="DCS-935L")
    agent.tell_changed()
    await settle(hass)
    assert kinds(agent) == []


async def test_what_a_device_is_is_told_once_and_when_it_changes(
    hass: HomeAssistant, sharing: MockConfigEntry, known: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """Not at every word of the agent, and not after a restart either."""
    for _ in range(2):
        agent.tell_changed()
        await settle(hass)
    assert await hass.config_entries.async_reload(sharing.entry_id)
    await settle(hass)
    assert kinds(agent) == [TOLD]

    dr.async_get(hass).async_update_device(known.id, name_by_user="Eye")
    dr.async_get(hass).async_update_device(known.id, model="DCS-935L")
    await until(lambda: len(kinds(agent)) == 2)
    assert kinds(agent)[1] == {**TOLD, "label": "D-Link DCS-935L"}


async def test_hardware_that_comes_later_is_told_with_its_entities(
    hass: HomeAssistant, sharing: MockConfigEntry, agent: FakeAgent
) -> None:
    """An integration makes its device first and the entities then: before, too little is known."""
    other = MockConfigEntry(domain="plug_maker")
    other.add_to_hass(hass)
    plug = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id,
        identifiers={("plug_maker", "1")},
        connections={(dr.CONNECTION_NETWORK_MAC, PLUG)},
        manufacturer="Belkin",
        model="WeMo Switch",
    )
    er.async_get(hass).async_get_or_create("sensor", "nobody", "1")
    await settle(hass)
    assert len(kinds(agent)) == 1
    add_entity(hass, plug, "switch")
    await until(lambda: len(kinds(agent)) == 2)
    assert kinds(agent)[1] == {
        **TOLD, "label": "Belkin WeMo Switch", "category": "Home Automation",
    }  # fmt: skip


async def test_an_agent_that_is_away_is_told_when_it_is_back(
    hass: HomeAssistant, sharing: MockConfigEntry, known: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """A word that could not be told is told at the next occasion."""
    path = f"devices/{CAMERA}/kind"
    agent.failing[path] = 401  # as one that has just been told to forget us
    dr.async_get(hass).async_update_device(known.id, model="DCS-935L")
    await until(lambda: agent.requests.count(f"POST {path}") == 2)
    await settle(hass)
    agent.failing.clear()
    agent.tell_changed()
    await until(lambda: kinds(agent)[1:] == [{**TOLD, "label": "D-Link DCS-935L"}])


async def test_an_agent_that_refuses_is_not_asked_again_and_again(
    hass: HomeAssistant, sharing: MockConfigEntry, known: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """Until there is something else to tell."""
    path = f"devices/{CAMERA}/kind"
    agent.failing[path] = 409
    dr.async_get(hass).async_update_device(known.id, model="DCS-935L")
    await until(lambda: agent.requests.count(f"POST {path}") == 2)
    for _ in range(3):
        agent.tell_changed()
        await settle(hass)
    assert agent.requests.count(f"POST {path}") == 2


async def test_an_older_agent_is_told_nothing(
    hass: HomeAssistant, entry: MockConfigEntry, known: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """It does not know the question."""
    agent.is_older = True
    share(hass, entry, agrees=True)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    assert kinds(agent) == []


@pytest.mark.parametrize("covered", [False, True])
async def test_consent_that_is_taken_back_takes_back_what_was_told(
    hass: HomeAssistant, sharing: MockConfigEntry, agent: FakeAgent, covered: bool
) -> None:
    """Also where a person's word hides it; and nothing is told twice."""
    if covered:
        agent._set_kind(CAMERA, {"label": "Mine", "category": None, "source": "person"})
        agent.tell_changed()
        await settle(hass)
        assert kinds(agent) == [TOLD]
    share(hass, sharing, agrees=False)
    assert await hass.config_entries.async_reload(sharing.entry_id)
    await until(lambda: kinds(agent)[1:] == [FORGOTTEN])
    assert (CAMERA, "home_assistant") not in agent.kinds
    assert await hass.config_entries.async_reload(sharing.entry_id)
    await settle(hass)
    assert len(kinds(agent)) == 2


async def test_a_device_that_is_shown_no_longer_is_taken_back(
    hass: HomeAssistant, sharing: MockConfigEntry, agent: FakeAgent
) -> None:
    """Consent is for the devices that were chosen; one that the agent forgot is no trouble."""
    del agent.devices[CAMERA]
    options = {**sharing.options, CONF_DEVICES: [PLUG]}
    hass.config_entries.async_update_entry(sharing, options=options)
    assert await hass.config_entries.async_reload(sharing.entry_id)
    await until(lambda: sharing.runtime_data.journal.kinds == set())
    assert f"POST devices/{CAMERA}/kind" in agent.requests


@pytest.mark.parametrize("forgotten", [False, True])
async def test_removing_the_agent_takes_back_what_was_told(
    hass: HomeAssistant, sharing: MockConfigEntry, agent: FakeAgent, forgotten: bool
) -> None:
    """Nothing is left behind there, and the token goes last."""
    if forgotten:
        agent.failing[f"devices/{CAMERA}/kind"] = 404
    await hass.config_entries.async_remove(sharing.entry_id)
    assert kinds(agent) == ([TOLD] if forgotten else [TOLD, FORGOTTEN])
    assert agent.tokens == {}


async def test_clients_of_a_router_are_not_what_the_router_calls_them(
    hass: HomeAssistant, camera: dr.DeviceEntry
) -> None:
    """A router's integration makes a device of each client, by its own maker and model."""
    registry = dr.async_get(hass)
    registry.async_update_device(camera.id, manufacturer="Router maker", model="Tracked device")
    add_entity(hass, camera, "device_tracker")
    add_entity(hass, camera, "switch", entity_category=EntityCategory.CONFIG)
    add_entity(hass, camera, "sensor", entity_category=EntityCategory.DIAGNOSTIC)
    assert find_kind(hass, CAMERA) is None
    add_entity(hass, camera, "binary_sensor")
    assert find_kind(hass, CAMERA) == Kind("Router maker Tracked device")


async def test_what_has_others_behind_it_is_a_hub(
    hass: HomeAssistant, camera: dr.DeviceEntry
) -> None:
    """A bridge has hardly an entity of its own."""
    registry = dr.async_get(hass)
    registry.async_update_device(camera.id, manufacturer="Signify", model="Hue bridge")
    assert find_kind(hass, CAMERA) is None
    registry.async_get_or_create(
        config_entry_id=camera.config_entry_id,
        identifiers={("camera_maker", "2")},
        via_device_id=camera.id,
    )
    assert find_kind(hass, CAMERA) == Kind("Signify Hue bridge", Category.HUB)


@pytest.mark.parametrize(
    ("domains", "is_hub", "category"),
    [
        ({("camera", None), ("switch", None)}, False, Category.SURVEILLANCE),
        ({("camera", None), ("vacuum", None)}, False, Category.APPLIANCE),
        ({("media_player", "tv")}, False, Category.MEDIA),
        ({("media_player", None)}, True, Category.MEDIA),
        ({("media_player", "speaker")}, False, Category.AUDIO),
        ({("media_player", "speaker"), ("media_player", "tv")}, False, Category.MEDIA),
        ({("remote", None)}, False, Category.MEDIA),
        ({("assist_satellite", None)}, False, Category.AUDIO),
        ({("light", None)}, True, Category.HUB),
        ({("light", None), ("sensor", "power")}, False, Category.HOME_AUTOMATION),
        ({("sensor", "temperature")}, False, None),
    ],
)
def test_which_category_it_is(
    domains: set[tuple[str, str | None]], is_hub: bool, category: Category | None
) -> None:
    """By what says most; where nothing does, nothing is said."""
    assert choose_category(domains, is_hub=is_hub) is category


@pytest.mark.parametrize(
    ("maker", "model", "label"),
    [
        ("D-Link", "DCS-930L", "D-Link DCS-930L"),
        ("Philips", "Philips Hue bridge", "Philips Hue bridge"),
        (None, "DCS-930L", "DCS-930L"),
        ("D-Link", None, "D-Link"),
        (" ", "", None),
        ("a\u202eb", "c\n d\x00", "ab c d"),
        ("x" * 60, "y" * 60, "x" * 60 + " yyy"),
    ],
)
def test_what_it_is_called(maker: str | None, model: str | None, label: str | None) -> None:
    """Never what the agent would refuse."""
    assert make_label(maker, model) == label

"""What Home Assistant knows of firmware versions, and what of it the agent is told."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.fwid.const import CONF_SHARE_VERSIONS
from custom_components.fwid.models import VersionName
from custom_components.fwid.parsing import parse_device
from custom_components.fwid.versions import plan_label
from tests.integration.conftest import CAMERA, until
from tests.integration.fake_agent import FakeAgent, Json, make_device


@pytest.fixture
async def sharing(
    hass: HomeAssistant, entry: MockConfigEntry, camera: dr.DeviceEntry, agent: FakeAgent
) -> MockConfigEntry:
    """An entry whose owner agrees to share versions."""
    hass.config_entries.async_update_entry(
        entry, options={**entry.options, CONF_SHARE_VERSIONS: True}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: agent.answers["GET devices"] == 2)
    await settle(hass)
    return entry


async def settle(hass: HomeAssistant) -> None:
    """Give what runs in the background time to do what it should not."""
    await asyncio.sleep(0.1)
    await hass.async_block_till_done()


def labels(agent: FakeAgent) -> list[Json]:
    return [words for _, action, words in agent.actions if action == "label"]


async def test_versions_are_not_shared_without_consent(
    hass: HomeAssistant, loaded: MockConfigEntry, camera: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """What other integrations know stays with Home Assistant."""
    dr.async_get(hass).async_update_device(camera.id, sw_version="1.7.5")
    await settle(hass)

    assert labels(agent) == []


async def test_versions_get_their_names_as_they_come(
    hass: HomeAssistant, sharing: MockConfigEntry, camera: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """The first at once, the next when both the hardware and the agent have told of it."""
    await until(lambda: labels(agent) == [{"version": 1, "label": "1.1.0"}])

    dr.async_get(hass).async_update_device(camera.id, sw_version="1.7.5")
    await settle(hass)
    assert len(labels(agent)) == 1  # the agent has not seen another version yet

    agent.change_version(CAMERA)
    await until(lambda: len(labels(agent)) == 2)
    assert labels(agent)[1] == {"version": 2, "label": "1.7.5"}


async def test_a_version_that_is_told_late_is_named_late(
    hass: HomeAssistant, sharing: MockConfigEntry, camera: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """A change that the agent sees first has no name until the hardware tells."""
    await until(lambda: len(labels(agent)) == 1)
    agent.change_version(CAMERA)
    await until(lambda: sharing.runtime_data.journal.last_seq == 1)
    await settle(hass)
    assert len(labels(agent)) == 1

    dr.async_get(hass).async_update_device(camera.id, sw_version="1.7.5")
    await until(lambda: labels(agent)[1:] == [{"version": 2, "label": "1.7.5"}])


async def test_an_agent_that_does_not_take_a_name_is_asked_again_later(
    hass: HomeAssistant, sharing: MockConfigEntry, camera: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """A name is no reason for an error; it is told when there is the next occasion."""
    await until(lambda: len(labels(agent)) == 1)
    agent.failing[f"devices/{CAMERA}/label"] = 503
    dr.async_get(hass).async_update_device(camera.id, sw_version="1.7.5")
    agent.change_version(CAMERA)
    await until(lambda: agent.requests.count(f"POST devices/{CAMERA}/label") == 2)
    await settle(hass)

    agent.failing.clear()
    agent.tell_changed()
    await until(lambda: labels(agent)[1:] == [{"version": 2, "label": "1.7.5"}])


async def test_hardware_that_comes_later_names_its_version(
    hass: HomeAssistant, sharing: MockConfigEntry, agent: FakeAgent
) -> None:
    """An integration that is added afterwards counts as well; one of other hardware does not."""
    other = MockConfigEntry(domain="plug_maker")
    other.add_to_hass(hass)
    registry = dr.async_get(hass)
    registry.async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("plug_maker", "0")}, sw_version="9"
    )
    registry.async_get_or_create(
        config_entry_id=other.entry_id,
        identifiers={("plug_maker", "1")},
        connections={(dr.CONNECTION_NETWORK_MAC, "94:10:3e:35:01:c1")},
        sw_version="2.0",
    )

    await until(lambda: {"version": 1, "label": "2.0"} in labels(agent))
    assert {"version": 1, "label": "9"} not in labels(agent)


@pytest.mark.parametrize(
    ("fields", "sw_version", "planned"),
    [
        ({}, "1.0", (1, "1.0")),
        ({"versions": [{"version": 1, "label": "mine"}]}, "1.0", None),
        ({"version": None, "state": None}, "1.0", None),
        ({"versions": []}, "1.0", None),
        ({"version": 2, "versions": [(1, "1.0"), (2, None)]}, "2.0", (2, "2.0")),
        ({"version": 2, "versions": [(1, "1.0"), (2, None)]}, "1.0", None),
        ({"state": "changed", "versions": [(1, "1.0"), (2, None)]}, "2.0", (2, "2.0")),
        ({"state": "changed", "versions": [(1, None), (2, None)]}, "2.0", (2, "2.0")),
        ({"state": "changed", "versions": [(1, "1.0"), (2, None)]}, "1.0", None),
        ({"state": "changed", "versions": [(1, None), (2, "2.0")]}, "1.0", None),
        ({"version": 1, "versions": [(1, "1.0"), (2, "2.0")]}, "3.0", None),
    ],
)
def test_which_version_gets_the_name(
    fields: Json, sw_version: str, planned: tuple[int, str] | None
) -> None:
    """No name is taken away or given twice, and a name never goes to a version before it."""
    known = [
        dict(zip(("version", "label"), each, strict=True)) if isinstance(each, tuple) else each
        for each in fields.get("versions", [{"version": 1, "label": None}])
    ]
    device = parse_device(make_device(CAMERA, **{**fields, "versions": known}))

    assert plan_label(device, sw_version) == (VersionName(*planned) if planned else None)


async def start_update(hass: HomeAssistant, camera: dr.DeviceEntry) -> str:
    """Let another integration's update entity tell that an update runs."""
    entity = er.async_get(hass).async_get_or_create(
        "update", "camera_maker", "1", device_id=camera.id
    )
    hass.states.async_set(entity.entity_id, "on", {"in_progress": False})
    hass.states.async_set(entity.entity_id, "on", {"in_progress": True})
    await hass.async_block_till_done()
    return entity.entity_id


async def test_an_update_that_is_started_here_is_expected(
    hass: HomeAssistant, loaded: MockConfigEntry, camera: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """The agent is told once, for as long as a change may take to be noticed."""
    entity_id = await start_update(hass, camera)
    hass.states.async_set(entity_id, "on", {"in_progress": True, "update_percentage": 50})
    hass.states.async_set(entity_id, "off", {"in_progress": False})
    await hass.async_block_till_done()

    (action,) = agent.actions
    assert action[:2] == (CAMERA, "expect-update")
    until_ = datetime.fromisoformat(action[2]["until"])
    assert abs(until_ - datetime.now(UTC) - timedelta(days=3)) < timedelta(minutes=1)


async def test_updates_of_other_hardware_are_nobodys(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """An update without a device, or of one that is not watched, is not told."""
    hass.states.async_set("update.nobody", "on", {"in_progress": True})
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id,
        identifiers={("other", "1")},
        connections={(dr.CONNECTION_NETWORK_MAC, "b8:00:00:00:00:01")},
    )
    entity = er.async_get(hass).async_get_or_create("update", "other", "1", device_id=device.id)
    hass.states.async_set(entity.entity_id, "on", {"in_progress": True})
    hass.states.async_remove(entity.entity_id)
    await hass.async_block_till_done()

    assert agent.actions == []


async def test_an_agent_that_cannot_be_told_of_an_update_is_logged(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    camera: dr.DeviceEntry,
    agent: FakeAgent,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The update goes on; the change will look unexpected, and the log says why."""
    await agent.stop()

    await start_update(hass, camera)

    assert "The agent could not be told of an update" in caplog.text

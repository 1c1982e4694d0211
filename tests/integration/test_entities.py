"""The entities as people see them, held by snapshots."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN
from homeassistant.components.button import SERVICE_PRESS
from homeassistant.config_entries import RELOAD_AFTER_UPDATE_DELAY
from homeassistant.const import (
    ATTR_ENTITY_ID,
    CONF_PORT,
    STATE_UNAVAILABLE,
    STATE_UNKNOWN,
    Platform,
)
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    snapshot_platform,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

from custom_components.fwid.parsing import parse_device
from custom_components.fwid.sensor import judge_confidence
from tests.integration.conftest import CAMERA, PLUG, until
from tests.integration.fake_agent import PNG, FakeAgent, make_device

STABILITY = "sensor.porch_porch_camera_firmware_stability"
ACCEPT = "button.porch_porch_camera_accept_new_behavior"
NOW = "image.porch_porch_camera_fingerprint_now"
BEFORE = "image.porch_porch_camera_fingerprint_before"


@pytest.fixture(autouse=True)
def _access_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give images the same address each time."""
    monkeypatch.setattr("homeassistant.components.image._RND.getrandbits", lambda _: 1)


@pytest.mark.usefixtures("every_entity")
@pytest.mark.parametrize(
    "platform", [Platform.BUTTON, Platform.EVENT, Platform.IMAGE, Platform.SENSOR]
)
async def test_entities(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
    entry: MockConfigEntry,
    camera: dr.DeviceEntry,
    agent: FakeAgent,
    platform: Platform,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A camera whose firmware has changed and a plug as always, with every entity there is."""
    agent.change_version(CAMERA)
    monkeypatch.setattr("custom_components.fwid.PLATFORMS", [platform])
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: agent.answers["GET devices"] == 2)
    await hass.async_block_till_done()

    await snapshot_platform(hass, entity_registry, snapshot, entry.entry_id)


async def test_devices(
    hass: HomeAssistant, snapshot: SnapshotAssertion, loaded: MockConfigEntry
) -> None:
    """The agent, and a device for each that is enrolled, linked by its MAC."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)

    by_name = sorted(devices, key=lambda device: device.name or "")
    assert by_name == snapshot(exclude=props("configuration_url"))
    assert [device.configuration_url for device in by_name] == [
        None,
        f"https://127.0.0.1:{loaded.data[CONF_PORT]}/",
        None,
    ]


async def test_noisy_entities_are_off_at_first(
    hass: HomeAssistant, entity_registry: er.EntityRegistry, loaded: MockConfigEntry
) -> None:
    """Who wants figures and images turns them on."""
    disabled = {
        entry.translation_key
        for entry in er.async_entries_for_config_entry(entity_registry, loaded.entry_id)
        if entry.disabled_by
    }
    assert disabled == {"effect_size", "similarity", "fingerprint_before", "fingerprint_now"}


async def test_everything_is_unavailable_while_the_agent_is_away(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """What is not known is not shown as if it were."""
    await agent.stop()
    await until(lambda: hass.states.get(STABILITY).state == STATE_UNAVAILABLE)

    ours = [s for s in hass.states.async_all() if "camera" in s.entity_id or "wemo" in s.entity_id]
    assert {state.state for state in ours} == {STATE_UNAVAILABLE}


async def test_only_entities_whose_device_changed_are_written(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Forty devices do not become four hundred writes whenever one of them moves."""
    reported = {s.entity_id: s.last_reported for s in hass.states.async_all()}
    agent.set_device(CAMERA, state="suspected")
    agent.tell_changed()
    await until(lambda: hass.states.get(STABILITY).state == "suspected")

    for state in hass.states.async_all():
        is_camera = "camera" in state.entity_id
        assert (state.last_reported > reported[state.entity_id]) is is_camera, state.entity_id


async def test_the_button_accepts_a_change(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """The new state is there at once, and the agent's event follows."""
    agent.change_version(CAMERA)
    await until(lambda: hass.states.get(STABILITY).state == "changed")

    await hass.services.async_call(
        BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: ACCEPT}, blocking=True
    )

    assert agent.actions == [(CAMERA, "accept", {})]
    assert hass.states.get(STABILITY).state == "stable"
    assert hass.states.get("sensor.porch_porch_camera_version").state == "2"
    event = "event.porch_porch_camera_firmware"
    await until(lambda: hass.states.get(event).attributes["event_type"] == "accepted")


@pytest.mark.parametrize(
    ("status", "error", "key"),
    [(409, ServiceValidationError, "refused"), (503, ServiceValidationError, "refused")],
)
async def test_a_button_that_the_agent_refuses_says_why(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    status: int,
    error: type[HomeAssistantError],
    key: str,
) -> None:
    """The agent's own line reaches the person."""
    agent.failing[f"devices/{CAMERA}/accept"] = status

    with pytest.raises(error) as raised:
        await hass.services.async_call(
            BUTTON_DOMAIN, SERVICE_PRESS, {ATTR_ENTITY_ID: ACCEPT}, blocking=True
        )

    assert raised.value.translation_key == key
    assert "a fault that a test wants" in str(raised.value)


async def test_images_are_asked_for_when_somebody_looks(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """An image that is not there yet is no fault; one of a changed device has another time."""
    for entity_id in (NOW, BEFORE):
        entity_registry.async_update_entity(entity_id, disabled_by=None)
    async_fire_time_changed(
        hass, dt_util.utcnow() + timedelta(seconds=RELOAD_AFTER_UPDATE_DELAY + 1)
    )
    await until(lambda: hass.states.get(NOW))
    assert not [request for request in agent.requests if "image" in request]
    client = await hass_client()

    response = await client.get(hass.states.get(NOW).attributes["entity_picture"])
    assert response.status == HTTPStatus.INTERNAL_SERVER_ERROR

    agent.images = {(CAMERA, "after"): PNG}
    response = await client.get(hass.states.get(NOW).attributes["entity_picture"])
    assert response.status == HTTPStatus.OK
    assert response.content_type == "image/png"
    assert await response.read() == PNG

    before = hass.states.get(NOW).state
    agent.change_version(CAMERA)
    await until(lambda: hass.states.get(NOW).state != before)


async def test_a_device_that_is_not_known_has_no_image_time(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    agent: FakeAgent,
    every_entity: None,
) -> None:
    """An entity whose device the agent has forgotten does not stumble."""
    del agent.devices[PLUG]
    assert await hass.config_entries.async_setup(entry.entry_id)

    name = PLUG.replace(":", "_")
    for entity_id in (f"image.{name}_fingerprint_now", f"sensor.{name}_firmware_stability"):
        assert hass.states.get(entity_id).state == STATE_UNAVAILABLE
    platform_sensor = hass.data["entity_components"]["sensor"].get_entity(
        f"sensor.{name}_firmware_stability"
    )
    assert platform_sensor.native_value is None
    assert platform_sensor.extra_state_attributes is None


async def test_a_device_that_is_only_seen_has_no_state(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """Unknown is not the same as stable."""
    agent.set_device(PLUG, state=None, since=None, version=None, similarity=None, g=None)
    agent.tell_changed()
    await until(lambda: hass.states.get("sensor.wemo_firmware_stability").state == STATE_UNKNOWN)
    assert hass.states.get("sensor.wemo_version").state == STATE_UNKNOWN


@pytest.mark.parametrize(
    ("fields", "confidence"),
    [
        ({}, "high"),
        ({"state": "changed"}, "high"),
        ({"sizes_reliable": False}, "medium"),
        ({"vantage": "unknown"}, "medium"),
        ({"vantage": "multicast"}, "low"),
        ({"state": "quiet"}, "medium"),
        ({"state": "learning"}, "low"),
        ({"state": None}, "low"),
    ],
)
def test_confidence_says_how_much_the_agent_sees(fields: dict[str, Any], confidence: str) -> None:
    """A state that rests on little is marked as such."""
    assert judge_confidence(parse_device(make_device(CAMERA, **fields))) == confidence


def test_long_attributes_stay_out_of_the_recorder(hass: HomeAssistant) -> None:
    """Sentences are not written into the database each time."""
    from custom_components.fwid.event import FirmwareEvent
    from custom_components.fwid.sensor import StabilitySensor

    for entity in (FirmwareEvent, StabilitySensor):
        assert "reasons" in entity._unrecorded_attributes

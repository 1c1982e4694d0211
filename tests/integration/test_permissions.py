"""Who may see and decide: whoever may do so with a device's sensor, by each way that there is."""

from http import HTTPStatus
from typing import Any

import pytest
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.fwid.const import DOMAIN
from tests.integration.conftest import CAMERA, PLUG, device_id_of
from tests.integration.fake_agent import PNG, FakeAgent

WIDE = {
    "accept": {},
    "expect_update": {},
    "label_version": {"label": "1.7.5"},
    "mute": {},
    "relearn": {},
    "wrong_alarm": {"event": "1"},
}


def only(user: MockUser, mac_sensor: str, **may: bool) -> None:
    """Let a user do this with one entity, and nothing else."""
    user.groups = []
    user.mock_policy({"entities": {"entity_ids": {mac_sensor: may}}})


@pytest.mark.parametrize("action", WIDE)
async def test_who_may_only_look_decides_nothing(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    hass_read_only_user: MockUser,
    action: str,
) -> None:
    """A tablet on the wall shows everything, and silences nothing."""
    data = {"device_id": device_id_of(hass, CAMERA), **WIDE[action]}
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN, action, data, True, Context(user_id=hass_read_only_user.id)
        )
    with pytest.raises(UnknownUser):
        await hass.services.async_call(DOMAIN, action, data, True, Context(user_id="gone"))

    assert agent.actions == []


async def test_who_may_control_some_devices_decides_about_these(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, hass_read_only_user: MockUser
) -> None:
    """One device too many in a call, and nothing of it is done."""
    only(hass_read_only_user, "sensor.wemo_firmware_stability", control=True)
    context = Context(user_id=hass_read_only_user.id)
    camera, plug = device_id_of(hass, CAMERA), device_id_of(hass, PLUG)

    with pytest.raises(Unauthorized):
        await hass.services.async_call(DOMAIN, "mute", {"device_id": [plug, camera]}, True, context)
    assert agent.actions == []
    await hass.services.async_call(DOMAIN, "mute", {"device_id": plug}, True, context)
    assert [mac for mac, *_ in agent.actions] == [PLUG]


async def test_evidence_is_for_who_may_look(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_read_only_user: MockUser
) -> None:
    """Reading changes nothing; who may not see the device does not get its history."""
    context = Context(user_id=hass_read_only_user.id)

    async def export() -> Any:
        data = {"device_id": device_id_of(hass, CAMERA)}
        return await hass.services.async_call(
            DOMAIN, "export_evidence", data, True, context, return_response=True
        )

    assert (await export())["mac"] == CAMERA
    only(hass_read_only_user, "sensor.wemo_firmware_stability", read=True)
    with pytest.raises(Unauthorized):
        await export()


async def test_the_card_of_a_user_shows_what_the_user_may_see(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_client: ClientSessionGenerator,
    hass_read_only_user: MockUser,
    hass_read_only_access_token: str,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """Devices, their history and their images are left out alike."""
    only(hass_read_only_user, "sensor.wemo_firmware_stability", read=True)
    agent.images[CAMERA, "after"] = agent.images[PLUG, "after"] = PNG
    socket = await hass_ws_client(hass, hass_read_only_access_token)
    web = await hass_client(hass_read_only_access_token)

    await socket.send_json_auto_id({"type": "fwid/devices"})
    answer = await socket.receive_json()
    assert [each["name"] for each in answer["result"]["devices"]] == ["wemo"]
    for mac, code, status in (
        (PLUG, None, HTTPStatus.OK),
        (CAMERA, "unauthorized", HTTPStatus.UNAUTHORIZED),
    ):
        device_id = device_id_of(hass, mac)
        await socket.send_json_auto_id({"type": "fwid/history", "device_id": device_id})
        answer = await socket.receive_json()
        assert answer.get("error", {}).get("code") == code
        response = await web.get(f"/api/fwid/image/{device_id}/after.png")
        assert response.status == status

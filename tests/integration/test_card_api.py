"""What the card asks: devices, history, images; for everybody who is logged in, and nobody else."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from homeassistant.components.frontend.storage import async_user_store
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.fwid.const import DOMAIN
from tests.integration.conftest import CAMERA, PLUG, device_id_of, until
from tests.integration.fake_agent import PNG, START, FakeAgent, format_time, make_identified

SENTENCE = "DNS sent at home, size 90 bytes in every first flight: was 100"


async def ask(client: Any, kind: str, **words: Any) -> dict[str, Any]:
    await client.send_json_auto_id({"type": f"{DOMAIN}/{kind}", **words})
    return await client.receive_json()


async def test_devices_are_described_with_all_that_the_card_shows(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """Any user may look; a renamed device has its new name, a changed one its reasons."""
    plug = device_id_of(hass, PLUG)
    dr.async_get(hass).async_update_device(plug, name_by_user="Kettle plug")
    agent.set_device(PLUG, identified=make_identified())
    event = agent.change_version(CAMERA)
    await until(lambda: loaded.runtime_data.journal.last_seq == 1)
    client = await hass_ws_client(access_token=hass_read_only_access_token)

    answer = await ask(client, "devices")

    assert answer["result"] == {
        "devices": [
            {
                "device_id": device_id_of(hass, CAMERA),
                "entry_id": loaded.entry_id,
                "name": "Porch camera",
                "area": "Porch",
                "state": "changed",
                "available": True,
                "version": 1,
                "label": None,
                "since": "2026-03-02T00:00:00+00:00",
                "similarity": 0.41,
                "effect_size": 2.4,
                "reasons": [SENTENCE],
                "cause": "software",
                "identified": None,
                "entity_id": "sensor.porch_porch_camera_firmware_stability",
                "event_entity_id": "event.porch_porch_camera_firmware",
                "accept_entity_id": "button.porch_porch_camera_accept_new_behavior",
                "alarm_event": event["id"],
            },
            {
                "device_id": plug,
                "entry_id": loaded.entry_id,
                "name": "Kettle plug",
                "area": None,
                "state": "stable",
                "available": True,
                "version": 1,
                "label": None,
                "since": "2026-03-01T00:00:00+00:00",
                "similarity": 0.97,
                "effect_size": 0.1,
                "reasons": [],
                "cause": "none",
                "identified": {
                    "label": "Philips Hue bridge",
                    "category": "hub",
                    "certainty": 0.934,
                    "model": "home",
                    "time": "2026-03-01T00:00:00+00:00",
                    "agrees": None,
                },
                "entity_id": "sensor.wemo_firmware_stability",
                "event_entity_id": "event.wemo_firmware",
                "accept_entity_id": "button.wemo_accept_new_behavior",
                "alarm_event": None,
            },
        ]
    }


async def test_an_alarm_that_was_called_wrong_is_offered_no_more(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """The card's button goes once it was used."""
    agent.change_version(CAMERA)
    await until(lambda: loaded.runtime_data.journal.last_seq == 1)
    client = await hass_ws_client()
    await hass.services.async_call(
        DOMAIN, "wrong_alarm", {"device_id": device_id_of(hass, CAMERA)}, blocking=True
    )

    answer = await ask(client, "devices")

    assert answer["result"]["devices"][0]["alarm_event"] is None


async def test_devices_of_an_agent_that_is_away_are_told_as_such(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """What was known last stays to be seen; a device that is forgotten has no state."""
    client = await hass_ws_client()
    del agent.devices[PLUG]
    agent.tell_changed()
    await until(lambda: len(loaded.runtime_data.data.devices) == 1)
    await agent.stop()
    await until(lambda: not loaded.runtime_data.last_update_success)

    camera, plug = (await ask(client, "devices"))["result"]["devices"]

    assert (camera["available"], camera["state"]) == (False, "stable")
    assert (plug["available"], plug["state"], plug["reasons"]) == (False, None, [])

    await hass.config_entries.async_unload(loaded.entry_id)
    assert (await ask(client, "devices"))["result"] == {"devices": []}


async def test_history_is_asked_of_the_agent(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """Each verdict with its similarity and band, no older than asked for, and all versions."""
    agent.clock = lambda: START + timedelta(days=40)
    agent.change_version(CAMERA)
    row = {
        "state": "stable",
        "version": 1,
        "verdict": "stable",
        "cause": "none",
        "g": None,
        "g_low": None,
        "g_high": None,
        "similarity_baseline": 0.95,
        "similarity_test": 0.93,
        "reasons": [],
    }
    agent.history[CAMERA] = [
        {"time": format_time(START + timedelta(days=day)), **row} for day in (1, 39)
    ]
    await until(lambda: loaded.runtime_data.journal.last_seq == 1)
    client = await hass_ws_client()
    camera = device_id_of(hass, CAMERA)

    answer = await ask(client, "history", device_id=camera)

    assert answer["result"] == {
        "history": [
            {
                "time": "2026-04-09T00:00:00+00:00",
                "state": "stable",
                "version": 1,
                "verdict": "stable",
                "similarity": 0.93,
                "low": None,
                "high": None,
                "g": None,
                "reasons": [],
            }
        ],
        "versions": [{"version": 1, "label": None}, {"version": 2, "label": None}],
    }
    longer = await ask(client, "history", device_id=camera, days=60)
    assert len(longer["result"]["history"]) == 2


async def test_history_that_cannot_be_had_says_why(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """An unknown device, a period without sense, an agent that is away."""
    client = await hass_ws_client()
    camera = device_id_of(hass, CAMERA)

    answer = await ask(client, "history", device_id="?")
    assert answer["error"]["code"] == "not_found"
    answer = await ask(client, "history", device_id=camera, days=0)
    assert answer["error"]["code"] == "invalid_format"
    await agent.stop()
    answer = await ask(client, "history", device_id=camera)
    assert answer["error"]["code"] == "home_assistant_error"
    assert answer["error"]["message"] == "The agent does not answer"


async def test_images_need_a_login_or_a_signed_address(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """A fingerprint tells of a home: it is not for everybody on the network."""
    agent.images[CAMERA, "difference"] = PNG
    path = f"/api/fwid/image/{device_id_of(hass, CAMERA)}/difference.png"
    assert await async_setup_component(hass, "auth", {})
    nobody, somebody = await hass_client_no_auth(), await hass_client()
    websocket = await hass_ws_client()

    assert (await nobody.get(path)).status == HTTPStatus.UNAUTHORIZED
    response = await somebody.get(path)
    assert (response.status, response.content_type) == (HTTPStatus.OK, "image/png")
    assert await response.read() == PNG

    await websocket.send_json_auto_id({"type": "auth/sign_path", "path": path})
    signed = (await websocket.receive_json())["result"]["path"]
    response = await nobody.get(signed)
    assert response.status == HTTPStatus.OK
    assert (await nobody.get(signed.replace("difference", "after"))).status == (
        HTTPStatus.UNAUTHORIZED
    )


@pytest.mark.parametrize("which", ["before", "after", "difference"])
async def test_an_image_that_is_not_there_is_not_found(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    which: str,
) -> None:
    """No image yet, no such device, no such kind, no agent: each has its status."""
    client = await hass_client()
    camera = device_id_of(hass, CAMERA)

    for path in (f"{camera}/{which}", f"?/{which}", f"{camera}/other"):
        response = await client.get(f"/api/fwid/image/{path}.png")
        assert response.status == HTTPStatus.NOT_FOUND

    await agent.stop()
    response = await client.get(f"/api/fwid/image/{camera}/{which}.png")
    assert response.status == HTTPStatus.BAD_GATEWAY


async def test_the_card_gets_an_answer_without_any_agent(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> None:
    """A dashboard may be older than the entry."""
    assert await async_setup_component(hass, DOMAIN, {})
    client = await hass_ws_client()

    assert (await ask(client, "devices"))["result"] == {"devices": []}


async def test_reasons_are_in_the_language_that_is_asked_for(
    hass: HomeAssistant,
    hass_ws_client: WebSocketGenerator,
    hass_admin_user: MockUser,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """Each of the household reads their own language, whatever the house's is."""
    agent.change_version(CAMERA)
    await until(lambda: loaded.runtime_data.journal.last_seq == 1)
    client = await hass_ws_client()

    english = await ask(client, "devices", language="en")
    german = await ask(client, "devices", language="de")
    unknown = await ask(client, "devices", language="xx")

    assert english["result"]["devices"][0]["reasons"] == [SENTENCE]
    (sentence,) = german["result"]["devices"][0]["reasons"]
    assert sentence.startswith("DNS")
    assert "Byte" in sentence
    assert sentence != SENTENCE
    assert unknown == english | {"id": unknown["id"]}

    store = await async_user_store(hass, hass_admin_user.id)
    await store.async_set_item("language", {"language": "de"})
    own = await ask(client, "devices")
    assert own == german | {"id": own["id"]}

    for odd in ("de", {"language": 7}, {"language": "../../manifest"}):
        await store.async_set_item("language", odd)
        assert (await ask(client, "devices"))["result"] == english["result"]
    for odd in ("../../manifest", "", 7, "x" * 17):
        assert (await ask(client, "devices", language=odd))["error"]["code"] == "invalid_format"

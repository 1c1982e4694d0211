"""What the card asks: all devices at a glance, and the history of one."""

import re
from typing import Any

import voluptuous as vol
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import websocket_api
from homeassistant.components.frontend.storage import async_user_store
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .coordinator import FwidConfigEntry, FwidCoordinator
from .entity import mac_of
from .evidence import describe_identified, describe_judged
from .permissions import check_user, is_allowed
from .services import find_device
from .words import Strings, describe_reasons

_TAG = re.compile(r"[A-Za-z0-9_-]{1,16}\Z")  # Home Assistant looks for a file of this name
_LANGUAGE: dict[str | vol.Marker, Any] = {vol.Optional("language"): vol.All(str, vol.Match(_TAG))}


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register the commands."""
    websocket_api.async_register_command(hass, devices)
    websocket_api.async_register_command(hass, history)


@websocket_api.websocket_command({vol.Required("type"): f"{DOMAIN}/devices", **_LANGUAGE})
@websocket_api.async_response
async def devices(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: dict[str, Any]
) -> None:
    """Send all enrolled devices of all agents that the user may see."""
    strings = await _read_strings(hass, connection, message)
    entries: list[FwidConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    found = [
        _describe_device(hass, connection.user, entry.runtime_data, device, strings)
        for entry in entries
        if entry.state is ConfigEntryState.LOADED
        for device in dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    ]
    connection.send_result(message["id"], {"devices": [each for each in found if each]})


@websocket_api.websocket_command(
    {
        vol.Required("type"): f"{DOMAIN}/history",
        vol.Required(ATTR_DEVICE_ID): str,
        vol.Optional("days", default=30): vol.All(int, vol.Range(min=1, max=730)),
        **_LANGUAGE,
    }
)
@websocket_api.async_response
async def history(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: dict[str, Any]
) -> None:
    """Send what was decided of a device lately, oldest first."""
    try:
        coordinator, mac = found = find_device(hass, message[ATTR_DEVICE_ID])
        check_user(hass, connection.user, found, POLICY_READ)
        judged = await coordinator.async_history(mac, message["days"])
    except ServiceValidationError as error:
        connection.send_error(message["id"], websocket_api.ERR_NOT_FOUND, str(error))
        return
    except Unauthorized:
        connection.send_error(message["id"], websocket_api.ERR_UNAUTHORIZED, "Unauthorized")
        return
    except HomeAssistantError as error:
        connection.send_error(message["id"], websocket_api.ERR_HOME_ASSISTANT_ERROR, str(error))
        return
    strings = await _read_strings(hass, connection, message)
    device = coordinator.data.devices.get(mac)
    versions = device.versions if device else ()
    connection.send_result(
        message["id"],
        {
            "history": [describe_judged(each, strings) for each in judged],
            "versions": [{"version": each.version, "label": each.label} for each in versions],
        },
    )


async def _read_strings(
    hass: HomeAssistant, connection: websocket_api.ActiveConnection, message: dict[str, Any]
) -> Strings:
    """Return words in the language that is asked for, or else the user's, or else the house's."""
    asked = message.get("language")
    language = asked or await _chosen_language(hass, connection.user) or hass.config.language
    return await async_get_translations(hass, language, "common", {DOMAIN})


async def _chosen_language(hass: HomeAssistant, user: User) -> str | None:
    """Return the language of a user's profile; every user can store anything there."""
    store = await async_user_store(hass, user.id)
    stored = store.data.get("language")
    chosen = stored.get("language") if isinstance(stored, dict) else None
    return chosen if isinstance(chosen, str) and _TAG.match(chosen) else None


def _describe_device(
    hass: HomeAssistant,
    user: User,
    coordinator: FwidCoordinator,
    entry: dr.DeviceEntry,
    strings: Strings,
) -> dict[str, Any] | None:
    mac = mac_of(entry, coordinator.agent_id)
    if mac is None or not is_allowed(hass, user, (coordinator, mac), POLICY_READ):
        return None
    device = coordinator.data.devices.get(mac)
    area = ar.async_get(hass).async_get_area(entry.area_id) if entry.area_id else None
    entities = er.async_get(hass)

    def entity_id(platform: str, key: str) -> str | None:
        unique_id = f"{coordinator.agent_id}_{mac}_{key}"
        return entities.async_get_entity_id(platform, DOMAIN, unique_id)

    described: dict[str, Any] = {
        "device_id": entry.id,
        "entry_id": entry.config_entry_id,
        "name": entry.name_by_user or entry.name,
        "area": area.name if area else None,
        "available": coordinator.last_update_success and device is not None,
        "entity_id": entity_id("sensor", "stability"),
        "event_entity_id": entity_id("event", "firmware"),
        "accept_entity_id": entity_id("button", "accept"),
        "alarm_event": None,
        "state": None,
        "version": None,
        "label": None,
        "since": None,
        "similarity": None,
        "effect_size": None,
        "reasons": [],
        "cause": None,
        "identified": None,
    }
    if device is not None:
        described |= {
            "state": device.state,
            "version": device.version,
            "label": device.label,
            "since": device.since.isoformat() if device.since else None,
            "similarity": device.similarity,
            "effect_size": device.g,
            "reasons": describe_reasons(device.reasons, strings),
            "cause": device.cause,
            "identified": describe_identified(device),
            "alarm_event": None if device.alarm_was_wrong else device.alarm_event,
        }
    return described

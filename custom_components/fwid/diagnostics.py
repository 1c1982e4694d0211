"""Diagnostics that can be shown to anybody: no address, name, token or host is in them."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from homeassistant.components.diagnostics import REDACTED, async_redact_data
from homeassistant.const import CONF_HOST, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .const import CONF_DEVICES, CONF_FINGERPRINT
from .coordinator import FwidConfigEntry
from .entity import mac_of
from .models import AgentInfo, Device

_SECRET = {
    CONF_HOST, CONF_TOKEN, CONF_FINGERPRINT, CONF_DEVICES, "id", "mac", "name",
    "trouble",  # of a source, by its name: that of a router is its address
}  # fmt: skip
_VALUES = ("old", "new", "value")


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: FwidConfigEntry
) -> dict[str, Any]:
    """Return how an entry and its agent are."""
    coordinator = entry.runtime_data
    devices = coordinator.data.devices
    return {
        "entry": async_redact_data(dict(entry.data), _SECRET),
        "options": {
            **async_redact_data(dict(entry.options), _SECRET),
            CONF_DEVICES: len(coordinator.enrolled),
        },
        "agent": _redact(coordinator.data.info),
        "connected": coordinator.last_update_success,
        "last_seq": coordinator.journal.last_seq,
        "devices_seen": len(devices),
        # Numbered, so that a device can be followed without being known.
        "devices": {
            f"device {number}": _describe(devices.get(mac))
            for number, mac in enumerate(coordinator.enrolled, 1)
        },
    }


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: FwidConfigEntry, device: dr.DeviceEntry
) -> dict[str, Any]:
    """Return how one device is."""
    coordinator = entry.runtime_data
    mac = mac_of(device, coordinator.agent_id)
    known = coordinator.data.devices.get(mac) if mac else None
    return {"connected": coordinator.last_update_success, "device": _describe(known)}


def _describe(device: Device | None) -> Mapping[str, Any] | None:
    return None if device is None else _redact(device)


def _redact(record: AgentInfo | Device) -> dict[str, Any]:
    shown: dict[str, Any] = async_redact_data(_with_lists(asdict(record)), _SECRET)
    for said in (shown.get("kind"), shown.get("identified")):
        if said:  # by a person's own words, perhaps
            said["label"] = said["label"] and REDACTED
    for reason in shown.get("reasons", ()):
        reason["params"] = _without_words(reason["params"])
    return shown


def _without_words(params: dict[str, Any]) -> dict[str, Any]:
    """Return a reason's parameters without a device's own words, as domains are."""
    return {
        name: REDACTED if name in _VALUES and isinstance(value, str) else value
        for name, value in params.items()
    }


def _with_lists(value: Any) -> Any:  # noqa: ANN401 - as dataclasses hold it
    """Return the same with lists for tuples, which are not looked into when data is redacted."""
    if isinstance(value, dict):
        return {key: _with_lists(each) for key, each in value.items()}
    return [_with_lists(each) for each in value] if isinstance(value, tuple) else value

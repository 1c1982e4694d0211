"""The same hardware as other integrations know it: devices with the same MAC."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN


@callback
def find_siblings(hass: HomeAssistant, mac: str) -> list[dr.DeviceEntry]:
    """Return what other integrations have made of a MAC."""
    connection = (dr.CONNECTION_NETWORK_MAC, mac)
    found = dr.async_get(hass).async_get_devices(connections={connection})
    return [device for device in found if not _is_ours(device)]


@callback
def find_name(hass: HomeAssistant, mac: str) -> str | None:
    """Return what people call the hardware with this MAC."""
    siblings = find_siblings(hass, mac)
    for device in siblings:
        if device.name_by_user:
            return device.name_by_user
    return next((device.name for device in siblings if device.name), None)


@callback
def find_area(hass: HomeAssistant, mac: str) -> str | None:
    """Return the id of the area that the hardware with this MAC is in."""
    return next((d.area_id for d in find_siblings(hass, mac) if d.area_id), None)


@callback
def find_sw_version(hass: HomeAssistant, mac: str) -> str | None:
    """Return the firmware that the hardware with this MAC says it has."""
    return next((d.sw_version for d in find_siblings(hass, mac) if d.sw_version), None)


def find_macs(device: dr.DeviceEntry) -> set[str]:
    """Return the MACs of a device."""
    return {value for kind, value in device.connections if kind == dr.CONNECTION_NETWORK_MAC}


def _is_ours(device: dr.DeviceEntry) -> bool:
    return any(identifier[0] == DOMAIN for identifier in device.identifiers)

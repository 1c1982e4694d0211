"""Stands for the integrations that know a home's devices already: names, areas and versions."""

from homeassistant.config_entries import SOURCE_IMPORT, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.typing import ConfigType

DOMAIN = "neighbours"
CONFIG_SCHEMA = cv.empty_config_schema(DOMAIN)
DEVICES = {
    "90:8d:78:a8:e1:43": ("Water sensor", "Cellar", "D-Link", "1.1.0"),
    "90:8d:78:dd:0d:60": ("Siren", "Hall", "D-Link", None),
    "20:f8:5e:ca:91:52": ("Bathroom scale", "Bathroom", "Fitbit", None),
    "94:10:3e:35:01:c1": ("Kitchen plug", "Kitchen", "Belkin", None),
}


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Set itself up without asking anybody."""
    hass.async_create_task(
        hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_IMPORT}, data={})
    )
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Register the devices."""
    for mac, (name, area, manufacturer, version) in DEVICES.items():
        dr.async_get(hass).async_get_or_create(
            config_entry_id=entry.entry_id,
            connections={(dr.CONNECTION_NETWORK_MAC, mac)},
            name=name,
            manufacturer=manufacturer,
            suggested_area=area,
            sw_version=version,
        )
    return True

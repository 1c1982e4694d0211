"""The facts of every event on Home Assistant's bus, with the device's id."""

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from .const import DOMAIN, EVENT_FIRMWARE_CHANGED
from .coordinator import FwidCoordinator
from .facts import event_facts
from .models import Event


@callback
def fire_event(hass: HomeAssistant, coordinator: FwidCoordinator, event: Event) -> None:
    """Tell of an event of an enrolled device."""
    entry_id = coordinator.config_entry.entry_id
    identifier = (DOMAIN, f"{coordinator.agent_id}_{event.mac}")
    device = dr.async_get(hass).async_get_device_by_identifier(identifier, entry_id)
    if device is None or event.type is None:
        return
    known = coordinator.data.devices.get(event.mac)
    facts = event_facts(event, known, coordinator.strings)
    hass.bus.async_fire(
        EVENT_FIRMWARE_CHANGED,
        {
            ATTR_DEVICE_ID: device.id,
            "entry_id": entry_id,
            "name": device.name_by_user or device.name,
            "type": event.type,
            **facts,
        },
    )

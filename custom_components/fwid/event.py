"""Events: what happens to a device's firmware."""

from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FwidConfigEntry
from .entity import FwidEntity
from .facts import event_facts
from .models import Event, EventType

PARALLEL_UPDATES = 0

FIRMWARE = EventEntityDescription(
    key="firmware",
    translation_key="firmware",
    event_types=[kind.value for kind in EventType],
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FwidConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the event of each enrolled device."""
    coordinator = entry.runtime_data
    async_add_entities(FirmwareEvent(coordinator, mac, FIRMWARE) for mac in coordinator.enrolled)


class FirmwareEvent(FwidEntity, EventEntity):
    """What happened to the firmware of one device; `time` says when it did."""

    _unrecorded_attributes = frozenset({"reasons"})

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_listen(self._handle_event))

    @callback
    def _handle_event(self, event: Event) -> None:
        if event.mac != self.mac or event.type is None:
            return
        facts = event_facts(event, self.device, self.coordinator.strings)
        self._trigger_event(event.type, facts)
        self.async_write_ha_state()

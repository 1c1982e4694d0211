"""Buttons: accept what a device does now."""

from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FwidConfigEntry
from .entity import FwidEntity

PARALLEL_UPDATES = 1

ACCEPT = ButtonEntityDescription(key="accept", translation_key="accept")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FwidConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the button of each enrolled device."""
    coordinator = entry.runtime_data
    async_add_entities(AcceptButton(coordinator, mac, ACCEPT) for mac in coordinator.enrolled)


class AcceptButton(FwidEntity, ButtonEntity):
    """Takes what the device does now as its new normal."""

    @override
    async def async_press(self) -> None:
        await self.coordinator.async_act(self.mac, "accept")

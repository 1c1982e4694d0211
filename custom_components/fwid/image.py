"""Images: the fingerprint of a device's traffic, before and now."""

from dataclasses import dataclass
from typing import override

from homeassistant.components.image import ImageEntity, ImageEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .client import Which
from .coordinator import FwidConfigEntry, FwidCoordinator
from .entity import FwidEntity

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class FwidImageDescription(ImageEntityDescription):
    """An image, and which one of the agent's it is."""

    which: Which


IMAGES = (
    FwidImageDescription(
        key="fingerprint_now",
        translation_key="fingerprint_now",
        which="after",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    ),
    FwidImageDescription(
        key="fingerprint_before",
        translation_key="fingerprint_before",
        which="before",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FwidConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the images of each enrolled device."""
    coordinator = entry.runtime_data
    async_add_entities(
        FingerprintImage(hass, coordinator, mac, description)
        for mac in coordinator.enrolled
        for description in IMAGES
    )


class FingerprintImage(FwidEntity, ImageEntity):
    """One of a device's fingerprints; drawn by the agent when somebody looks."""

    entity_description: FwidImageDescription
    _attr_content_type = "image/png"

    def __init__(
        self,
        hass: HomeAssistant,
        coordinator: FwidCoordinator,
        mac: str,
        description: FwidImageDescription,
    ) -> None:
        """Show one of the device's fingerprints."""
        FwidEntity.__init__(self, coordinator, mac, description)
        ImageEntity.__init__(self, hass)
        self._attr_image_last_updated = self.device.since if self.device else None

    @override
    async def async_image(self) -> bytes | None:
        return await self.coordinator.async_image(self.mac, self.entity_description.which)

    @override
    @callback
    def _take_device(self) -> None:
        self._attr_image_last_updated = dt_util.utcnow()

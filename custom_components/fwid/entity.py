"""What all entities of a device have in common."""

from typing import override

from homeassistant.core import callback
from homeassistant.helpers import area_registry as ar
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.device_registry import CONNECTION_NETWORK_MAC, DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .coordinator import FwidCoordinator
from .models import Device
from .siblings import find_area


class FwidEntity(CoordinatorEntity[FwidCoordinator]):
    """An entity of one enrolled device; it is written only when the device has changed."""

    _attr_has_entity_name = True

    def __init__(
        self, coordinator: FwidCoordinator, mac: str, description: EntityDescription
    ) -> None:
        """Show one side of the device with this MAC."""
        super().__init__(coordinator)
        self.entity_description = description
        self.mac = mac
        self._attr_unique_id = f"{coordinator.agent_id}_{mac}_{description.key}"
        self._attr_device_info = make_device_info(coordinator, mac)
        self._written = self.device
        self._was_available = self.available

    @property
    def device(self) -> Device | None:
        """What the agent says of the device; None where it knows it no longer."""
        return self.coordinator.data.devices.get(self.mac)

    @property
    @override
    def available(self) -> bool:
        return super().available and self.device is not None

    @override
    @callback
    def _handle_coordinator_update(self) -> None:
        if self.device is self._written and self.available == self._was_available:
            return
        self._written, self._was_available = self.device, self.available
        self._take_device()
        super()._handle_coordinator_update()

    @callback
    def _take_device(self) -> None:
        """Take over what has changed, before it is written."""


def make_device_info(coordinator: FwidCoordinator, mac: str) -> DeviceInfo:
    """Describe an enrolled device, named and placed like the hardware that it is."""
    hass, entry = coordinator.hass, coordinator.config_entry
    info = DeviceInfo(
        identifiers={(DOMAIN, f"{coordinator.agent_id}_{mac}")},
        connections={(CONNECTION_NETWORK_MAC, mac)},
        name=coordinator.name_of(mac),
    )
    agent = dr.async_get(hass).async_get_device_by_identifier(
        (DOMAIN, coordinator.agent_id), entry.entry_id
    )
    if agent is not None:
        info["via_device_id"] = agent.id
    area_id = find_area(hass, mac)
    area = ar.async_get(hass).async_get_area(area_id) if area_id else None
    if area is not None:
        info["suggested_area"] = area.name
    return info


def mac_of(device: dr.DeviceEntry, agent_id: str) -> str | None:
    """Return the MAC of one of our devices; None for the agent itself, and for others."""
    for domain, identifier in device.identifiers:
        if domain == DOMAIN and identifier.startswith(f"{agent_id}_"):
            return identifier.removeprefix(f"{agent_id}_")
    return None

"""What Home Assistant knows of a device's firmware, told to the agent.

The hardware's other entry in the device registry names its version (told where the user agrees),
and an update entity says when an update is started: that names versions, and tells expected
changes from others.
"""

import logging

from homeassistant.components.update import ATTR_IN_PROGRESS
from homeassistant.components.update import DOMAIN as UPDATE_DOMAIN
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from .const import CONF_SHARE_VERSIONS, UPDATE_EXPECTED
from .coordinator import FwidConfigEntry, FwidCoordinator
from .models import Device, State, VersionName
from .siblings import find_macs, find_sw_version

_LOGGER = logging.getLogger(__name__)
_UPDATE_PREFIX = f"{UPDATE_DOMAIN}."


def plan_label(device: Device, sw_version: str) -> VersionName | None:
    """Return which of a device's versions to give this name; None where there is nothing to do.

    A name that is there stays, whoever gave it. After an alarm the newest version is the one that
    runs. A name that another version has already is no news: what changed was not seen yet.
    """
    if device.version is None or not device.versions:
        return None
    newest = device.versions[-1].version
    running = newest if device.state is State.CHANGED else device.version
    taken = any(known.label == sw_version for known in device.versions)
    named = any(known.version == running and known.label for known in device.versions)
    return None if taken or named else VersionName(running, sw_version)


@callback
def async_tell_versions(hass: HomeAssistant, entry: FwidConfigEntry) -> None:
    """Tell the agent of versions and updates for as long as the entry is loaded."""
    coordinator = entry.runtime_data
    entry.async_on_unload(_tell_started_updates(hass, coordinator))
    if not entry.options.get(CONF_SHARE_VERSIONS):
        return
    labeller = _Labeller(hass, coordinator)
    entry.async_on_unload(coordinator.async_add_listener(labeller.look_at_all))
    entry.async_on_unload(
        hass.bus.async_listen(
            dr.EVENT_DEVICE_REGISTRY_UPDATED, labeller.registry_updated, _is_of_sw_version
        )
    )
    labeller.look_at_all()


class _Labeller:
    """Names versions, one request a device at a time."""

    def __init__(self, hass: HomeAssistant, coordinator: FwidCoordinator) -> None:
        self._hass = hass
        self._coordinator = coordinator
        self._busy: set[str] = set()

    @callback
    def look_at_all(self) -> None:
        """Name what can be named now."""
        for mac in self._coordinator.enrolled:
            self._look_at(mac)

    @callback
    def registry_updated(self, event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        """Name what can be named since a device told its version."""
        device = dr.async_get(self._hass).async_get(event.data["device_id"])
        if isinstance(device, dr.DeviceEntry):
            for mac in find_macs(device) & set(self._coordinator.enrolled):
                self._look_at(mac)

    @callback
    def _look_at(self, mac: str) -> None:
        device, sw_version = (
            self._coordinator.data.devices.get(mac),
            find_sw_version(self._hass, mac),
        )
        if device is None or sw_version is None or mac in self._busy:
            return
        planned = plan_label(device, sw_version)
        if planned is not None and self._coordinator.last_update_success:
            self._busy.add(mac)
            self._coordinator.config_entry.async_create_background_task(
                self._hass, self._label(mac, planned), f"fwid label {mac}"
            )

    async def _label(self, mac: str, planned: VersionName) -> None:
        try:
            await self._coordinator.async_act(
                mac, "label", version=planned.version, label=planned.label
            )
        except HomeAssistantError as error:
            _LOGGER.debug("A version was not named: %s", error)
        finally:
            self._busy.discard(mac)


@callback
def _is_of_sw_version(data: dr.EventDeviceRegistryUpdatedData) -> bool:
    return data["action"] == "create" or (
        data["action"] == "update" and "sw_version" in data["changes"]
    )


@callback
def _is_of_update(data: EventStateChangedData) -> bool:
    return data["entity_id"].startswith(_UPDATE_PREFIX)


def _in_progress(data: EventStateChangedData) -> bool:
    old, new = data["old_state"], data["new_state"]
    was = old is not None and bool(old.attributes.get(ATTR_IN_PROGRESS))
    return new is not None and bool(new.attributes.get(ATTR_IN_PROGRESS)) and not was


def _tell_started_updates(hass: HomeAssistant, coordinator: FwidCoordinator) -> CALLBACK_TYPE:
    """Announce updates of the same hardware that are started in Home Assistant."""

    async def expect(mac: str) -> None:
        try:
            await coordinator.async_expect_update(mac, dt_util.utcnow() + UPDATE_EXPECTED)
        except HomeAssistantError as error:
            _LOGGER.warning("The agent could not be told of an update: %s", error)

    @callback
    def state_changed(event: Event[EventStateChangedData]) -> None:
        entity = er.async_get(hass).async_get(event.data["entity_id"])
        if not _in_progress(event.data) or entity is None or entity.device_id is None:
            return
        device = dr.async_get(hass).async_get(entity.device_id)
        if isinstance(device, dr.DeviceEntry):
            for mac in find_macs(device) & set(coordinator.enrolled):
                hass.async_create_task(expect(mac), f"fwid expect update {mac}")

    return hass.bus.async_listen(EVENT_STATE_CHANGED, state_changed, _is_of_update)

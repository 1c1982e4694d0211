"""What Home Assistant knows of what a device is, told to the agent where the user agrees.

Maker and model are the label, and what its entities do is the category. What was told is kept
track of: it is taken back where it is true no longer, or the user no longer agrees.
"""

import logging
from collections.abc import Iterable
from typing import Any

from homeassistant.const import EntityCategory
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er

from .const import CONF_SHARE_KINDS
from .coordinator import FwidConfigEntry, FwidCoordinator
from .models import Category, Device, Kind
from .siblings import find_macs, find_siblings

SOURCE = "home_assistant"
_LOGGER = logging.getLogger(__name__)
_MOST_LABEL = 64  # characters
# What an entity does, from what says most to what says least. A robot's map is a camera too.
_CATEGORIES: tuple[tuple[Category, frozenset[str]], ...] = (
    (Category.APPLIANCE, frozenset({"lawn_mower", "vacuum", "water_heater"})),
    (Category.SURVEILLANCE, frozenset({"alarm_control_panel", "camera"})),
    (Category.MEDIA, frozenset({"media_player", "remote"})),
    (Category.AUDIO, frozenset({"assist_satellite"})),
)
_AUTOMATION = frozenset(
    {"climate", "cover", "fan", "humidifier", "light", "lock", "siren", "switch", "valve"}
)
_AUDIO_CLASSES = ("receiver", "speaker")
# A router's integration makes such for every client, by a maker and a model that are the router's.
_OF_NETWORK = frozenset({"device_tracker"})
_KIND_FIELDS = ("connections", "manufacturer", "model", "via_device_id")


def choose_category(domains: Iterable[tuple[str, str | None]], *, is_hub: bool) -> Category | None:
    """Return the category of what has entities of these domains and device classes, where clear."""
    pairs = set(domains)
    found = {domain for domain, _ in pairs}
    for category, telling in _CATEGORIES:
        if found & telling:
            heard = ("media_player" in found) and all(
                kind in _AUDIO_CLASSES for domain, kind in pairs if domain == "media_player"
            )
            return Category.AUDIO if category is Category.MEDIA and heard else category
    if is_hub:
        return Category.HUB
    return Category.HOME_AUTOMATION if found & _AUTOMATION else None


def make_label(manufacturer: str | None, model: str | None) -> str | None:
    """Return maker and model as one name, printable and not too long; None where none is known."""
    maker, name = (" ".join((text or "").split()) for text in (manufacturer, model))
    joined = name if name.casefold().startswith(maker.casefold()) else f"{maker} {name}"
    kept = "".join(sign for sign in joined if sign.isprintable())[:_MOST_LABEL].strip()
    return kept or None


@callback
def find_kind(hass: HomeAssistant, mac: str) -> Kind | None:
    """Return what the hardware with this MAC is to other integrations."""
    registry = dr.async_get(hass)
    for sibling in find_siblings(hass, mac):
        entities = er.async_entries_for_device(er.async_get(hass), sibling.id)
        domains = {
            (entity.domain, entity.device_class or entity.original_device_class)
            for entity in entities
            if entity.entity_category is not EntityCategory.CONFIG
            and entity.entity_category is not EntityCategory.DIAGNOSTIC
            and entity.domain not in _OF_NETWORK
        }
        others = dr.async_entries_for_config_entry(registry, sibling.config_entry_id)
        is_hub = any(other.via_device_id == sibling.id for other in others)
        label = make_label(sibling.manufacturer, sibling.model)
        if label and (domains or is_hub):
            return Kind(label, choose_category(domains, is_hub=is_hub), SOURCE)
    return None


@callback
def async_tell_kinds(hass: HomeAssistant, entry: FwidConfigEntry) -> None:
    """Tell the agent what devices are for as long as the entry is loaded; or take it back."""
    coordinator = entry.runtime_data
    teller = _Teller(hass, coordinator, shares=bool(entry.options.get(CONF_SHARE_KINDS)))
    entry.async_on_unload(coordinator.async_add_listener(teller.look_at_all))
    if teller.shares:
        entry.async_on_unload(
            hass.bus.async_listen(
                dr.EVENT_DEVICE_REGISTRY_UPDATED, teller.device_updated, _is_of_kind
            )
        )
        entry.async_on_unload(
            hass.bus.async_listen(
                er.EVENT_ENTITY_REGISTRY_UPDATED, teller.entity_updated, _is_created
            )
        )
    teller.look_at_all()


class _Teller:
    """Says what devices are, one request a device at a time."""

    def __init__(self, hass: HomeAssistant, coordinator: FwidCoordinator, *, shares: bool) -> None:
        self.shares = shares
        self._hass = hass
        self._coordinator = coordinator
        self._told: dict[str, Kind | None] = {}  # since the start
        self._busy: set[str] = set()

    @callback
    def look_at_all(self) -> None:
        """Tell what is new, and take back what is true no longer."""
        for mac in {*self._coordinator.enrolled, *self._coordinator.journal.kinds}:
            self._look_at(mac)

    @callback
    def device_updated(self, event: Event[dr.EventDeviceRegistryUpdatedData]) -> None:
        """Look at what a device has become."""
        self._look_at_device(event.data["device_id"])

    @callback
    def entity_updated(self, event: Event[er.EventEntityRegistryUpdatedData]) -> None:
        """Look at a device that can do more now."""
        entity = er.async_get(self._hass).async_get(event.data["entity_id"])
        if entity is not None and entity.device_id is not None:
            self._look_at_device(entity.device_id)

    @callback
    def _look_at_device(self, device_id: str) -> None:
        device = dr.async_get(self._hass).async_get(device_id)
        if isinstance(device, dr.DeviceEntry):
            for mac in find_macs(device) & set(self._coordinator.enrolled):
                self._look_at(mac)

    @callback
    def _look_at(self, mac: str) -> None:
        coordinator = self._coordinator
        if mac in self._busy or not (
            coordinator.last_update_success and coordinator.data.info.knows_kinds
        ):
            return
        wanted = None
        if self.shares and mac in coordinator.enrolled:
            wanted = find_kind(self._hass, mac)
        if not self._is_told(mac, wanted):
            self._busy.add(mac)
            coordinator.config_entry.async_create_background_task(
                self._hass, self._tell(mac, wanted), f"fwid kind {mac}"
            )

    def _is_told(self, mac: str, wanted: Kind | None) -> bool:
        """Whether the agent has this of us; what a person says hides what it has."""
        if mac in self._told:
            return self._told[mac] == wanted
        journal = self._coordinator.journal
        shown = _told_by_us(self._coordinator.data.devices.get(mac))
        return shown == wanted and (wanted is not None or mac not in journal.kinds)

    async def _tell(self, mac: str, wanted: Kind | None) -> None:
        journal = self._coordinator.journal
        try:
            if wanted is not None:  # kept track of before it is out
                journal.kinds.add(mac)
                await journal.async_save()
            await self._coordinator.async_set_kind(mac, wanted, SOURCE)
        except ServiceValidationError as error:  # the agent knows the device no longer, or refuses
            _LOGGER.debug("The agent does not take what a device is: %s", error)
        except HomeAssistantError as error:
            _LOGGER.debug("The agent could not be told what a device is: %s", error)
            return
        finally:
            self._busy.discard(mac)
        self._told[mac] = wanted
        if wanted is None:
            journal.kinds.discard(mac)
            await journal.async_save()


def _told_by_us(device: Device | None) -> Kind | None:
    return device.kind if device and device.kind and device.kind.source == SOURCE else None


@callback
def _is_of_kind(data: dr.EventDeviceRegistryUpdatedData) -> bool:
    return data["action"] == "create" or (
        data["action"] == "update" and any(name in data["changes"] for name in _KIND_FIELDS)
    )


@callback
def _is_created(data: Any) -> bool:  # noqa: ANN401 - a mapping of three forms
    return bool(data["action"] == "create")

"""Shows in Home Assistant what an fwid agent knows of each device's firmware."""

from contextlib import suppress
from functools import partial
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN, EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .arrivals import forget_arrivals, offer_arrivals
from .bus import fire_event
from .card import async_remove_card, async_serve_card, async_show_card
from .client import Address, AgentClient
from .const import CONF_DEVICES, CONF_FINGERPRINT, DOMAIN
from .coordinator import FwidConfigEntry, FwidCoordinator
from .entity import mac_of
from .errors import AgentError, RefusedError
from .issues import show_issues
from .journal import Journal
from .kinds import SOURCE, async_tell_kinds
from .services import async_setup_services
from .versions import async_tell_versions
from .views import async_register_views
from .websocket_api import async_register_commands

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [Platform.BUTTON, Platform.EVENT, Platform.IMAGE, Platform.SENSOR]


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register what is there once, whether or not an agent is."""
    async_setup_services(hass)
    async_register_commands(hass)
    async_register_views(hass)
    await async_serve_card(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: FwidConfigEntry) -> bool:
    """Follow an agent."""
    coordinator = FwidCoordinator(hass, entry, make_client(hass, entry.data))
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator
    _update_devices(hass, entry)
    await _watch_enrolled(coordinator)
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)

    entry.async_on_unload(coordinator.async_listen(partial(fire_event, hass, coordinator)))
    offer = partial(offer_arrivals, hass, entry)
    offer()
    entry.async_on_unload(coordinator.async_add_listener(offer))
    async_tell_versions(hass, entry)
    async_tell_kinds(hass, entry)
    await async_show_card(hass)

    async def stop(_: Event) -> None:
        await coordinator.async_stop()

    entry.async_on_unload(hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, stop))
    # Automations listen once Home Assistant has started: what they have to hear waits for them.
    entry.async_on_unload(async_at_started(hass, callback(lambda _: coordinator.async_follow())))
    return True


async def async_unload_entry(hass: HomeAssistant, entry: FwidConfigEntry) -> bool:
    """Follow no longer; nothing is told while those who listen go."""
    coordinator = entry.runtime_data
    await coordinator.async_stop()
    unloaded = await hass.config_entries.async_unload_platforms(entry, PLATFORMS)
    if not unloaded:
        coordinator.async_follow()
    return unloaded


async def async_remove_entry(hass: HomeAssistant, entry: FwidConfigEntry) -> None:
    """Leave nothing behind, here or on the agent."""
    journal, client = Journal(hass, entry.entry_id), make_client(hass, entry.data)
    await journal.async_load()
    with suppress(AgentError):  # the agent may be gone for good
        for mac in sorted(journal.kinds):
            with suppress(RefusedError):  # it may have forgotten the device
                await client.act(mac, "kind", label=None, category=None, source=SOURCE)
        await client.revoke_token()
    await journal.async_remove()
    show_issues(hass, entry.entry_id, entry.title, ())
    await forget_arrivals(hass, str(entry.unique_id))
    if not hass.config_entries.async_entries(DOMAIN, include_ignore=False):
        await async_remove_card(hass)


async def async_remove_config_entry_device(
    hass: HomeAssistant, entry: FwidConfigEntry, device: dr.DeviceEntry
) -> bool:
    """Let a person remove a device: it is enrolled no longer."""
    mac = mac_of(device, str(entry.unique_id))
    if mac is None:
        return False
    left = [each for each in entry.options[CONF_DEVICES] if each != mac]
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_DEVICES: left})
    return True


def make_client(hass: HomeAssistant, data: Any) -> AgentClient:  # noqa: ANN401 - a mapping
    """Return who asks the agent of an entry."""
    address = Address(data[CONF_HOST], data[CONF_PORT], data[CONF_FINGERPRINT])
    return AgentClient(async_get_clientsession(hass), address, data[CONF_TOKEN])


@callback
def _update_devices(hass: HomeAssistant, entry: FwidConfigEntry) -> None:
    """Register the agent, and remove devices that are no longer enrolled."""
    coordinator, registry = entry.runtime_data, dr.async_get(hass)
    registry.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={(DOMAIN, coordinator.agent_id)},
        entry_type=dr.DeviceEntryType.SERVICE,
        manufacturer="fwid",
        name=entry.title,
        sw_version=coordinator.data.info.version,
        configuration_url=str(coordinator.client.address.url),
    )
    for device in dr.async_entries_for_config_entry(registry, entry.entry_id):
        mac = mac_of(device, coordinator.agent_id)
        if mac is not None and mac not in coordinator.enrolled:
            registry.async_remove_device(device.id)


async def _watch_enrolled(coordinator: FwidCoordinator) -> None:
    """Have the agent watch what is enrolled here, where it only saw it so far."""
    for mac in coordinator.enrolled:
        device = coordinator.data.devices.get(mac)
        if device is not None and device.state is None:
            try:
                await coordinator.async_act(mac, "enrol")
            except HomeAssistantError as error:
                raise ConfigEntryNotReady(
                    translation_domain=error.translation_domain,
                    translation_key=error.translation_key,
                    translation_placeholders=error.translation_placeholders,
                ) from error

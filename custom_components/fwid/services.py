"""Actions: what a person or an automation asks of the agent."""

from collections.abc import Callable, Coroutine
from typing import Any

import voluptuous as vol
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.service import async_register_admin_service
from homeassistant.util import dt as dt_util

from .const import DOMAIN, UPDATE_EXPECTED
from .coordinator import FwidConfigEntry, FwidCoordinator
from .entity import mac_of
from .evidence import collect_evidence
from .models import Category, Kind
from .permissions import Found, check_call

ATTR_CATEGORY = "category"
ATTR_CONFIG_ENTRY_ID = "config_entry_id"
ATTR_DAYS = "days"
ATTR_EVENT = "event"
ATTR_LABEL = "label"
ATTR_UNTIL = "until"
ATTR_VERSION = "version"

_DEVICES: dict[vol.Marker, Any] = {
    vol.Required(ATTR_DEVICE_ID): vol.All(cv.ensure_list, [cv.string])
}
_ONE_DEVICE: dict[vol.Marker, Any] = {vol.Required(ATTR_DEVICE_ID): cv.string}
_SCHEMA = vol.Schema(_DEVICES)
_LABEL_SCHEMA = vol.Schema(
    {
        **_ONE_DEVICE,
        vol.Required(ATTR_LABEL): vol.All(cv.string, vol.Length(min=1, max=64)),
        vol.Optional(ATTR_VERSION): vol.All(vol.Coerce(int), vol.Range(min=1, max=10**6)),
    }
)
_KIND_SCHEMA = vol.Schema(
    {
        **_DEVICES,
        vol.Optional(ATTR_LABEL): vol.All(cv.string, vol.Length(min=1, max=64)),
        vol.Optional(ATTR_CATEGORY): vol.Coerce(Category),
    }
)
_RETRAIN_SCHEMA = vol.Schema({vol.Required(ATTR_CONFIG_ENTRY_ID): cv.string})
_UNTIL_SCHEMA = vol.Schema({**_DEVICES, vol.Optional(ATTR_UNTIL): cv.datetime})
_EVENT_SCHEMA = vol.Schema({**_ONE_DEVICE, vol.Optional(ATTR_EVENT): cv.string})
_EVIDENCE_SCHEMA = vol.Schema(
    {
        **_ONE_DEVICE,
        vol.Optional(ATTR_DAYS, default=30): vol.All(vol.Coerce(int), vol.Range(min=1, max=730)),
    }
)

type Act = Callable[
    [FwidCoordinator, str, ServiceCall], Coroutine[Any, Any, ServiceResponse | None]
]


async def _accept(coordinator: FwidCoordinator, mac: str, call: ServiceCall) -> None:
    await coordinator.async_act(mac, "accept")


async def _relearn(coordinator: FwidCoordinator, mac: str, call: ServiceCall) -> None:
    await coordinator.async_act(mac, "relearn")


async def _label_version(coordinator: FwidCoordinator, mac: str, call: ServiceCall) -> None:
    version = call.data.get(ATTR_VERSION)
    if version is None:
        device = coordinator.data.devices.get(mac)
        version = device.version if device else None
    if version is None:
        raise _invalid("no_version", coordinator, mac)
    await coordinator.async_act(mac, "label", version=version, label=call.data[ATTR_LABEL])


async def _mute(coordinator: FwidCoordinator, mac: str, call: ServiceCall) -> None:
    until = call.data.get(ATTR_UNTIL)
    await coordinator.async_mute(mac, dt_util.as_utc(until) if until else None)


async def _wrong_alarm(coordinator: FwidCoordinator, mac: str, call: ServiceCall) -> None:
    device = coordinator.data.devices.get(mac)
    event = call.data.get(ATTR_EVENT, device.alarm_event if device else None)
    if event is None:
        raise _invalid("no_alarm", coordinator, mac)
    await coordinator.async_act(mac, "wrong-alarm", event=event)


async def _expect_update(coordinator: FwidCoordinator, mac: str, call: ServiceCall) -> None:
    until = call.data.get(ATTR_UNTIL)
    await coordinator.async_expect_update(
        mac, dt_util.as_utc(until) if until else dt_util.utcnow() + UPDATE_EXPECTED
    )


async def _set_kind(coordinator: FwidCoordinator, mac: str, call: ServiceCall) -> None:
    label = call.data.get(ATTR_LABEL)
    kind = None
    if label is not None:
        kind = Kind(label, call.data.get(ATTR_CATEGORY))
    elif ATTR_CATEGORY in call.data:
        raise _invalid("no_label", coordinator, mac)
    await coordinator.async_set_kind(mac, kind, "person")


async def _export_evidence(
    coordinator: FwidCoordinator, mac: str, call: ServiceCall
) -> ServiceResponse:
    return await collect_evidence(coordinator, mac, call.data[ATTR_DAYS])


_ACTIONS: dict[str, tuple[Act, vol.Schema]] = {
    "accept": (_accept, _SCHEMA),
    "relearn": (_relearn, _SCHEMA),
    "label_version": (_label_version, _LABEL_SCHEMA),
    "mute": (_mute, _UNTIL_SCHEMA),
    "wrong_alarm": (_wrong_alarm, _EVENT_SCHEMA),
    "expect_update": (_expect_update, _UNTIL_SCHEMA),
    "set_kind": (_set_kind, _KIND_SCHEMA),
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Register the actions, whether or not an entry is loaded."""

    def make_handler(act: Act) -> Callable[[ServiceCall], Coroutine[Any, Any, None]]:
        async def handle(call: ServiceCall) -> None:
            # All are found before anything is done.
            devices = [find_device(hass, each) for each in _device_ids(call)]
            await check_call(call, devices, POLICY_CONTROL)
            for coordinator, mac in devices:
                await act(coordinator, mac, call)

        return handle

    async def export(call: ServiceCall) -> ServiceResponse:
        coordinator, mac = find_device(hass, call.data[ATTR_DEVICE_ID])
        await check_call(call, [(coordinator, mac)], POLICY_READ)
        return await _export_evidence(coordinator, mac, call)

    async def retrain(call: ServiceCall) -> None:
        await find_agent(hass, call.data[ATTR_CONFIG_ENTRY_ID]).async_retrain()

    # It concerns all devices: whoever may decide about one is not asked.
    async_register_admin_service(hass, DOMAIN, "retrain", retrain, _RETRAIN_SCHEMA)
    for name, (act, schema) in _ACTIONS.items():
        hass.services.async_register(DOMAIN, name, make_handler(act), schema)
    hass.services.async_register(
        DOMAIN,
        "export_evidence",
        export,
        _EVIDENCE_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


@callback
def find_agent(hass: HomeAssistant, entry_id: str) -> FwidCoordinator:
    """Return who follows an agent; raises ServiceValidationError."""
    entry: FwidConfigEntry | None = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise _error("no_agent", entry=entry_id)
    if entry.state is not ConfigEntryState.LOADED:
        raise _error("not_loaded", agent=entry.title)
    return entry.runtime_data


@callback
def find_device(hass: HomeAssistant, device_id: str) -> Found:
    """Return who to ask about a device, and its MAC; raises ServiceValidationError."""
    device = dr.async_get(hass).async_get(device_id)
    if not isinstance(device, dr.DeviceEntry):
        raise _error("no_device", device=device_id)
    name = device.name_by_user or device.name or device_id
    entry: FwidConfigEntry | None = hass.config_entries.async_get_entry(device.config_entry_id)
    if entry is None or entry.domain != DOMAIN:
        raise _error("not_ours", device=name)
    if entry.state is not ConfigEntryState.LOADED:
        raise _error("not_loaded", agent=entry.title)
    mac = mac_of(device, entry.runtime_data.agent_id)
    if mac is None:
        raise _error("no_traffic_device", device=name)
    return entry.runtime_data, mac


def _device_ids(call: ServiceCall) -> list[str]:
    ids: Any = call.data[ATTR_DEVICE_ID]
    return [ids] if isinstance(ids, str) else list(ids)


def _invalid(key: str, coordinator: FwidCoordinator, mac: str) -> ServiceValidationError:
    return _error(key, device=coordinator.name_of(mac))


def _error(key: str, **placeholders: str) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=key, translation_placeholders=placeholders
    )

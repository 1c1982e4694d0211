"""Sensors: whether a device's firmware is as always, and by which signs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, EntityCategory
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FwidConfigEntry
from .entity import FwidEntity
from .models import Device, State, Vantage
from .words import describe_reasons

PARALLEL_UPDATES = 0


@dataclass(frozen=True, kw_only=True)
class FwidSensorDescription(SensorEntityDescription):
    """A sensor, and where its value comes from."""

    value_fn: Callable[[Device], str | float | datetime | None]


STABILITY = FwidSensorDescription(
    key="stability",
    translation_key="stability",
    device_class=SensorDeviceClass.ENUM,
    options=[state.value for state in State],
    value_fn=lambda device: device.state,
)
DIAGNOSTIC = (
    FwidSensorDescription(
        key="version",
        translation_key="version",
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda device: device.label_of(device.version),
    ),
    FwidSensorDescription(
        key="last_change",
        translation_key="last_change",
        device_class=SensorDeviceClass.TIMESTAMP,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda device: device.last_change,
    ),
    FwidSensorDescription(
        key="similarity",
        translation_key="similarity",
        native_unit_of_measurement=PERCENTAGE,
        suggested_display_precision=0,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda device: _percent(device.similarity),
    ),
    FwidSensorDescription(
        key="effect_size",
        translation_key="effect_size",
        suggested_display_precision=2,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value_fn=lambda device: device.g,
    ),
)

NONE_KNOWN = "none_known"  # the state of a device that behaves like none that the agent knows
IDENTIFIED = FwidSensorDescription(
    key="identified_as",
    translation_key="identified_as",
    entity_category=EntityCategory.DIAGNOSTIC,
    value_fn=lambda device: (device.identified.label or NONE_KNOWN) if device.identified else None,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: FwidConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of all enrolled devices."""
    coordinator = entry.runtime_data
    async_add_entities(StabilitySensor(coordinator, mac, STABILITY) for mac in coordinator.enrolled)
    async_add_entities(
        FwidSensor(coordinator, mac, description)
        for mac in coordinator.enrolled
        for description in DIAGNOSTIC
    )
    _add_once_identified(entry, async_add_entities)


def _add_once_identified(
    entry: FwidConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add what an agent without identification could never say, once it has it."""
    coordinator = entry.runtime_data
    is_there = False

    @callback
    def add() -> None:
        nonlocal is_there
        if not is_there and coordinator.data.info.identification is not None:
            is_there = True
            async_add_entities(
                IdentifiedSensor(coordinator, mac, IDENTIFIED) for mac in coordinator.enrolled
            )

    add()
    entry.async_on_unload(coordinator.async_add_listener(add))


class FwidSensor(FwidEntity, SensorEntity):
    """One figure of a device."""

    entity_description: FwidSensorDescription

    @property
    @override
    def native_value(self) -> str | float | datetime | None:
        return self.entity_description.value_fn(self.device) if self.device else None


class StabilitySensor(FwidSensor):
    """Whether the firmware is as always, with what it rests on."""

    _unrecorded_attributes = frozenset({"reasons"})

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        device = self.device
        if device is None:
            return None
        return {
            "version": device.label_of(device.version),
            "since": device.since.isoformat() if device.since else None,
            "confidence": judge_confidence(device),
            "effect_size": device.g,
            "reasons": describe_reasons(device.reasons, self.coordinator.strings),
        }


class IdentifiedSensor(FwidSensor):
    """What a device behaves like, with how certain that is."""

    @property
    @override
    def extra_state_attributes(self) -> Mapping[str, Any] | None:
        identified = self.device.identified if self.device else None
        if identified is None:
            return None
        return {
            "category": identified.category,
            "certainty": round(identified.certainty * 100),
            "model": identified.model,
            "agrees": identified.agrees,
        }


def judge_confidence(device: Device) -> str:
    """Say how far the state can be relied on, by what the agent sees of the device."""
    if device.state in (None, State.LEARNING) or device.vantage is Vantage.MULTICAST:
        return "low"
    if device.state is State.QUIET or device.vantage is Vantage.UNKNOWN:
        return "medium"
    return "high" if device.sizes_reliable else "medium"


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100

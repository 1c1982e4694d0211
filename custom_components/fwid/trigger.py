"""Triggers for the automation editor: a firmware has changed, is suspected, is back."""

from collections.abc import Mapping
from typing import override

import voluptuous as vol
from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.const import CONF_OPTIONS
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    EntityTargetStateTriggerBase,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerConfig,
)

from .models import EventType
from .models import State as FirmwareState
from .targets import keep_events, keep_stability

CONF_EXPECTED = "expected"
ANY, EXPECTED, UNEXPECTED = "any", "expected", "unexpected"

_CHANGED_SCHEMA = ENTITY_STATE_TRIGGER_SCHEMA.extend(
    {
        vol.Required(CONF_OPTIONS, default={}): {
            vol.Required(CONF_EXPECTED, default=ANY): vol.In([ANY, EXPECTED, UNEXPECTED])
        }
    }
)


class _EventTrigger(StatelessEntityTriggerBase):
    """Fires once for each event of a kind, also for one that arrives late."""

    _domain_specs: Mapping[str, DomainSpec] = {EVENT_DOMAIN: DomainSpec()}
    _event_type: EventType

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        return keep_events(self._hass, entities)

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        # Not by time: two events may be told within one millisecond.
        return bool(from_state.attributes.get("id") != to_state.attributes.get("id"))

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        return bool(state.attributes.get(ATTR_EVENT_TYPE) == self._event_type)


class FirmwareChangedTrigger(_EventTrigger):
    """The firmware of a device has changed."""

    _event_type = EventType.VERSION_CHANGED
    _schema = _CHANGED_SCHEMA

    def __init__(self, hass: HomeAssistant, config: TriggerConfig) -> None:
        """Fire for all changes, or only for those that were expected, or were not."""
        super().__init__(hass, config)
        self._expected: str = self._options[CONF_EXPECTED]

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        if not super().is_valid_state(state, report_not_triggered):
            return False
        if self._expected == ANY:
            return True
        return bool(state.attributes.get("expected")) is (self._expected == EXPECTED)


class ReturnedTrigger(_EventTrigger):
    """A device is back to a firmware that it had before."""

    _event_type = EventType.RETURNED_TO_KNOWN_VERSION


class SuspectedTrigger(EntityTargetStateTriggerBase):
    """A device's firmware is suspected to have changed."""

    _domain_specs: Mapping[str, DomainSpec] = {SENSOR_DOMAIN: DomainSpec()}
    _to_states: set[str] = {FirmwareState.SUSPECTED.value}  # noqa: RUF012

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        return keep_stability(self._hass, entities)


TRIGGERS: dict[str, type[Trigger]] = {
    "firmware_changed": FirmwareChangedTrigger,
    "firmware_suspected": SuspectedTrigger,
    "returned_to_known_version": ReturnedTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of the integration."""
    return TRIGGERS

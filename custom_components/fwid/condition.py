"""Conditions for the automation editor: a firmware is as always, or has changed."""

from collections.abc import Mapping
from typing import override

from homeassistant.components.sensor import DOMAIN as SENSOR_DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.automation import DomainSpec
from homeassistant.helpers.condition import Condition, EntityStateConditionBase

from .models import State
from .targets import keep_stability


class _StabilityCondition(EntityStateConditionBase):
    """A device's firmware is in a state."""

    _domain_specs: Mapping[str, DomainSpec] = {SENSOR_DOMAIN: DomainSpec()}

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        return keep_stability(self._hass, entities)


class StableCondition(_StabilityCondition):
    """The firmware is as always."""

    _states: set[str | bool] = {State.STABLE.value}  # noqa: RUF012


class ChangedCondition(_StabilityCondition):
    """The firmware has changed, and nobody has accepted it yet."""

    _states: set[str | bool] = {State.CHANGED.value}  # noqa: RUF012


CONDITIONS: dict[str, type[Condition]] = {
    "is_changed": ChangedCondition,
    "is_stable": StableCondition,
}


async def async_get_conditions(hass: HomeAssistant) -> dict[str, type[Condition]]:
    """Return the conditions of the integration."""
    return CONDITIONS

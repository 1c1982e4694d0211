"""Which of the entities that a person targets are meant: a device has several of each domain."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er

from .const import DOMAIN


@callback
def keep_events(hass: HomeAssistant, entities: set[str]) -> set[str]:
    """Keep the firmware events."""
    return _keep(hass, entities, "event", "firmware")


@callback
def keep_stability(hass: HomeAssistant, entities: set[str]) -> set[str]:
    """Keep the sensors of firmware stability."""
    return _keep(hass, entities, "sensor", "stability")


def _keep(hass: HomeAssistant, entities: set[str], domain: str, key: str) -> set[str]:
    registry = er.async_get(hass)
    kept = set()
    for entity_id in entities:
        entry = registry.async_get(entity_id)
        if (
            entry is not None
            and entry.platform == DOMAIN
            and entry.domain == domain
            and entry.translation_key == key
        ):
            kept.add(entity_id)
    return kept

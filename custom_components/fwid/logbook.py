"""What happened to a device's firmware, in words of the logbook."""

from collections.abc import Callable
from typing import Any

from homeassistant.components.logbook import LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from .const import DOMAIN, EVENT_FIRMWARE_CHANGED

type Describe = Callable[[Event[dict[str, Any]]], dict[str, str]]


@callback
def async_describe_events(
    hass: HomeAssistant, async_describe_event: Callable[[str, str, Describe], None]
) -> None:
    """Register the words."""

    @callback
    def describe(event: Event[dict[str, Any]]) -> dict[str, str]:
        facts = event.data
        strings = async_get_cached_translations(hass, hass.config.language, "common", DOMAIN)
        sentence = strings.get(f"component.{DOMAIN}.common.log_{facts['type']}", facts["type"])
        words = {name: str(facts.get(name) or "?") for name in ("from_label", "to_label")}
        return {
            LOGBOOK_ENTRY_NAME: str(facts.get("name") or DOMAIN),
            LOGBOOK_ENTRY_MESSAGE: sentence.format(**words),
        }

    async_describe_event(DOMAIN, EVENT_FIRMWARE_CHANGED, describe)

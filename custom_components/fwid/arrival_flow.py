"""Offering a device that is new in the home."""

from typing import Any, override

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult

from .arrivals import Arrival, arrival_id
from .const import CONF_DEVICES, MOST_DEVICES
from .markdown import as_text


class ArrivalFlow(ConfigFlow):
    """The part of the flow that adds a device to an entry that is there."""

    _arrival: Arrival

    @override
    async def async_step_integration_discovery(
        self, discovery_info: dict[str, Any]
    ) -> ConfigFlowResult:
        """Offer the device."""
        entry = self.hass.config_entries.async_get_entry(discovery_info["entry_id"])
        if entry is None:
            return self.async_abort(reason="other_agent")
        await self.async_set_unique_id(arrival_id(str(entry.unique_id), discovery_info["mac"]))
        self._abort_if_unique_id_configured()
        self._arrival = Arrival(**discovery_info)  # type: ignore[typeddict-item]
        self.context["title_placeholders"] = {"name": discovery_info["name"]}
        return await self.async_step_arrival()

    async def async_step_arrival(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether to show it."""
        if user_input is None:
            self._set_confirm_only()
            return self.async_show_form(
                step_id="arrival",
                description_placeholders={
                    "name": as_text(self._arrival["name"]),
                    "mac": self._arrival["mac"],
                },
            )
        entry = self.hass.config_entries.async_get_entry(self._arrival["entry_id"])
        if entry is None:
            return self.async_abort(reason="other_agent")
        enrolled = {*entry.options[CONF_DEVICES], self._arrival["mac"]}
        if len(enrolled) > MOST_DEVICES:
            return self.async_abort(
                reason="too_many", description_placeholders={"most": str(MOST_DEVICES)}
            )
        return self.async_update_reload_and_abort(
            entry,
            options={**entry.options, CONF_DEVICES: sorted(enrolled)},
            reason="device_added",
        )

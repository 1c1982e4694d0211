"""Changing which devices are shown, and what the agent is told."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlowWithReload

from .const import MOST_DEVICES
from .coordinator import FwidConfigEntry
from .enrolment import check_choice, make_options, make_schema


class FwidOptionsFlow(OptionsFlowWithReload):
    """Asks for all options at once."""

    config_entry: FwidConfigEntry

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all options."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        devices = tuple(self.config_entry.runtime_data.data.devices.values())
        errors: dict[str, str] = {}
        if user_input is not None and not (errors := check_choice(user_input)):
            return self.async_create_entry(data=make_options(user_input, devices))
        schema = self.add_suggested_values_to_schema(
            make_schema(self.hass, devices, self.config_entry.options), user_input
        )
        return self.async_show_form(
            step_id="init",
            data_schema=schema,
            errors=errors,
            description_placeholders={"seen": str(len(devices)), "most": str(MOST_DEVICES)},
        )

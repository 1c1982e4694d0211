"""What a repair does when a person asks for it: have the agent train its model anew."""

from typing import Any

import voluptuous as vol
from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .coordinator import FwidConfigEntry


class RetrainFlow(RepairsFlow):
    """Asks once, and has the model trained."""

    def __init__(self, entry_id: str) -> None:
        """Repair the agent of this entry."""
        super().__init__()
        self._entry_id = entry_id

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> RepairsFlowResult:
        """Begin with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(
        self, user_input: dict[str, Any] | None = None
    ) -> RepairsFlowResult:
        """Ask, and then start."""
        entry: FwidConfigEntry | None = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=vol.Schema({}),
                description_placeholders={"agent": entry.title},
            )
        try:
            await entry.runtime_data.async_retrain()
        except HomeAssistantError as error:
            return self.async_abort(
                reason="not_started", description_placeholders={"reason": str(error)}
            )
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Make the flow of a repair; only the model's is one that can be done from here."""
    return RetrainFlow(str((data or {}).get("entry_id")))

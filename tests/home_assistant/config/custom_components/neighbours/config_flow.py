"""The config flow of the neighbours: it asks nothing."""

from typing import Any

from homeassistant.config_entries import ConfigFlow, ConfigFlowResult


class NeighboursFlow(ConfigFlow, domain="neighbours"):
    """Makes the one entry."""

    async def async_step_import(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Make the entry."""
        return self.async_create_entry(title="Neighbours", data={})

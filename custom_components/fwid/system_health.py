"""How the agents are, on Home Assistant's page of system information."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN
from .coordinator import FwidConfigEntry


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:
    """Register what tells it."""
    register.async_register_info(describe_health)


async def describe_health(hass: HomeAssistant) -> dict[str, Any]:
    """Return how all loaded agents are, as counts."""
    entries: list[FwidConfigEntry] = hass.config_entries.async_loaded_entries(DOMAIN)
    agents = [entry.runtime_data for entry in entries]
    sources = [source for agent in agents for source in agent.data.info.sources]
    rates = {rate for agent in agents if (rate := agent.data.info.alarms_per_device_year)}
    return {
        "agents": len(agents),
        "agents_connected": sum(agent.last_update_success for agent in agents),
        "agent_versions": ", ".join(sorted({agent.data.info.version for agent in agents})),
        "devices_enrolled": sum(len(agent.enrolled) for agent in agents),
        "devices_seen": sum(len(agent.data.devices) for agent in agents),
        "sources_capturing": f"{sum(s.capturing for s in sources)} / {len(sources)}",
        "devices_identified": sum(
            known is not None and known.identified is not None
            for agent in agents
            for known in map(agent.data.devices.get, agent.enrolled)
        ),
        "models_old": sum(
            about is not None and about.old_because is not None
            for about in (agent.data.info.identification for agent in agents)
        ),
        "alarms_accepted": ", ".join(f"{rate:g}" for rate in sorted(rates)),
        "packets_lost": sum(source.lost for source in sources),
    }

"""New devices in the home: each is offered, none is enrolled by itself."""

from datetime import datetime
from typing import TypedDict

from homeassistant.config_entries import SOURCE_IGNORE, SOURCE_INTEGRATION_DISCOVERY
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import discovery_flow

from .const import CONF_DEVICES, CONF_OFFERED_UNTIL, DOMAIN, MOST_ARRIVALS
from .coordinator import FwidConfigEntry
from .snapshot import find_arrivals


class Arrival(TypedDict):
    """What the flow that offers a device is given."""

    entry_id: str
    mac: str
    name: str


def arrival_id(agent_id: str, mac: str) -> str:
    """Return the unique id of the flow that offers a device."""
    return f"{agent_id}_{mac}"


@callback
def offer_arrivals(hass: HomeAssistant, entry: FwidConfigEntry) -> None:
    """Offer devices that came after the last ones were offered."""
    coordinator = entry.runtime_data
    until = entry.options.get(CONF_OFFERED_UNTIL)
    ignored = {
        str(other.unique_id).removeprefix(arrival_id(coordinator.agent_id, ""))
        for other in hass.config_entries.async_entries(DOMAIN)
        if other.source == SOURCE_IGNORE
    }
    arrivals = find_arrivals(
        coordinator.data,
        {*entry.options[CONF_DEVICES], *ignored},
        datetime.fromisoformat(until) if until else None,
        MOST_ARRIVALS,
    )
    for device in arrivals:
        discovery_flow.async_create_flow(
            hass,
            DOMAIN,
            context={"source": SOURCE_INTEGRATION_DISCOVERY},
            data=Arrival(
                entry_id=entry.entry_id, mac=device.mac, name=coordinator.name_of(device.mac)
            ),
        )


async def forget_arrivals(hass: HomeAssistant, agent_id: str) -> None:
    """Forget what was offered and what was ignored; the agent is gone."""
    flow = hass.config_entries.flow
    for progress in flow.async_progress_by_handler(
        DOMAIN, match_context={"source": SOURCE_INTEGRATION_DISCOVERY}
    ):
        if str(progress["context"].get("unique_id", "")).startswith(arrival_id(agent_id, "")):
            flow.async_abort(progress["flow_id"])
    ours = arrival_id(agent_id, "")
    for other in hass.config_entries.async_entries(DOMAIN):
        if other.source == SOURCE_IGNORE and str(other.unique_id).startswith(ours):
            await hass.config_entries.async_remove(other.entry_id)

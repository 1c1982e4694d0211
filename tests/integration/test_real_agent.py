"""Home Assistant and the real agent, which replays real captures: both keep the contract."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir

from custom_components.fwid.const import DOMAIN, EVENT_FIRMWARE_CHANGED
from custom_components.fwid.models import Category
from custom_components.fwid.parsing import parse_info
from tests.integration.conftest import device_id_of, until
from tests.integration.real_agent import FWID, SENSOR, RealAgent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(FWID is None, reason="no agent: FWID_AGENT names its command"),
]
STABILITY = f"sensor.{SENSOR.replace(':', '_')}_firmware_stability"
IDENTIFIED = f"sensor.{SENSOR.replace(':', '_')}_identified_as"
PATIENCE_S = 90.0


@pytest.fixture
async def agent(hass: HomeAssistant, tmp_path: Path) -> AsyncGenerator[RealAgent]:
    agent = RealAgent(tmp_path)
    await agent.start()
    yield agent
    await agent.stop()


async def add(hass: HomeAssistant, agent: RealAgent) -> ConfigEntry:
    """Add the agent as a person does, by address, fingerprint and code."""
    shown = await agent.ask("pair")
    flow = hass.config_entries.flow
    result: Any = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await flow.async_configure(result["flow_id"], {"host": agent.host, "port": agent.port})
    fingerprint = result["description_placeholders"]["fingerprint"].replace(" ", "")
    assert fingerprint == str(shown["fingerprint"])
    result = await flow.async_configure(result["flow_id"], {})
    result = await flow.async_configure(result["flow_id"], {"code": shown["code"]})
    assert result["step_id"] == "devices", result
    result = await flow.async_configure(
        result["flow_id"], {"devices": [SENSOR], "share_versions": False}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()
    entry: ConfigEntry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def replayed(entry: ConfigEntry) -> None:
    """Wait until the change in the captures was found."""
    await until(lambda: entry.runtime_data.data.devices[SENSOR].last_change is not None, PATIENCE_S)


async def test_a_change_in_real_captures_is_found_told_and_accepted(
    hass: HomeAssistant, agent: RealAgent
) -> None:
    """From pairing to accepting, with history, image and the state that follows, then removed."""
    told: list[dict[str, Any]] = []
    hass.bus.async_listen(EVENT_FIRMWARE_CHANGED, lambda event: told.append(dict(event.data)))
    entry = await add(hass, agent)
    coordinator = entry.runtime_data
    await replayed(entry)
    assert coordinator.data.info.replays
    assert not ir.async_get(hass).issues

    device = coordinator.data.devices[SENSOR]
    assert hass.states.get(STABILITY).state == device.state
    # The model that came with the agent knows devices of this maker.
    assert device.identified is not None
    assert (device.identified.model, device.identified.category) == (
        "shipped",
        Category.HOME_AUTOMATION,
    )
    assert hass.states.get(IDENTIFIED).state == device.identified.label
    assert coordinator.data.info.identification.model == "shipped"
    history = await coordinator.async_history(SENSOR, 730)
    assert {judged.verdict for judged in history} >= {"changed"}
    images = [await coordinator.async_image(SENSOR, which) for which in ("before", "after")]
    assert all(png is None or png.startswith(b"\x89PNG") for png in images)
    given = await hass.services.async_call(
        DOMAIN,
        "export_evidence",
        {"device_id": device_id_of(hass, SENSOR), "days": 730},
        blocking=True,
        return_response=True,
    )
    assert len(given["history"]) == len(history)

    action = {"device_id": device_id_of(hass, SENSOR)}
    await hass.services.async_call(DOMAIN, "label_version", {**action, "label": "1.1.0"}, True)
    assert hass.states.get(f"sensor.{SENSOR.replace(':', '_')}_version").state == "1.1.0"
    await hass.services.async_call(DOMAIN, "mute", action, True)
    await hass.services.async_call(DOMAIN, "expect_update", action, True)
    device = coordinator.data.devices[SENSOR]
    assert device.muted
    assert device.update_expected_until is not None
    if device.state == "changed":
        await hass.services.async_call(DOMAIN, "accept", action, True)
        assert hass.states.get(STABILITY).state == "stable"
        await until(lambda: "accepted" in [each["type"] for each in told])
    await hass.services.async_call(DOMAIN, "relearn", action, True)
    assert hass.states.get(STABILITY).state == "learning"

    await hass.config_entries.async_remove(entry.entry_id)
    assert (await agent.ask("tokens"))["tokens"] == []


async def test_every_event_is_told_once_over_restarts_of_the_real_agent(
    hass: HomeAssistant, agent: RealAgent
) -> None:
    """Numbers rise without a hole or a repeat, while the agent comes and goes."""
    told: list[int] = []
    entry = await add(hass, agent)
    coordinator = entry.runtime_data
    coordinator.async_listen(lambda event: told.append(event.seq))
    await replayed(entry)
    first = coordinator.journal.last_seq

    for _ in range(2):
        await agent.stop()
        await agent.start()
        await until(lambda: coordinator.last_update_success, PATIENCE_S)
        await coordinator.async_act(SENSOR, "relearn")
        await asyncio.sleep(0.5)

    stored = (await _events(coordinator))[-1]["seq"]
    await until(lambda: coordinator.journal.last_seq == stored, PATIENCE_S)
    assert told == sorted(set(told))
    assert coordinator.journal.last_seq >= first


async def test_a_token_that_the_real_agent_revokes_asks_to_be_let_in(
    hass: HomeAssistant, agent: RealAgent
) -> None:
    """`fwid tokens --revoke` ends the connection at once."""
    entry = await add(hass, agent)
    await until(lambda: entry.runtime_data.last_update_success)
    (token,) = (await agent.ask("tokens"))["tokens"]
    await agent.ask("tokens", "--revoke", token["id"])

    await until(hass.config_entries.flow.async_progress, PATIENCE_S)


async def _events(coordinator: Any) -> list[dict[str, Any]]:
    answer = await coordinator.client._get("events", {"after": "0"})
    return list(answer["events"])


def test_an_agent_that_replays_is_known_by_its_sources() -> None:
    """Its clock is that of the captures."""
    info = {"id": "1", "version": "1", "started": datetime.now(UTC).isoformat()}
    source = {"source": "captures", "kind": "replay"}
    assert parse_info({**info, "capture": {"sources": [source]}}).replays

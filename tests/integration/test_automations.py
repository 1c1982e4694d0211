"""Triggers and conditions of the automation editor, with devices, areas and labels as targets."""

from typing import Any

import pytest
from homeassistant.components import automation
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers import label_registry as lr
from homeassistant.helpers.condition import async_get_all_descriptions as all_conditions
from homeassistant.helpers.trigger import async_get_all_descriptions as all_triggers
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from tests.integration.conftest import CAMERA, PLUG, device_id_of, until
from tests.integration.fake_agent import FakeAgent

Calls = list[dict[str, Any]]


@pytest.fixture
def calls(hass: HomeAssistant) -> Calls:
    calls: Calls = []
    hass.services.async_register("test", "act", lambda call: calls.append(dict(call.data)))
    return calls


async def automate(hass: HomeAssistant, **config: Any) -> None:
    """Set up one automation that tells which entity it was set off by."""
    data = {"entity": "{{ trigger.entity_id | default('?') }}"}
    config.setdefault("actions", {"action": "test.act", "data": data})
    assert await async_setup_component(
        hass, automation.DOMAIN, {automation.DOMAIN: {"alias": "test", **config}}
    )
    assert not hass.states.get("automation.test").attributes.get("restored")
    assert hass.states.get("automation.test").state == "on"


async def settle(hass: HomeAssistant, entry: MockConfigEntry, seq: int) -> None:
    await until(lambda: entry.runtime_data.journal.last_seq == seq)
    await hass.async_block_till_done()


@pytest.mark.parametrize("target", ["device", "area", "label", "entity"])
async def test_a_change_triggers_for_every_kind_of_target(
    hass: HomeAssistant,
    entity_registry: er.EntityRegistry,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    calls: Calls,
    target: str,
) -> None:
    """The camera is targeted, the plug is not; of the camera's entities only the event counts."""
    device_id = device_id_of(hass, CAMERA)
    label = lr.async_get(hass).async_create("watched")
    dr.async_get(hass).async_update_device(device_id, labels={label.label_id})
    event = entity_registry.async_get_entity_id("event", "fwid", f"{agent.id}_{CAMERA}_firmware")
    targets = {
        "device": {"device_id": device_id},
        "area": {"area_id": "porch"},
        "label": {"label_id": label.label_id},
        "entity": {"entity_id": event},
    }
    await automate(hass, triggers={"trigger": "fwid.firmware_changed", "target": targets[target]})

    agent.change_version(PLUG)
    agent.happen(CAMERA, "behaves_differently")
    agent.change_version(CAMERA)
    await settle(hass, loaded, 3)

    assert calls == [{"entity": event}]


@pytest.mark.parametrize(
    ("wanted", "fired"), [("any", [True, False]), ("expected", [True]), ("unexpected", [False])]
)
async def test_expected_changes_can_be_told_apart(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    calls: Calls,
    wanted: str,
    fired: list[bool],
) -> None:
    """Who updates devices by hand need not be woken by it."""
    await automate(
        hass,
        triggers={
            "trigger": "fwid.firmware_changed",
            "target": {"device_id": device_id_of(hass, CAMERA)},
            "options": {"expected": wanted},
        },
        actions={
            "action": "test.act",
            "data": {"expected": "{{ trigger.to_state.attributes.expected }}"},
        },
        mode="queued",
    )

    agent.change_version(CAMERA, expected=True)
    agent.change_version(CAMERA, expected=False)
    await settle(hass, loaded, 2)

    assert [call["expected"] for call in calls] == fired


async def test_suspicion_and_return_trigger(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, calls: Calls
) -> None:
    """Each trigger answers to its own cause only."""
    target = {"device_id": device_id_of(hass, CAMERA)}
    await automate(
        hass,
        triggers=[
            {"trigger": "fwid.firmware_suspected", "target": target, "id": "suspected"},
            {"trigger": "fwid.returned_to_known_version", "target": target, "id": "returned"},
        ],
        actions={"action": "test.act", "data": {"id": "{{ trigger.id }}"}},
        mode="queued",
    )

    agent.set_device(CAMERA, state="suspected")
    agent.tell_changed()
    await until(lambda: calls)
    agent.change_version(CAMERA)
    agent.happen(CAMERA, "returned_to_known_version")
    await settle(hass, loaded, 2)

    assert [call["id"] for call in calls] == ["suspected", "returned"]


async def test_conditions_ask_for_the_state(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, calls: Calls
) -> None:
    """Any device that has changed, all devices that are stable."""
    both = [device_id_of(hass, CAMERA), device_id_of(hass, PLUG)]

    def choice(condition: str, behavior: str) -> dict[str, Any]:
        name = f"{condition} {behavior}"
        return {
            "if": {
                "condition": f"fwid.{condition}",
                "target": {"device_id": both},
                "options": {"behavior": behavior},
            },
            "then": {"action": "test.act", "data": {"true": name}},
        }

    await automate(
        hass,
        triggers={"trigger": "event", "event_type": "ask"},
        actions=[
            choice(condition, behavior)
            for condition in ("is_changed", "is_stable")
            for behavior in ("any", "all")
        ],
    )

    async def ask() -> list[str]:
        calls.clear()
        hass.bus.async_fire("ask")
        await hass.async_block_till_done()
        return [call["true"] for call in calls]

    assert await ask() == ["is_stable any", "is_stable all"]

    agent.change_version(CAMERA)
    await settle(hass, loaded, 1)
    assert await ask() == ["is_changed any", "is_stable any"]

    agent.change_version(PLUG)
    await settle(hass, loaded, 2)
    assert await ask() == ["is_changed any", "is_changed all"]


async def test_the_editor_is_offered_all_of_them(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """What is described is what can be used."""
    await async_setup_component(hass, automation.DOMAIN, {})
    triggers, conditions = await all_triggers(hass), await all_conditions(hass)

    assert {key for key in triggers if key.startswith("fwid.")} == {
        "fwid.firmware_changed",
        "fwid.firmware_suspected",
        "fwid.returned_to_known_version",
    }
    assert {key for key in conditions if key.startswith("fwid.")} == {
        "fwid.is_changed",
        "fwid.is_stable",
    }
    described = triggers["fwid.firmware_changed"]
    assert described["target"]["entity"][0]["integration"] == "fwid"
    assert described["fields"]["expected"]["default"] == "any"

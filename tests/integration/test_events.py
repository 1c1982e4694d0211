"""What happens is told exactly once, whatever happens to the agent, the network or Home Assistant.

Each test counts what an automation with the integration's own trigger did, what came on the bus,
and what the event entity showed.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.components import automation
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    EVENT_HOMEASSISTANT_STARTED,
    STATE_UNAVAILABLE,
)
from homeassistant.core import CoreState, Event, HomeAssistant, ServiceCall, State, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    mock_restore_cache_with_extra_data,
)

from custom_components.fwid import client as client_module
from custom_components.fwid import coordinator as coordinator_module
from custom_components.fwid.const import DOMAIN, EVENT_FIRMWARE_CHANGED
from tests.integration.conftest import CAMERA, PLUG, until
from tests.integration.fake_agent import FakeAgent, format_time
from tests.integration.silent_network import silent_network

STABILITY = "sensor.porch_porch_camera_firmware_stability"
_NEXT_S = coordinator_module.Backoff.next_s
FIRMWARE = "event.porch_porch_camera_firmware"


class Told:
    """What was told of changed firmware, by each way that there is."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self.on_bus: list[dict[str, Any]] = []
        self.by_automation: list[dict[str, Any]] = []
        self.by_state_trigger: list[dict[str, Any]] = []

    async def listen(self) -> None:
        """Set up what a person would: automations in YAML, and a listener on the bus."""

        def act(list_: list[dict[str, Any]]) -> Callable[[ServiceCall], None]:
            return lambda call: list_.append(dict(call.data))

        self._hass.services.async_register("test", "changed", act(self.by_automation))
        self._hass.services.async_register("test", "state", act(self.by_state_trigger))
        self._hass.bus.async_listen(EVENT_FIRMWARE_CHANGED, self._on_event)
        assert await async_setup_component(
            self._hass,
            automation.DOMAIN,
            {
                automation.DOMAIN: [
                    {
                        "alias": "changed",
                        "mode": "parallel",
                        "max": 1000,
                        "triggers": {
                            "trigger": "fwid.firmware_changed",
                            "target": {"entity_id": FIRMWARE},
                        },
                        "actions": {
                            "action": "test.changed",
                            "data": {"id": "{{ trigger.to_state.attributes.id }}"},
                        },
                    },
                    {
                        "alias": "state",
                        "mode": "parallel",
                        "max": 1000,
                        "triggers": {
                            "trigger": "event.received",
                            "target": {"entity_id": FIRMWARE},
                            "options": {"event_type": ["version_changed"]},
                        },
                        "actions": {
                            "action": "test.state",
                            "data": {"id": "{{ trigger.to_state.attributes.id }}"},
                        },
                    },
                ]
            },
        )

    @callback
    def _on_event(self, event: Event[dict[str, Any]]) -> None:
        if event.data["type"] == "version_changed":
            self.on_bus.append(event.data)

    async def expect(self, *events: dict[str, Any]) -> None:
        """Each of these was told once by each way, and nothing else; the bus keeps their order."""
        ids = [event["id"] for event in events]
        await until(lambda: len(self.on_bus) >= len(ids))
        await asyncio.sleep(0.05)
        await self._hass.async_block_till_done()
        assert [each["id"] for each in self.on_bus] == ids
        for acted in (self.by_automation, self.by_state_trigger):  # runs may overtake one another
            assert sorted(each["id"] for each in acted) == sorted(ids)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once: how long is waited is held by the test of the backoff."""
    monkeypatch.setattr(coordinator_module.Backoff, "next_s", _next_s)


def _next_s(backoff: Any) -> float:
    backoff.failures += 1
    return 0.02


@pytest.fixture
async def told(hass: HomeAssistant, loaded: MockConfigEntry) -> Told:
    told = Told(hass)
    await told.listen()
    return told


async def test_a_change_is_told_once_with_all_that_is_known(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """Bus, entity and automation get the same facts, and the state is there before them."""
    states: list[str] = []
    hass.bus.async_listen(
        EVENT_FIRMWARE_CHANGED, lambda _: states.append(hass.states.get(STABILITY).state)
    )

    event = agent.change_version(CAMERA)
    await told.expect(event)

    (facts,) = told.on_bus
    device = dr.async_get(hass).async_get(facts["device_id"])
    assert (device.config_entry_id, device.name) == (loaded.entry_id, "Porch camera")
    shown = hass.states.get(FIRMWARE).attributes
    for name in ("from_version", "to_version", "cause", "expected", "seq", "id"):
        assert facts[name] == shown[name] == event[name]
    assert datetime.fromisoformat(facts["time"]) == datetime.fromisoformat(event["time"])
    sentence = "DNS sent at home, size 90 bytes in every first flight: was 100"
    assert facts["reasons"] == shown["reasons"] == [sentence]
    assert hass.states.get(STABILITY).attributes["reasons"] == [sentence]
    assert states == ["changed"]


async def test_every_kind_of_event_reaches_the_entity(
    hass: HomeAssistant, told: Told, agent: FakeAgent
) -> None:
    """What the agent may tell, the entity can show."""
    for kind in hass.states.get(FIRMWARE).attributes["event_types"]:
        event = agent.happen(CAMERA, kind)
        await until(lambda seq=event["seq"]: hass.states.get(FIRMWARE).attributes.get("seq") == seq)
        assert hass.states.get(FIRMWARE).attributes["event_type"] == kind


async def test_many_events_at_once_are_all_told_in_order(
    hass: HomeAssistant, told: Told, agent: FakeAgent
) -> None:
    """Events of one device within one millisecond stay apart."""
    events = [agent.change_version(CAMERA) for _ in range(30)]

    await told.expect(*events)


async def test_events_of_devices_that_are_not_enrolled_are_nobodys(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """What is not shown is not told; what follows is."""
    agent.devices["b8:00:00:00:00:01"] = {**agent.devices[PLUG], "device": "b8:00:00:00:00:01"}
    agent.change_version("b8:00:00:00:00:01")

    await told.expect(agent.change_version(CAMERA))
    assert loaded.runtime_data.journal.last_seq == 2


async def test_once_over_a_restart_of_the_agent(
    hass: HomeAssistant, told: Told, agent: FakeAgent
) -> None:
    """What happens while the agent is not reached is told once it is back, and nothing again."""
    first = agent.change_version(CAMERA)
    await told.expect(first)

    await agent.stop()
    await until(lambda: hass.states.get(STABILITY).state == STATE_UNAVAILABLE)
    second = agent.change_version(CAMERA)
    await agent.start()

    await told.expect(first, second)
    assert hass.states.get(STABILITY).state == "changed"


async def test_a_short_restart_of_the_agent_is_not_shown(
    hass: HomeAssistant, told: Told, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    """States do not flap where the agent is back at the first try."""
    states: list[State | None] = []
    hass.bus.async_listen("state_changed", lambda event: states.append(event.data["new_state"]))

    await agent.cut()
    await until(lambda: agent.followers == 1)
    await told.expect(agent.change_version(CAMERA))

    assert not [state for state in states if state and state.state == STATE_UNAVAILABLE]
    assert "Error requesting" not in caplog.text


async def test_once_over_a_network_that_is_cut_for_an_hour(
    hass: HomeAssistant, told: Told, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    """An hour of tries, at the times that they would have: one line in the log, one more after."""
    waited: list[float] = []
    hour_is_over = asyncio.Event()

    def next_s(backoff: Any) -> float:
        waited.append(_NEXT_S(backoff))
        if sum(waited) > 3600:
            hour_is_over.set()
        return 0.0

    with patch.object(coordinator_module.Backoff, "next_s", next_s):
        await agent.stop()
        await hour_is_over.wait()
    changed = agent.change_version(CAMERA)
    await agent.start()

    await told.expect(changed)
    assert 60 < len(waited) < 150
    assert caplog.text.count("Error requesting fwid data") == 1
    assert caplog.text.count("Connected to the agent again") == 1


async def test_once_over_a_network_that_loses_everything_without_a_word(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent, camera: dr.DeviceEntry
) -> None:
    """A cable that is pulled ends no connection: only what does not come tells of it."""
    async with silent_network(agent.host, agent.port) as network:
        hass.config_entries.async_update_entry(entry, data={**entry.data, "port": network.port})
        with (
            patch.object(client_module, "_HEARTBEAT_S", 0.2),
            patch.object(client_module, "_PATIENCE_S", 0.3),
        ):
            assert await hass.config_entries.async_setup(entry.entry_id)
            await until(lambda: agent.followers == 1)
            told = Told(hass)
            await told.listen()
            first = agent.change_version(CAMERA)
            await told.expect(first)

            network.cut()
            second = agent.change_version(CAMERA)
            await until(lambda: hass.states.get(STABILITY).state == STATE_UNAVAILABLE)
            network.mend()
            await told.expect(first, second)
        assert await hass.config_entries.async_unload(entry.entry_id)


async def test_once_over_a_restart_of_home_assistant(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """What happens while Home Assistant is down is told with its true time, once it has started."""
    first = agent.change_version(CAMERA)
    await told.expect(first)
    before = hass.states.get(FIRMWARE)
    assert await hass.config_entries.async_unload(loaded.entry_id)
    second = agent.change_version(CAMERA)

    extra = {"last_event_type": "version_changed", "last_event_attributes": dict(before.attributes)}
    mock_restore_cache_with_extra_data(hass, [(before, extra)])
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(loaded.entry_id)
    assert hass.states.get(STABILITY).state == "changed"
    # Automations do not listen yet: nothing is told.
    await asyncio.sleep(0.1)
    assert agent.followers == 0
    assert hass.states.get(FIRMWARE).attributes["id"] == first["id"]

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await told.expect(first, second)
    shown = hass.states.get(FIRMWARE).attributes
    assert datetime.fromisoformat(shown["time"]) == datetime.fromisoformat(second["time"])


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
async def test_once_over_a_clock_that_is_an_hour_off(
    hass: HomeAssistant, told: Told, agent: FakeAgent, ahead: timedelta
) -> None:
    """What counts is an event's number: it is told with the agent's time, neither old nor early."""
    agent.clock = lambda: datetime.now(UTC) + ahead
    time = format_time(agent.clock())
    first = agent.change_version(CAMERA, time=time)
    await told.expect(first)
    shown = hass.states.get(FIRMWARE).attributes
    assert datetime.fromisoformat(shown["time"]) == datetime.fromisoformat(time)

    agent.clock = lambda: datetime.now(UTC)  # set right, it steps back over what was told, or on
    await agent.cut()
    second = agent.change_version(CAMERA, time=format_time(agent.clock()))
    await told.expect(first, second)


async def test_what_was_told_is_kept_before_anything_can_go_wrong(
    hass: HomeAssistant,
    hass_storage: dict[str, Any],
    told: Told,
    agent: FakeAgent,
    loaded: MockConfigEntry,
) -> None:
    """A crash right after an event does not tell it again."""
    event = agent.change_version(CAMERA)
    await told.expect(event)

    assert hass_storage[f"{DOMAIN}.{loaded.entry_id}"]["data"] == {"last_seq": event["seq"]}


async def test_history_from_before_the_entry_is_not_told(
    hass: HomeAssistant, entry: MockConfigEntry, camera: dr.DeviceEntry, agent: FakeAgent
) -> None:
    """Adding an agent sets off no automation for what happened last year."""
    agent.change_version(CAMERA)
    told = Told(hass)
    await told.listen()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: agent.followers == 1)

    await told.expect(agent.change_version(CAMERA))


async def test_once_over_another_certificate(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """Nothing is taken from an impostor; after a person has compared, nothing is missing."""
    await agent.stop()
    agent.renew_certificate()
    changed = agent.change_version(CAMERA)
    await agent.start()
    await until(hass.config_entries.flow.async_progress)
    assert hass.states.get(STABILITY).state == STATE_UNAVAILABLE
    assert told.on_bus == []

    await _let_in(hass, agent, "new_certificate")
    await told.expect(changed)
    assert loaded.state is ConfigEntryState.LOADED


async def test_once_over_a_machine_that_had_the_agents_address_for_a_while(
    hass: HomeAssistant, told: Told, agent: FakeAgent
) -> None:
    """Once the pinned certificate is back, nobody has to be asked any more."""
    await agent.stop()
    agent.renew_certificate()
    await agent.start()
    await until(hass.config_entries.flow.async_progress)

    await agent.stop()
    agent.renew_certificate()  # there are two
    changed = agent.change_version(CAMERA)
    await agent.start()

    await told.expect(changed)
    assert not hass.config_entries.flow.async_progress()


async def test_once_over_a_revoked_token(hass: HomeAssistant, told: Told, agent: FakeAgent) -> None:
    """Without a token nothing is told; after pairing anew nothing is missing."""
    await agent.revoke()
    await until(hass.config_entries.flow.async_progress)
    changed = agent.change_version(CAMERA)

    await _let_in(hass, agent, "pair")
    await told.expect(changed)


async def _let_in(hass: HomeAssistant, agent: FakeAgent, step: str) -> None:
    (flow,) = hass.config_entries.flow.async_progress()
    agent.code = "12345678"
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    assert result["step_id"] == step
    if step != "pair":
        result = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    await hass.config_entries.flow.async_configure(flow["flow_id"], {"code": "12345678"})
    await hass.async_block_till_done()


async def test_once_with_an_agent_of_a_later_minor_version(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """Unknown fields, messages, states and kinds of events are no reason to stumble."""
    agent.more = {"further": {"more": [1, 2, 3]}, "another": None}
    await agent.stop()
    agent.version = "0.9.0"
    await agent.start()
    agent._send({"type": "weather"})
    agent.set_device(PLUG, state="dreaming", vantage="orbit")
    agent.happen(CAMERA, "sings")

    changed = agent.change_version(CAMERA)

    await told.expect(changed)
    assert loaded.runtime_data.journal.last_seq == changed["seq"]
    assert hass.states.get("sensor.wemo_firmware_stability").state == "unknown"


async def test_an_agent_that_does_not_fit_is_followed_again_once_it_does(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """Nothing it says is guessed at; after an update it is followed from where it was."""
    await agent.stop()
    agent.api = 2
    changed = agent.change_version(CAMERA)
    await agent.start()
    issues = ir.async_get(hass).issues
    await until(lambda: issues)
    assert [issue.translation_key for issue in issues.values()] == ["integration_too_old"]
    await until(lambda: hass.states.get(STABILITY).state == STATE_UNAVAILABLE)
    assert told.on_bus == []

    await agent.stop()
    agent.api = 1
    await agent.start()
    await told.expect(changed)
    assert not issues
    assert loaded.state is ConfigEntryState.LOADED


async def test_a_gap_is_told_in_the_log_and_what_is_kept_follows(
    hass: HomeAssistant, told: Told, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    """Events that the agent no longer has are lost, but not silently, and states are right."""
    first = agent.change_version(CAMERA)
    await told.expect(first)
    await agent.stop()
    agent.change_version(CAMERA)
    third = agent.change_version(CAMERA)
    agent.kept_from = third["seq"]
    await agent.start()

    await told.expect(first, third)
    assert "no longer has some events" in caplog.text


async def test_an_agent_with_an_older_store_is_followed_from_there(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """After a restored backup numbers come again; what is new has not been told."""
    events = [agent.change_version(CAMERA) for _ in range(3)]
    await told.expect(*events)
    await agent.stop()
    agent.events = agent.events[:1]
    await agent.start()
    await until(lambda: loaded.runtime_data.journal.last_seq == 1)
    await agent.stop()
    again = agent.change_version(CAMERA, id="00000000-0000-0000-0000-0000000000ff")
    await agent.start()

    await told.expect(*events, again)


async def test_a_fault_while_events_are_read_loses_none(
    hass: HomeAssistant, told: Told, agent: FakeAgent
) -> None:
    """Events whose states cannot be read yet are told at the next try."""
    agent.failing["devices"] = 500
    changed = agent.change_version(CAMERA)
    await until(lambda: agent.requests[-3:].count("GET info") > 0 and agent.followers == 0)
    assert told.on_bus == []

    agent.failing.clear()
    await told.expect(changed)


# aiohttp sets its heartbeat's timer once more when the other side answers that it closes.
@pytest.mark.parametrize("expected_lingering_timers", [True])
@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"seq": 1}', '{"type": "gap"}', '"x"'],
    ids=["cut", "list", "half event", "half gap", "text"],
)
async def test_a_message_that_makes_no_sense_ends_the_connection_only(
    hass: HomeAssistant, told: Told, agent: FakeAgent, text: str
) -> None:
    """The next connection begins after the last event that was understood."""
    for queue in agent._streams.values():
        queue.put_nowait(text)
    await until(lambda: agent.answers["GET devices"] >= 3)

    await told.expect(agent.change_version(CAMERA))


async def test_a_fault_of_our_own_does_not_end_the_following(
    hass: HomeAssistant, told: Told, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever goes wrong in one entity, others are told, and the connection is kept."""
    broken = True

    def listener(_: Any) -> None:
        if broken:
            raise RuntimeError("a fault that a test wants")

    entry = hass.config_entries.async_entries(DOMAIN)[0]
    entry.runtime_data._event_listeners.insert(0, listener)
    changed = agent.change_version(CAMERA)

    await told.expect(changed)
    assert "a fault that a test wants" in caplog.text


async def test_a_fault_while_following_is_logged_once_and_followed_by_another_try(
    hass: HomeAssistant, told: Told, agent: FakeAgent, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault that nobody thought of does not leave Home Assistant deaf without a word."""
    with patch.object(
        coordinator_module, "take_snapshot", side_effect=RuntimeError("not thought of")
    ):
        changed = agent.change_version(CAMERA)
        await until(lambda: hass.states.get(STABILITY).state == STATE_UNAVAILABLE)
        tries = agent.answers["GET devices"]
        await until(lambda: agent.answers["GET devices"] > tries + 2)
    assert caplog.text.count("The agent could not be followed; trying again") == 1

    await told.expect(changed)
    assert hass.states.get(STABILITY).state == "changed"


async def test_unloading_in_the_midst_of_events_loses_none(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """Reloading an entry while events come in tells each of them once."""
    events = [agent.change_version(CAMERA) for _ in range(20)]
    await until(lambda: told.on_bus)
    assert await hass.config_entries.async_reload(loaded.entry_id)
    events += [agent.change_version(CAMERA) for _ in range(20)]

    await told.expect(*events)


async def test_an_entry_that_cannot_be_unloaded_goes_on(
    hass: HomeAssistant, told: Told, agent: FakeAgent, loaded: MockConfigEntry
) -> None:
    """Where a platform does not let go, the agent is followed as before."""
    with patch.object(hass.config_entries, "async_unload_platforms", return_value=False):
        assert not await hass.config_entries.async_unload(loaded.entry_id)

    await told.expect(agent.change_version(CAMERA))

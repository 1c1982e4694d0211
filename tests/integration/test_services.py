"""The actions: what reaches the agent, and what a person reads where it cannot be done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import voluptuous as vol
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.fwid.const import DOMAIN
from tests.integration.conftest import CAMERA, PLUG, device_id_of, until
from tests.integration.fake_agent import START, FakeAgent, format_time


async def act(hass: HomeAssistant, action: str, mac: str | list[str], **data: Any) -> None:
    macs = [mac] if isinstance(mac, str) else mac
    ids = [device_id_of(hass, each) for each in macs]
    data["device_id"] = ids[0] if isinstance(mac, str) else ids
    await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=action == "export_evidence"
    )


@pytest.mark.parametrize(
    ("action", "data", "told"),
    [
        ("accept", {}, ("accept", {})),
        ("relearn", {}, ("relearn", {})),
        ("label_version", {"label": "1.7.5"}, ("label", {"version": 1, "label": "1.7.5"})),
        (
            "label_version",
            {"label": "old", "version": 1},
            ("label", {"version": 1, "label": "old"}),
        ),
        ("mute", {}, ("mute", {"until": None})),
    ],
)
async def test_an_action_reaches_the_agent(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    action: str,
    data: dict[str, Any],
    told: tuple[str, dict[str, Any]],
) -> None:
    """Each action asks exactly what it says."""
    await act(hass, action, CAMERA, **data)

    assert agent.actions == [(CAMERA, *told)]


async def test_several_devices_at_once(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """All devices of a list are meant."""
    await act(hass, "relearn", [CAMERA, PLUG])

    assert agent.actions == [(CAMERA, "relearn", {}), (PLUG, "relearn", {})]


@pytest.mark.parametrize(("action", "told"), [("mute", "mute"), ("expect_update", "expect-update")])
async def test_times_are_those_of_home_assistant(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, action: str, told: str
) -> None:
    """A time without an offset is one of Home Assistant's own zone."""
    await hass.config.async_set_time_zone("Europe/Berlin")

    await act(hass, action, CAMERA, until="2026-12-24 18:00:00")

    _, name, words = agent.actions[-1]
    until_ = datetime.fromisoformat(words["until"])
    assert name == told
    assert abs(until_ - datetime(2026, 12, 24, 17, tzinfo=UTC)) < timedelta(seconds=5)


async def test_an_update_is_expected_for_three_days(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """As long as it may take until a change is noticed."""
    await act(hass, "expect_update", CAMERA)

    until_ = datetime.fromisoformat(agent.actions[-1][2]["until"])
    assert abs(until_ - datetime.now(UTC) - timedelta(days=3)) < timedelta(minutes=1)


async def test_the_last_alarm_is_the_wrong_one_unless_another_is_named(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """A button needs to know the device only."""
    first, last = agent.change_version(CAMERA), agent.change_version(CAMERA)
    await until(lambda: loaded.runtime_data.journal.last_seq == 2)

    await act(hass, "wrong_alarm", CAMERA)
    await act(hass, "wrong_alarm", CAMERA, event=first["id"])

    assert [words["event"] for _, _, words in agent.actions] == [last["id"], first["id"]]


async def test_evidence_is_returned_whole(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """State, versions, and each verdict with its reasons in words and its band."""
    agent.clock = lambda: START + timedelta(days=20)
    agent.change_version(CAMERA)
    agent.history[CAMERA] = [
        {
            "time": format_time(START + timedelta(days=day)),
            "state": "changed",
            "version": 1,
            "verdict": "changed",
            "cause": "software",
            "g": 2.0,
            "g_low": 1.0,
            "g_high": 3.0,
            "similarity_baseline": 0.9,
            "similarity_test": 0.5,
            "reasons": agent.devices[CAMERA]["reasons"],
        }
        for day in (1, 15)
    ]
    await until(lambda: loaded.runtime_data.journal.last_seq == 1)

    given = await hass.services.async_call(
        DOMAIN,
        "export_evidence",
        {"device_id": device_id_of(hass, CAMERA), "days": 10},
        blocking=True,
        return_response=True,
    )

    sentence = "DNS sent at home, size 90 bytes in every first flight: was 100"
    assert given | {"exported": None} == {
        "exported": None,
        "agent": agent.id,
        "agent_version": "0.1.0",
        "name": "Porch camera",
        "mac": CAMERA,
        "state": "changed",
        "since": "2026-03-02T00:00:00+00:00",
        "version": 1,
        "versions": [{"version": 1, "label": None}, {"version": 2, "label": None}],
        "reasons": [sentence],
        "last_alarm": agent.events[0]["id"],
        "kind": None,
        "identified": None,
        "history": [
            {
                "time": "2026-03-16T00:00:00+00:00",
                "state": "changed",
                "version": 1,
                "verdict": "changed",
                "similarity": 0.5,
                "low": pytest.approx(0.3),
                "high": pytest.approx(0.7),
                "g": 2.0,
                "reasons": [sentence],
            }
        ],
    }


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("label_version", {}),
        ("label_version", {"label": ""}),
        ("label_version", {"label": "x" * 65}),
        ("label_version", {"label": "1", "version": 0}),
        ("mute", {"until": "soon"}),
        ("export_evidence", {"days": 0}),
    ],
)
async def test_nonsense_is_refused_here(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    action: str,
    data: dict[str, Any],
) -> None:
    """What makes no sense does not reach the agent."""
    with pytest.raises(vol.Invalid):
        await act(hass, action, CAMERA, **data)

    assert agent.actions == []


async def test_what_the_agent_refuses_is_told_in_its_words(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A version that a device never had cannot be named."""
    with pytest.raises(ServiceValidationError, match="has no version 7") as raised:
        await act(hass, "label_version", CAMERA, label="x", version=7)
    assert raised.value.translation_key == "refused"


async def test_actions_need_what_they_are_about(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """No alarm, no version: there is nothing to do, and the error says so."""
    with pytest.raises(ServiceValidationError, match="wemo has raised no alarm") as raised:
        await act(hass, "wrong_alarm", PLUG)
    assert raised.value.translation_key == "no_alarm"

    agent.set_device(PLUG, state=None, version=None)
    agent.tell_changed()
    await until(lambda: loaded.runtime_data.data.devices[PLUG].version is None)
    with pytest.raises(ServiceValidationError, match="wemo has no version yet") as raised:
        await act(hass, "label_version", PLUG, label="x")
    assert raised.value.translation_key == "no_version"


async def test_a_device_that_is_not_ours_is_refused_before_anything_is_done(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, camera: dr.DeviceEntry
) -> None:
    """The error names the device; of several devices none is touched."""
    hub = next(
        device
        for device in dr.async_entries_for_config_entry(dr.async_get(hass), loaded.entry_id)
        if device.name == "fwid (pi)"
    )
    ours = device_id_of(hass, CAMERA)
    for wrong, key in [("?", "no_device"), (camera.id, "not_ours"), (hub.id, "no_traffic_device")]:
        with pytest.raises(ServiceValidationError) as raised:
            await hass.services.async_call(
                DOMAIN, "relearn", {"device_id": [ours, wrong]}, blocking=True
            )
        assert raised.value.translation_key == key
    assert agent.actions == []

    assert await hass.config_entries.async_unload(loaded.entry_id)
    with pytest.raises(ServiceValidationError) as raised:
        await act(hass, "relearn", CAMERA)
    assert raised.value.translation_key == "not_loaded"


@pytest.mark.parametrize("trouble", ["away", "certificate", "token", "strange"])
async def test_an_agent_in_trouble_is_an_error_that_is_translated(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent, trouble: str
) -> None:
    """Whatever is wrong, the person reads it, and is asked to do what helps."""
    key = {
        "away": "unreachable",
        "certificate": "certificate_changed",
        "token": "token_refused",
        "strange": "strange_answer",
    }[trouble]
    if trouble == "strange":
        agent.more = {"device": None, "state": 1, "first_seen": "yesterday"}
    elif trouble == "token":
        agent.tokens.clear()
    else:
        await agent.stop()
    if trouble == "certificate":
        agent.renew_certificate()
        await agent.start()

    with pytest.raises(HomeAssistantError) as raised:
        await act(hass, "relearn", CAMERA)

    assert raised.value.translation_key == key
    reauth = bool(hass.config_entries.flow.async_progress())
    assert reauth is (trouble in ("certificate", "token"))


async def test_actions_are_there_without_an_entry(hass: HomeAssistant) -> None:
    """Automations can be checked while no agent is loaded."""
    assert await async_setup_component(hass, DOMAIN, {})

    assert set(hass.services.async_services()[DOMAIN]) == {
        "accept",
        "expect_update",
        "export_evidence",
        "label_version",
        "mute",
        "relearn",
        "retrain",
        "set_kind",
        "wrong_alarm",
    }

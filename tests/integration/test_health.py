"""Diagnostics, system information, logbook and repairs: what somebody who helps gets to see."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from homeassistant.components.diagnostics import REDACTED
from homeassistant.const import CONF_TOKEN
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry, get_system_health_info
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

from custom_components.fwid.const import DOMAIN, EVENT_FIRMWARE_CHANGED
from custom_components.fwid.diagnostics import (
    async_get_config_entry_diagnostics,
    async_get_device_diagnostics,
)
from custom_components.fwid.logbook import Describe, async_describe_events
from custom_components.fwid.models import EventType
from tests.integration.conftest import (
    CAMERA,
    CRAFTED,
    PLUG,
    as_shown,
    device_id_of,
    is_plain,
    until,
)
from tests.integration.fake_agent import FakeAgent


async def test_diagnostics_can_be_shown_to_anybody(
    hass: HomeAssistant,
    snapshot: SnapshotAssertion,
    loaded: MockConfigEntry,
    agent: FakeAgent,
) -> None:
    """No address, name, id, token or host is in them; what helps is."""
    agent.sources = [agent.source(source="192.168.1.1", trouble="192.168.1.1: no answer")]
    agent.change_version(CAMERA)
    await until(lambda: loaded.runtime_data.journal.last_seq == 1)
    device = dr.async_get(hass).async_get(device_id_of(hass, CAMERA))
    hub = dr.async_get(hass).async_get(device.via_device_id)

    given = await async_get_config_entry_diagnostics(hass, loaded)
    of_device = await async_get_device_diagnostics(hass, loaded, device)

    assert given == snapshot(exclude=props("time", "port"))
    assert of_device["device"] == given["devices"]["device 1"]
    assert (await async_get_device_diagnostics(hass, loaded, hub))["device"] is None
    secrets = [CAMERA, PLUG, agent.host, agent.id, agent.fingerprint, "Porch", "wemo", "192.168"]
    text = json.dumps([given, of_device], default=str)
    assert [secret for secret in (*secrets, loaded.data[CONF_TOKEN]) if f'"{secret}' in text] == []


async def test_diagnostics_hold_no_words_of_a_device(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """What a device says in handshakes names services that somebody uses."""
    row = {"protocol": "dns", "direction": "sent", "scope": "lan"}
    said = {"kind": "dns_name", "old": "clinic.example", "new": "bank.example"}
    sized = {"kind": "size", "old": 100, "new": 90, "first_flight": True}
    agent.set_device(
        CAMERA,
        reasons=[
            {"key": "value_replaced", "params": row | said},
            {"key": "size_replaced", "params": row | sized},
        ],
    )
    agent.tell_changed()
    await until(lambda: len(loaded.runtime_data.data.devices[CAMERA].reasons) == 2)

    given = await async_get_config_entry_diagnostics(hass, loaded)

    assert ".example" not in json.dumps(given, default=str)
    words, sizes = (each["params"] for each in given["devices"]["device 1"]["reasons"])
    assert words == row | {"kind": "dns_name", "old": REDACTED, "new": REDACTED}
    assert sizes == row | sized


async def test_diagnostics_of_a_device_that_the_agent_has_forgotten(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """What is not there is null."""
    del agent.devices[PLUG]
    agent.tell_changed()
    await until(lambda: len(loaded.runtime_data.data.devices) == 1)

    given = await async_get_config_entry_diagnostics(hass, loaded)

    assert given["devices"]["device 2"] is None
    assert (given["devices_seen"], given["options"]["devices"]) == (1, 2)


async def test_system_information_counts(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """All agents together, and whether they are reached."""
    agent.sources = [agent.source(lost=7), agent.source(capturing=False)]
    agent.tell_changed()
    await until(lambda: len(loaded.runtime_data.data.info.sources) == 2)
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()

    assert await get_system_health_info(hass, DOMAIN) == {
        "agents": 1,
        "agents_connected": 1,
        "agent_versions": "0.1.0",
        "devices_enrolled": 2,
        "devices_seen": 2,
        "sources_capturing": "1 / 2",
        "devices_identified": 0,
        "models_old": 0,
        "alarms_accepted": "0.1",
        "packets_lost": 7,
    }


async def test_the_logbook_tells_every_event_in_words(
    hass: HomeAssistant, loaded: MockConfigEntry
) -> None:
    """A line names the device and what happened; a kind of a later version stays readable."""
    data = {"name": "Porch camera", "from_label": "1.1.0", "to_label": "1.7.5"}
    kinds = [*EventType, "dreams"]
    describers: dict[tuple[str, str], Describe] = {}
    async_describe_events(hass, lambda *key_and_words: describers.update([_pair(key_and_words)]))

    describe = describers[DOMAIN, EVENT_FIRMWARE_CHANGED]
    lines = [describe(Event(EVENT_FIRMWARE_CHANGED, {**data, "type": kind})) for kind in kinds]

    assert {line["name"] for line in lines} == {"Porch camera"}
    told = dict(zip(kinds, (line["message"] for line in lines), strict=True))
    assert told["version_changed"] == "firmware changed from version 1.1.0 to 1.7.5"
    assert told["returned_to_known_version"] == "is back to firmware version 1.7.5"
    assert told["dreams"] == "dreams"
    assert not [message for message in told.values() if "{" in message]


def _pair(told: tuple[str, str, Describe]) -> tuple[tuple[str, str], Describe]:
    return told[:2], told[2]


Fields = dict[str, Any]


@pytest.mark.parametrize(
    ("cause", "key", "placeholders"),
    [
        (
            {"sources": [{"capturing": False, "trouble": "eth0 is gone"}]},
            "not_capturing",
            {"troubles": "eth0: eth0 is gone"},
        ),
        (
            {"sources": [{"capturing": False, "trouble": "eth0: is gone"}]},
            "not_capturing",
            {"troubles": "eth0: is gone"},
        ),
        ({"sources": [{"lost": 20_000}]}, "packet_loss", {"sources": "eth0"}),
        ({"clock": timedelta(minutes=-30)}, "clock_skew", {"minutes": "30"}),
        ({"clock": timedelta(hours=1)}, "clock_skew", {"minutes": "60"}),
        ({"vantage": "multicast"}, "narrow_view", {"devices": "wemo", "count": "1"}),
    ],
)
async def test_a_repair_comes_with_its_cause_and_goes_with_it(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    cause: Fields,
    key: str,
    placeholders: dict[str, str],
) -> None:
    """Each says what is wrong with what, and disappears by itself."""
    issues = ir.async_get(hass).issues
    assert not issues

    agent.sources = [agent.source(**fields) for fields in cause.get("sources", [{}])]
    if "clock" in cause:
        agent.clock = lambda: datetime.now(UTC) + cause["clock"]
    agent.set_device(PLUG, vantage=cause.get("vantage", "all"))
    agent.tell_changed()
    await until(lambda: issues)
    (issue,) = issues.values()
    assert issue.translation_key == key
    shown = {name: as_shown(text) for name, text in issue.translation_placeholders.items()}
    assert shown == {"agent": "fwid (pi)", **placeholders}
    assert not issue.is_fixable

    agent.sources = [agent.source()]
    agent.clock = lambda: datetime.now(UTC)
    agent.set_device(PLUG, vantage="all")
    agent.tell_changed()
    await until(lambda: not issues)


@pytest.mark.parametrize(
    ("sources", "clock"),
    [
        ([{"lost": 999, "frames": 1}], timedelta()),
        ([{"lost": 9_000}], timedelta()),
        ([{"capturing": False}], timedelta()),
        ([{}], timedelta(seconds=90)),
        ([{"kind": "replay"}], timedelta(days=-3650)),
    ],
)
async def test_no_repair_without_need(
    hass: HomeAssistant,
    loaded: MockConfigEntry,
    agent: FakeAgent,
    sources: list[Fields],
    clock: timedelta,
) -> None:
    """Few lost frames, a start, a small skew, and a replay of old captures are no trouble."""
    agent.sources = [agent.source(**fields) for fields in sources]
    agent.clock = lambda: datetime.now(UTC) + clock
    agent.set_device(PLUG, state="quiet")
    agent.tell_changed()
    await until(lambda: loaded.runtime_data.data.devices[PLUG].state == "quiet")

    assert not ir.async_get(hass).issues


async def test_many_narrowly_seen_devices_are_one_repair(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """Of many devices some are named; devices that are not enrolled are none's trouble."""
    macs = [f"b8:00:00:00:00:{number:02x}" for number in range(12)]
    agent.devices |= {
        mac: {**agent.devices[PLUG], "device": mac, "name": None, "vantage": "multicast"}
        for mac in macs
    }
    hass.config_entries.async_update_entry(entry, options={**entry.options, "devices": macs[:11]})
    assert await hass.config_entries.async_setup(entry.entry_id)

    (issue,) = ir.async_get(hass).issues.values()
    assert issue.translation_placeholders["count"] == "11"
    assert as_shown(issue.translation_placeholders["devices"]) == ", ".join(macs[:10]) + "…"


async def test_a_repair_shows_what_a_device_calls_itself_as_text(
    hass: HomeAssistant, loaded: MockConfigEntry, agent: FakeAgent
) -> None:
    """A host name that is Markdown or HTML fetches nothing and leads nowhere."""
    agent.set_device(PLUG, vantage="multicast", name=CRAFTED)
    agent.tell_changed()
    await until(lambda: ir.async_get(hass).issues)

    (issue,) = ir.async_get(hass).issues.values()
    assert is_plain(issue.translation_placeholders["devices"])
    assert as_shown(issue.translation_placeholders["devices"]) == CRAFTED

"""Forty devices that all tell ten events a second: all arrive once, and Home Assistant breathes.

The agent has a process of its own, so what is measured is Home Assistant's share alone. `-s` shows
the figures, and `FWID_LOAD_S` says for how long (docs/home-assistant/functions.md has a minute's).
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from homeassistant.components import automation
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.fwid.const import (
    CONF_DEVICES,
    CONF_FINGERPRINT,
    CONF_OFFERED_UNTIL,
    CONF_SHARE_VERSIONS,
    DOMAIN,
    EVENT_FIRMWARE_CHANGED,
)
from tests.integration.conftest import until
from tests.integration.fake_agent import START

ROOT = Path(__file__).parents[2]
DEVICES, PER_S = 40, 10
_STEP_S = 0.002
LOAD_S = float(os.environ.get("FWID_LOAD_S", "3"))


class Turn(NamedTuple):
    """How late the event loop came round, and what its thread computed meanwhile."""

    late_s: float
    computed_s: float


@pytest.mark.slow
async def test_no_event_is_lost_or_told_twice_under_load(
    hass: HomeAssistant, tmp_path: Path, every_entity: None
) -> None:
    """Every entity is on, and the figures of every device are others with each event."""
    hass.loop.set_debug(False)
    acted: list[int] = []
    hass.services.async_register("test", "act", lambda call: acted.append(call.data["seq"]))
    told: list[int] = []
    hass.bus.async_listen(
        EVENT_FIRMWARE_CHANGED, callback(lambda event: told.append(event.data["seq"]))
    )
    async with _agent(tmp_path) as (process, found):
        entry = _entry(found)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        await _automate(hass)
        await until(lambda: entry.runtime_data.last_update_success)
        turns: list[Turn] = []
        watch = asyncio.create_task(_watch(turns))
        process.stdin.write(b"go\n")
        count = json.loads(await process.stdout.readline())["events"]
        await until(lambda: len(told) >= count and len(acted) >= PER_S * round(LOAD_S), 120)
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        assert await hass.config_entries.async_unload(entry.entry_id)

    _print(count, turns)
    assert told == list(range(1, count + 1))
    assert len(acted) == len(set(acted)) == count // DEVICES


@asynccontextmanager
async def _agent(folder: Path) -> AsyncGenerator[tuple[Any, dict[str, Any]]]:
    """The agent's process, and where it is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.load_agent",
        str(folder), str(DEVICES), str(PER_S), str(LOAD_S),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


def _entry(found: dict[str, Any]) -> MockConfigEntry:
    return MockConfigEntry(
        domain=DOMAIN,
        title="fwid (pi)",
        unique_id=found["id"],
        data={
            CONF_HOST: "127.0.0.1",
            CONF_PORT: found["port"],
            CONF_FINGERPRINT: found["fingerprint"],
            CONF_TOKEN: "secret",
        },
        options={
            CONF_DEVICES: [f"b8:00:00:00:00:{number:02x}" for number in range(DEVICES)],
            CONF_SHARE_VERSIONS: False,
            CONF_OFFERED_UNTIL: START.isoformat(),
        },
    )


async def _automate(hass: HomeAssistant) -> None:
    """One device has an automation, which has to run for each of its events."""
    entity = "event.b8_00_00_00_00_00_firmware"
    assert hass.states.get(entity)
    config = {
        "alias": "load",
        "mode": "parallel",
        "max": 1000,
        "triggers": {
            "trigger": "event.received",
            "target": {"entity_id": entity},
            "options": {"event_type": ["behaves_differently"]},
        },
        "actions": {
            "action": "test.act",
            "data": {"seq": "{{ trigger.to_state.attributes.seq }}"},
        },
    }
    assert await async_setup_component(hass, automation.DOMAIN, {automation.DOMAIN: config})


async def _watch(turns: list[Turn]) -> None:
    """Note how much later than asked for the loop comes round."""
    while True:
        wall_s, cpu_s = time.monotonic(), time.thread_time()
        await asyncio.sleep(_STEP_S)
        turns.append(Turn(time.monotonic() - wall_s - _STEP_S, time.thread_time() - cpu_s))


def _print(count: int, turns: list[Turn]) -> None:
    late = sorted(turn.late_s * 1e3 for turn in turns)
    most = max(turn.computed_s * 1e3 for turn in turns)
    print(
        f"\n{count} events of {DEVICES} devices: event loop blocked for "
        f"{late[len(late) // 2]:.1f} ms (median), {late[int(len(late) * 0.99)]:.1f} ms (99 %), "
        f"{late[-1]:.1f} ms at the most; computed without a pause for {most:.1f} ms at the most"
    )

"""Forty devices that all tell ten events a second: all arrive once, and Home Assistant breathes.

The agent of this test runs in the same event loop, so what is measured is more than Home
Assistant's own share. The figures are printed (`-s`); `FWID_LOAD_S` sets how long it lasts.
"""

import asyncio
import os
import time
from contextlib import suppress

import pytest
from homeassistant.core import HomeAssistant, callback
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.fwid.const import CONF_DEVICES, EVENT_FIRMWARE_CHANGED
from tests.integration.conftest import until
from tests.integration.fake_agent import FakeAgent, make_device

DEVICES, PER_S = 40, 10
LOAD_S = float(os.environ.get("FWID_LOAD_S", "3"))


@pytest.mark.slow
async def test_no_event_is_lost_or_told_twice_under_load(
    hass: HomeAssistant, entry: MockConfigEntry, agent: FakeAgent
) -> None:
    """As when a whole home comes back after a cut, for as long as it lasts."""
    hass.loop.set_debug(False)
    macs = [f"b8:00:00:00:00:{number:02x}" for number in range(DEVICES)]
    agent.devices = {mac: make_device(mac) for mac in macs}
    hass.config_entries.async_update_entry(entry, options={**entry.options, CONF_DEVICES: macs})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: agent.followers == 1)
    told: list[int] = []
    hass.bus.async_listen(
        EVENT_FIRMWARE_CHANGED, callback(lambda event: told.append(event.data["seq"]))
    )
    blocked: list[float] = []
    watch = asyncio.create_task(_watch(blocked))

    for _ in range(round(LOAD_S * PER_S)):
        started = time.monotonic()
        for mac in macs:
            agent.happen(mac, "behaves_differently")
        await asyncio.sleep(max(0.0, 1 / PER_S - (time.monotonic() - started)))
    count = len(agent.events)
    await until(lambda: len(told) >= count, 120)
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch

    blocked.sort()
    print(
        f"\n{count} events of {DEVICES} devices: event loop blocked for "
        f"{blocked[len(blocked) // 2] * 1e3:.1f} ms (median), "
        f"{blocked[int(len(blocked) * 0.99)] * 1e3:.1f} ms (99 %), "
        f"{blocked[-1] * 1e3:.1f} ms at the most"
    )
    assert told == list(range(1, count + 1))


async def _watch(blocked: list[float]) -> None:
    """Note how much later than asked for the loop comes round."""
    while True:
        started = time.monotonic()
        await asyncio.sleep(0.002)
        blocked.append(time.monotonic() - started - 0.002)

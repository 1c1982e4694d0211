"""Being found, as it is logged: once, and again only where something has changed."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from fwid_agent.service import discovery
from fwid_agent.service.discovery import Announcement, Pace, Place, announced


def test_a_network_that_comes_and_goes_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Containers make and remove interfaces all day; the agent is found by one name throughout."""
    numbers, registered = itertools.count(), []

    @asynccontextmanager
    async def register(*_: object) -> AsyncIterator[SimpleNamespace]:
        await asyncio.sleep(0)
        registered.append(1)
        yield SimpleNamespace(name="fwid agent on pi" if len(registered) < 5 else "another")

    monkeypatch.setattr(
        discovery, "find_place", lambda: Place((f"10.0.0.{next(numbers)}",), ("10.0.0.1",))
    )
    monkeypatch.setattr(discovery, "_registered", register)

    async def run() -> None:
        who = Announcement("id", "1", "ab", 8127)
        async with announced(who, lambda: 0, Pace(0.01, 0.01)), asyncio.timeout(10):
            while len(registered) < 8:
                await asyncio.sleep(0.01)

    with caplog.at_level(logging.INFO, "fwid"):
        asyncio.run(run())
    assert caplog.messages == [
        "found in the network as service=fwid_agent_on_pi",
        "found in the network as service=another",
    ]

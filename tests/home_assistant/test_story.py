"""The whole of it: a real Home Assistant, a real agent, and a person at a real browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.home_assistant.captured_days import captured_devices, lay_out
from tests.home_assistant.person import (
    PATIENCE_MS,
    accept_change,
    add_agent,
    ask,
    make_dashboard,
    onboard,
    open_browser,
    open_detail,
    row,
)
from tests.home_assistant.processes import Agent, HomeAssistant

SENSOR = "90:8d:78:a8:e1:43"
STABILITY, FIRMWARE = "sensor.cellar_water_sensor_firmware_st", "event.cellar_water_sensor"
COUNTER = "counter.told"
STABLE_DAYS = 9  # before the firmware changes


def state_of(page: Page, start: str) -> Any:
    """Return the state of the only entity whose id begins like this; None where there is none."""
    states = [each for each in ask(page, "get_states") if each["entity_id"].startswith(start)]
    assert len(states) < 2
    return states[0] if states else None


def wait_for(page: Page, start: str, state: str) -> None:
    """Wait until that entity is in a state."""
    for _ in range(PATIENCE_MS // 200):
        found = state_of(page, start)
        if found is not None and found["state"] == state:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"{start} is {found}, and not {state}")


def serious_findings(page: Page) -> list[str]:
    """Return what axe finds on the card, with its detail, that keeps people out."""
    found = Axe().run(page, options={}).response

    def on_card(kind: str) -> list[str]:
        nodes = [(rule, node) for rule in found[kind] for node in rule["nodes"]]
        return [
            f"{rule['id']}: {node['target']}"
            for rule, node in nodes
            if "fwid-card" in str(node["target"])
            and (kind == "passes" or rule["impact"] in ("serious", "critical"))
        ]

    assert on_card("passes"), "axe looked into the card"
    return on_card("violations")


def looker(page: Page, folder: Path) -> Callable[[str], None]:
    """Take pictures, for who wants to know why the test failed."""
    return lambda name: page.screenshot(path=folder / f"{name}.png") and None


@contextmanager
def set_up(folder: Path) -> Iterator[tuple[HomeAssistant, Agent, list[Path], Page]]:
    """A new Home Assistant whose owner has added the agent, which has read the calm captures."""
    folders = [folder / name for name in ("captures", "home", "agent")]
    for each in folders:
        each.mkdir()
    captures = lay_out(folders[0], datetime.now(UTC))
    calm = [path for path in captures if int(path.name[:2]) < STABLE_DAYS]
    home, agent = HomeAssistant(folders[1]), Agent(folders[2])
    with home, agent, open_browser(home.url) as page:
        home.start()
        onboard(page, home.url)
        agent.replay(calm)
        agent.wait_for(captured_devices())
        add_agent(page, home.url, agent.port, agent.pair, looker(page, folder))
        yield home, agent, captures, page


@pytest.mark.slow
def test_a_person_adds_the_agent_sees_a_change_and_accepts_it(tmp_path: Path) -> None:
    """From a new Home Assistant to an accepted change, all by what a person sees and clicks."""
    with set_up(tmp_path) as (home, agent, captures, page):
        make_dashboard(page, home.url, looker(page, tmp_path))
        expect(row(page, "Water sensor")).to_contain_text("Stable")
        assert serious_findings(page) == []

        # The agent is started anew and reads on where it was; Home Assistant comes back by itself.
        agent.stop()
        agent.replay(captures)
        expect(row(page, "Water sensor")).to_contain_text("Changed")
        detail = open_detail(page, "Water sensor")
        expect(detail.get_by_text("The signs are those of other software.")).to_be_visible()
        assert serious_findings(page) == []
        accept_change(page, "Water sensor")
        expect(row(page, "Water sensor")).to_contain_text("Stable")
        expect(page.get_by_text("4 devices · none changed")).to_be_visible()
        assert state_of(page, COUNTER)["state"] == "1"


@pytest.mark.slow
def test_a_change_while_home_assistant_is_down_is_told_once(tmp_path: Path) -> None:
    """An automation hears of it at the next start, with its true time, and at no other start."""
    with set_up(tmp_path) as (home, agent, captures, page):
        agent.stop()
        home.stop()
        agent.replay(captures)
        agent.wait_for([SENSOR], "changed")
        for _ in range(2):
            home.start()
            page.goto(home.url)
            expect(page.get_by_role("link", name="Settings")).to_be_visible()
            wait_for(page, STABILITY, "changed")
            wait_for(page, COUNTER, "1")
            page.wait_for_timeout(3000)  # what is told twice, is told by now
            wait_for(page, COUNTER, "1")
            event = state_of(page, FIRMWARE)["attributes"]
            assert event["event_type"] == "version_changed"
            assert datetime.now(UTC) - datetime.fromisoformat(event["time"]) > timedelta(days=1)
            home.stop()

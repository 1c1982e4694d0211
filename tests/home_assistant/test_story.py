"""The whole of it: a real Home Assistant, a real agent, and a person at a real browser."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.home_assistant.captured_days import captured_devices, lay_out
from tests.home_assistant.person import (
    accept_change,
    add_agent,
    make_dashboard,
    onboard,
    open_browser,
    open_detail,
    row,
)
from tests.home_assistant.processes import Agent, HomeAssistant

STABLE_DAYS = 9  # before the firmware changes


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


@pytest.mark.slow
def test_a_person_adds_the_agent_sees_a_change_and_accepts_it(tmp_path: Path) -> None:
    """From a new Home Assistant to an accepted change, all by what a person sees and clicks."""
    folders = [tmp_path / name for name in ("captures", "home", "agent")]
    for folder in folders:
        folder.mkdir()
    captures = lay_out(folders[0], datetime.now(UTC))
    calm = [path for path in captures if int(path.name[:2]) < STABLE_DAYS]
    home, agent = HomeAssistant(folders[1]), Agent(folders[2])
    with home, agent, open_browser(home.url) as page:
        home.start()
        onboard(page, home.url)
        agent.replay(calm)
        agent.wait_for(captured_devices())
        add_agent(page, home.url, agent.port, agent.pair, looker(page, tmp_path))
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

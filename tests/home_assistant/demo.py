"""Shows fwid in a real Home Assistant, and takes the pictures of the documentation.

    python -m tests.home_assistant.demo [FOLDER]

A new Home Assistant, a real agent that replays twenty days of real captures in a few minutes, and a
browser that is steered as a person would: it adds the agent, makes a dashboard with the card, sees
the firmware of one device change, and accepts the change. The pictures land in FOLDER.
"""

import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import yaml
from playwright.sync_api import Page, expect

from tests.home_assistant.captured_days import captured_devices, lay_out
from tests.home_assistant.person import (
    DASHBOARD,
    accept_change,
    add_agent,
    ask,
    make_dashboard,
    onboard,
    open_browser,
    open_detail,
    row,
)
from tests.home_assistant.processes import ROOT, Agent, HomeAssistant

SPEED = "25"  # a day in about ten seconds: there is time to add the agent before the change
CHANGE_MS = 600_000
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 400, "height": 860}


def main(images: Path) -> None:
    """Tell the whole story once."""
    images.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what was started, too
    with tempfile.TemporaryDirectory(prefix="fwid-demo-") as name:
        folders = [Path(name, part) for part in ("captures", "home", "agent")]
        for folder in folders:
            folder.mkdir()
        captures = lay_out(folders[0], datetime.now(UTC))
        home, agent = HomeAssistant(folders[1]), Agent(folders[2])
        with home, agent, open_browser(home.url) as page:
            show(page, home, agent, captures, images)
    print(f"The pictures: {images}/home-assistant-*.png")


def show(page: Page, home: HomeAssistant, agent: Agent, captures: list[Path], images: Path) -> None:
    """Be the person."""
    page.set_viewport_size(DESKTOP)

    def look(name: str) -> None:
        page.mouse.move(1, 1)
        page.wait_for_timeout(800)  # what moves comes to rest
        page.screenshot(path=images / f"home-assistant-{name}.png")
        say(f"  picture: home-assistant-{name}.png")

    say("Home Assistant starts, and is set up by its first person")
    home.start()
    onboard(page, home.url)
    tidy(page)
    say("The agent replays twenty days; it is added by its address, fingerprint and code")
    agent.replay(captures, SPEED)
    agent.wait_for(captured_devices())
    add_agent(page, home.url, agent.port, agent.pair, look)
    say("The card is put on a dashboard")
    make_dashboard(page, home.url, look)
    page.goto(f"{home.url}/{DASHBOARD}")
    sensor = row(page, "Water sensor")
    expect(sensor).to_contain_text("Stable", timeout=CHANGE_MS)
    say("The water sensor is stable")
    look("stable")
    expect(sensor).to_contain_text("Changed", timeout=CHANGE_MS)
    say("Its firmware has changed")
    look("changed")
    page.set_viewport_size({**DESKTOP, "height": 1900})
    open_detail(page, "Water sensor")
    look("detail")
    page.set_viewport_size(PHONE)
    ask_dark(page, dark=True)
    look("phone")
    ask_dark(page, dark=False)
    page.set_viewport_size(DESKTOP)
    say("The change is accepted")
    accept_change(page, "Water sensor")
    expect(sensor).to_contain_text("Stable")
    look("accepted")
    say("The dashboard of the documentation")
    label_devices(page)
    ask(page, "lovelace/config/save", url_path=DASHBOARD, config=documented_dashboard())
    page.goto(f"{home.url}/{DASHBOARD}")
    expect(sensor).to_be_visible()
    expect(page.locator("ha-logbook").get_by_text("Water sensor").first).to_be_visible()
    look("dashboard")


def tidy(page: Page) -> None:
    """Take away what is of this machine only: not all of Home Assistant is installed here."""
    for entry in ask(page, "config_entries/get", domain="google_translate"):
        call = "path => document.querySelector('home-assistant').hass.callApi('DELETE', path)"
        page.evaluate(call, f"config/config_entries/entry/{entry['entry_id']}")
    ask(page, "call_service", domain="persistent_notification", service="dismiss_all")
    for issue in ask(page, "repairs/list_issues")["issues"]:
        named = {key: issue[key] for key in ("domain", "issue_id")}
        ask(page, "repairs/ignore_issue", **named, ignore=True)


def label_devices(page: Page) -> None:
    """Give the watched devices the label that the dashboard of the documentation asks for."""
    label = ask(page, "config/label_registry/create", name="Firmware")["label_id"]
    for device in ask(page, "config/device_registry/list"):
        ours = any(domain == "fwid" for domain, _ in device["identifiers"])
        if ours and device["connections"]:  # the agent has none
            ask(page, "config/device_registry/update", device_id=device["id"], labels=[label])


def documented_dashboard() -> object:
    """Return what docs/home-assistant/dashboard.md tells to paste."""
    text = (ROOT / "docs/home-assistant/dashboard.md").read_text()
    return yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])


def ask_dark(page: Page, *, dark: bool) -> None:
    """Ask for Home Assistant's theme of the night, or of the day."""
    page.emulate_media(color_scheme="dark" if dark else "light")


def say(text: str) -> None:
    """Tell what happens, at once."""
    print(text, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images").absolute())

"""A person at a browser who sets Home Assistant up, adds the agent, and looks at the card."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page, expect, sync_playwright

PASSWORD = "long, and of no use elsewhere"
PATIENCE_MS = 60_000
DASHBOARD = "fwid-home"


@contextmanager
def open_browser(url: str) -> Iterator[Page]:
    """Open a page that speaks with Home Assistant only; whoever else is asked gets no answer."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, locale="en-US", timezone_id="Europe/Berlin"
        )
        context.set_default_timeout(PATIENCE_MS)
        context.route(
            lambda address: not address.startswith((url, "data:", "blob:")),
            lambda route: route.abort(),
        )
        page = context.new_page()
        # Home Assistant asks this once about the port that it was started with.
        page.add_locator_handler(
            page.get_by_role("button", name="Confirm", exact=True), lambda button: button.click()
        )
        yield page
        browser.close()


def onboard(page: Page, url: str) -> None:
    """Make the first account and answer what Home Assistant asks then."""
    page.goto(url)
    page.get_by_role("button", name="Create my smart home").click()
    for name, text in (
        ("Name*", "Sam"),
        ("Username*", "sam"),
        ("Password*", PASSWORD),
        ("Confirm password*", PASSWORD),
    ):
        page.get_by_role("textbox", name=name, exact=True).fill(text)
    page.get_by_role("button", name="Create account").click()
    for text in ("Home location", "the country your home is in", "Help us help you"):
        expect(page.get_by_text(text)).to_be_visible()
        page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Finish").click()
    expect(page.get_by_role("link", name="Settings")).to_be_visible()


def add_agent(
    page: Page,
    url: str,
    port: int,
    pair: Callable[[], tuple[str, str]],
    look: Callable[[str], None],
) -> None:
    """Add the integration as a person does: address, fingerprint, code, devices.

    Args:
        page: where.
        url: of Home Assistant.
        port: of the agent.
        pair: what `fwid pair` shows on the agent's machine.
        look: called with a name at each step that is worth a picture.

    """
    page.goto(f"{url}/config/integrations/dashboard")
    page.get_by_role("button", name="Add integration").first.click()
    page.get_by_placeholder("Search for a brand name").fill("fwid")
    page.get_by_role("listitem").get_by_role("button", name="fwid", exact=True).click()
    page.get_by_role("textbox", name="Address*").fill("127.0.0.1")
    page.get_by_role("spinbutton", name="Port*").fill(str(port))
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Compare the fingerprint")).to_be_visible()
    code, fingerprint = pair()
    expect(page.locator("strong")).to_have_text(" ".join(_in_fours(fingerprint)))
    look("fingerprint")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("textbox", name="Code*").fill(code)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Choose devices")).to_be_visible()
    look("devices")
    page.get_by_role("button", name="Submit").click()
    page.get_by_role("button", name="Finish").or_(
        page.get_by_role("button", name="Skip and finish")
    ).click()


def make_dashboard(page: Page, url: str, look: Callable[[str], None]) -> None:
    """Make a dashboard, and put the card on it from the card picker."""
    ask(page, "lovelace/dashboards/create", url_path=DASHBOARD, title="Firmware", icon="mdi:chip")
    view = {"type": "sections", "max_columns": 2, "title": "Firmware", "sections": [{"cards": []}]}
    ask(page, "lovelace/config/save", url_path=DASHBOARD, config={"views": [view]})
    page.goto(f"{url}/{DASHBOARD}?edit=1")
    page.get_by_role("button", name="Add card").first.click()
    page.get_by_role("tab", name="By card").click()
    page.get_by_placeholder("Search cards").fill("fwid")
    expect(row(page, "Water sensor")).to_be_visible()
    look("picker")
    # Home Assistant lays an invisible cover over the previews, which takes the click.
    page.get_by_text("fwid: firmware of devices").click(force=True)
    page.get_by_role("textbox", name="Title").fill("Firmware")
    look("editor")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Done").click()


def ask(page: Page, kind: str, **values: object) -> Any:
    """Ask Home Assistant by the page's own connection."""
    return page.evaluate(
        "message => document.querySelector('home-assistant').hass.callWS(message)",
        {"type": kind, **values},
    )


def row(page: Page, name: str) -> Locator:
    """Return the row of a device on the card."""
    return page.locator("fwid-card").get_by_role("button", name=name)


def open_detail(page: Page, name: str) -> Locator:
    """Open a device's detail, with its pictures."""
    row(page, name).click()
    detail = page.get_by_role("dialog", name=name)
    for which in ("Before", "After", "Difference"):
        expect(detail.get_by_role("img", name=which)).to_be_visible()
    return detail


def accept_change(page: Page, name: str) -> None:
    """Accept a device's change in its open detail, and close it."""
    detail = page.get_by_role("dialog", name=name)
    detail.get_by_role("button", name="This change is fine").click()
    detail.get_by_role("button", name="Accept", exact=True).click()
    expect(detail.get_by_text("Accepted.")).to_be_visible()
    detail.get_by_role("button", name="Close").click()


def _in_fours(text: str) -> Iterator[str]:
    for at in range(0, len(text), 4):
        yield text[at : at + 4]

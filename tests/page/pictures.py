"""Takes the pictures of the page in docs/images: an agent that has replayed real captures.

Run it in the environment of `scripts/test page`: python -m tests.page.pictures
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.page.conftest import PHONE, SENSOR, Agent, Program, launch, replayed

PICTURES = Path(__file__).parents[2] / "docs/images"
NAMES = {
    SENSOR: "Hallway sensor",
    "90:8d:78:dd:0d:60": "Siren",
    "20:f8:5e:ca:91:52": "Bathroom scale",
    "94:10:3e:35:01:c1": "Reading lamp",
    "00:b5:6d:06:08:ba": "Router",
}
DESKTOP = {"width": 1280, "height": 900}


def log_in(browser: Browser, agent: Agent, scheme: str, size: dict[str, int]) -> Page:
    """Open the page as a person sees it."""
    context = browser.new_context(
        ignore_https_errors=True,
        viewport=size,
        color_scheme=scheme,
        is_mobile=size == PHONE,
        device_scale_factor=2 if size == PHONE else 1,
        locale="en-GB",
        timezone_id="Europe/Berlin",
    )
    page = context.new_page()
    page.goto(agent.url)
    page.get_by_label("Code").fill(agent.code())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="devices").wait_for()
    return page


def take(page: Page, name: str, *, whole: bool = False) -> None:
    """Write a picture once everything is there."""
    page.wait_for_load_state("networkidle")
    for picture in page.locator("img").all():
        expect(picture).to_have_js_property("complete", value=True)
    page.wait_for_timeout(500)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=PICTURES / name, full_page=whole)


def main() -> None:
    """Take all pictures."""
    devices = ("D-LinkSensor", "D-LinkSiren", "Aria", "WeMoSwitch")
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        replayed(Path(folder), *devices) as agent,
    ):
        program = Program(playwright, agent, agent.code(), "Home Assistant")
        for mac, name in NAMES.items():
            program.post(f"devices/{mac}/name", {"name": name})
        kind = {"label": "D-Link DCH-S160", "category": "Home Automation"}
        program.post(f"devices/{SENSOR}/kind", kind)
        program.post(f"devices/{SENSOR}/label", {"version": 1, "label": "1.1.0"})
        browser = launch(playwright)
        page = log_in(browser, agent, "light", DESKTOP)
        take(page, "page-devices.png")
        page.goto(f"{agent.url}#/{SENSOR}")
        page.get_by_role("heading", name="How chatty it is").wait_for()
        take(page, "page-device.png", whole=True)
        page.goto(f"{agent.url}#/access")
        page.get_by_role("button", name="Make a code").click()
        take(page, "page-access.png")
        phone = log_in(browser, agent, "dark", PHONE)
        take(phone, "page-phone.png")
        phone.goto(f"{agent.url}#/{SENSOR}")
        phone.get_by_role("heading", name="How chatty it is").wait_for()
        take(phone, "page-phone-device.png")
        browser.close()


if __name__ == "__main__":
    main()

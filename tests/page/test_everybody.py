"""The page for everybody: phone, dark and light, keyboard, screen reader, no motion."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.page.conftest import PHONE, SENSOR, Agent, Visit

VIEWS = {
    "": "devices",
    f"#/{SENSOR}": SENSOR,
    "#/capture": "Capture",
    "#/access": "Access",
}


def go(page: Page, agent: Agent, view: str) -> None:
    """Show a view, with everything that it unfolds."""
    page.goto(agent.url + view)
    expect(page.get_by_role("heading", level=1)).to_contain_text(VIEWS[view])
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.evaluate("document.querySelectorAll('img').forEach((one) => { one.loading = 'eager'; })")
    page.wait_for_load_state("networkidle")


def serious_findings(page: Page) -> list[str]:
    """Return what axe finds that keeps people out."""
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:200]}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(agent: Agent, visit: Visit, scheme: str) -> None:
    """In no view, by day and by night, also not in a dialog."""
    page = visit(agent, color_scheme=scheme)
    for view in VIEWS:
        go(page, agent, view)
        assert serious_findings(page) == []
    go(page, agent, f"#/{SENSOR}")
    page.get_by_role("button", name="Learn anew…").click()
    assert serious_findings(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Access").click()
    page.get_by_role("button", name="Log out").click()
    agent.session = None
    page.get_by_label("Code").wait_for()
    assert serious_findings(page) == []


def test_nothing_is_wider_than_a_phone(agent: Agent, visit: Visit) -> None:
    """What is wider (tables, hours) scrolls in its own box."""
    page = visit(agent, **PHONE, is_mobile=True, has_touch=True)
    for view in VIEWS:
        go(page, agent, view)
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide == [PHONE["width"]] * 2, view
        small = page.evaluate(
            "[...document.querySelectorAll('button, .button')].map((one) => one.clientHeight)"
            ".filter((height) => height && height < 24)"
        )
        assert small == [], view  # as large as WCAG 2.2 wants targets (2.5.8)


def test_everything_can_be_done_by_keyboard(agent: Agent, visit: Visit) -> None:
    """Past the top, into a device, through its chart and a dialog, and back where one was."""
    page = visit(agent)
    page.reload()
    page.get_by_role("heading", name="devices").wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.locator(f"[id='card-{SENSOR}']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    chart = page.get_by_role("application")
    chart.focus()
    said = page.locator(".readout").text_content()
    page.keyboard.press("Home")
    expect(page.locator(".readout")).not_to_have_text(str(said))
    expect(page.locator(".readout")).to_contain_text("learning")
    page.keyboard.press("End")
    expect(page.locator(".readout")).to_have_text(str(said))

    page.get_by_role("button", name="Mute…").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Raise no alarm")
    expect(dialog.get_by_role("radio", name="for a day")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("radio", name="for a week")).to_be_checked()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Mute…")).to_be_focused()


def test_nothing_moves_for_those_who_want_it_so(agent: Agent, visit: Visit) -> None:
    """No transition and no animation."""
    page = visit(agent, reduced_motion="reduce")
    for kind in ("transitionDuration", "animationDuration"):
        moving = f"[...document.querySelectorAll('*')].map((one) => getComputedStyle(one).{kind})"
        assert set(page.evaluate(moving)) == {"0s"}

"""The card for everybody: keyboard, screen reader, contrast, direction, phone, no motion."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.card.conftest import OpenCard
from tests.card.scenes import home

PHONE = {"width": 360, "height": 740}


def serious_findings(page: Page) -> list[str]:
    """Return what axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def settled(page: Page) -> None:
    expect(page.locator("fwid-card .line").first).to_be_visible()
    page.evaluate("document.getAnimations().forEach((one) => one.finish())")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_axe_finds_nothing_serious(open_card: OpenCard, dark: bool, direction: str) -> None:
    """On the card and in the detail, by day and by night, from either side."""
    page = open_card(home(dark=dark, dir=direction))
    settled(page)
    assert serious_findings(page) == []

    page.get_by_role("button", name="Water sensor").click()
    page.get_by_role("dialog").get_by_text("As a table").click()
    page.get_by_role("button", name="This change is fine").click()
    settled(page)
    assert serious_findings(page) == []


@pytest.mark.parametrize(
    "scene",
    [
        {"devices": [], "entities": {}},
        {"delay_ms": 60_000},
        {"refuse": {"fwid/devices": {"message": "gone"}}},
    ],
    ids=["empty", "loading", "failed"],
)
def test_axe_finds_nothing_serious_where_there_is_nothing_to_show(
    open_card: OpenCard, scene: dict[str, object]
) -> None:
    """Trouble is told to everybody."""
    page = open_card(home(**scene))
    page.wait_for_timeout(100)

    assert serious_findings(page) == []


def test_everything_is_done_by_keyboard_and_the_focus_never_gets_lost(open_card: OpenCard) -> None:
    """From the row into the detail, through an action, and back to the row."""
    page = open_card(home())
    row = page.get_by_role("button", name="Water sensor")
    settled(page)

    row.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="This change is fine")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Accept", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="This change is fine")).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(row).to_be_focused()


def test_a_screen_reader_hears_state_area_time_similarity_and_version(open_card: OpenCard) -> None:
    """Colour and drawing alone say nothing."""
    page = open_card(home())
    settled(page)

    snapshot = page.get_by_role("list").aria_snapshot()

    assert "Kitchen plug Stable · Kitchen · since Apr 25 Similarity 0.93 Version 1.1.0" in (
        " ".join(snapshot.split())
    )


def test_a_phone_shows_everything_without_scrolling_sideways(open_card: OpenCard) -> None:
    """Card and detail fit 360 pixels, the detail fills the screen."""
    page = open_card(home(), **PHONE)
    settled(page)
    wider = "() => document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(wider)

    page.get_by_role("button", name="Water sensor").click()
    settled(page)

    box = page.get_by_role("dialog").bounding_box()
    assert box is not None
    assert (box["x"], box["width"], box["height"]) == (0, 360, 740)
    assert page.get_by_role("dialog").evaluate("one => one.scrollWidth <= one.clientWidth")


def test_text_twice_as_large_is_not_cut_off(open_card: OpenCard) -> None:
    """Who needs large letters gets all of them."""
    page = open_card(home(), width=800)
    page.add_style_tag(content="body { font-size: 28px; line-height: 1.4; }")
    settled(page)

    facts = page.get_by_role("button", name="Water sensor").locator(".facts")
    assert facts.evaluate("one => one.scrollWidth <= one.clientWidth")


def test_from_right_to_left_the_card_is_mirrored_and_time_is_not(open_card: OpenCard) -> None:
    """Icons stand where reading begins; the newest day stays on the right as in all charts."""
    page = open_card(home(dir="rtl"))
    settled(page)
    row = page.get_by_role("button", name="Water sensor")

    icon, texts = (row.locator(name).first.bounding_box() for name in ("ha-icon", ".texts"))
    first, last = (row.locator("rect").nth(place).bounding_box() for place in (0, 1))

    assert icon is not None
    assert texts is not None
    assert icon["x"] > texts["x"]
    assert first is not None
    assert last is not None
    assert first["x"] < last["x"]


def test_nothing_moves_for_who_wants_no_motion(open_card: OpenCard) -> None:
    """Neither while loading nor when the detail opens."""
    page = open_card(home(), reduced_motion="reduce")
    expect(page.get_by_role("list")).to_be_visible()
    page.get_by_role("button", name="Water sensor").click()
    assert page.evaluate("document.getAnimations().length") == 0

    page = open_card(home(delay_ms=60_000), reduced_motion="reduce")
    expect(page.locator(".ghost").first).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0

"""What a device is and behaves like, and the model that says so, on the page of a real agent.

What the agent knows of it takes days of traffic: here it is put into the agent's own answers.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.page.conftest import PHONE, SENSOR, Agent, Visit
from tests.page.test_everybody import serious_findings

SCRIPT = "<img src=x onerror=alert(1)>"
IDENTIFIED = {
    "label": "Philips Hue bridge",
    "category": "Hub",
    "certainty": 0.934,
    "model": "home",
    "time": "2016-09-05T00:00:00Z",
    "agrees": None,
}
MODEL = {
    "model": "home",
    "number": 3,
    "type": "forest",
    "trained": "2016-09-01T00:00:00Z",
    "window_days": 7,
    "devices": 12,
    "accuracy": 0.974,
    "getting_old": False,
    "old_because": None,
    "running": False,
    "last_attempt": {"time": "2016-09-01T00:00:00Z", "outcome": "accepted", "reason": ""},
}


class Said:
    """What the agent is made to say, and what it was asked to do."""

    def __init__(self, page: Page) -> None:
        self.device: dict[str, Any] = {"kind": None, "identified": None}
        self.model: dict[str, Any] | None = dict(MODEL)
        self.told: list[tuple[str, Any]] = []
        self.refuses = ""
        page.route("**/api/v1/info", self._change(lambda answer: answer | self._info()))
        page.route("**/api/v1/devices", self._change(self._devices))
        page.route(f"**/api/v1/devices/{SENSOR}", self._change(lambda one: one | self.device))
        page.route("**/api/v1/devices/*/kind", self._take)
        page.route("**/api/v1/retrain**", self._take)

    def _info(self) -> dict[str, Any]:
        return {"identification": self.model}

    def _devices(self, answer: Any) -> Any:
        return {"devices": [one | self.device for one in answer["devices"]]}

    def _change(self, change: Callable[[Any], Any]) -> Callable[[Route], None]:
        def fulfil(route: Route) -> None:
            response = route.fetch()
            if response.ok:
                route.fulfill(response=response, json=change(response.json()))
            else:
                route.fulfill(response=response)

        return fulfil

    def _take(self, route: Route) -> None:
        path = route.request.url.partition("/api/v1/")[2]
        self.told.append((path, json.loads(route.request.post_data or "{}")))
        if self.refuses:
            route.fulfill(status=409, json={"error": self.refuses})
        else:
            route.fulfill(json=self.model)


@pytest.fixture
def page(agent: Agent, visit: Visit) -> Page:
    return visit(agent)


@pytest.fixture
def said(page: Page) -> Said:
    return Said(page)


def show(page: Page, agent: Agent, view: str) -> None:
    """Show a view anew."""
    page.goto("about:blank")  # else only the part after the hash is another
    page.goto(agent.url + view)
    page.get_by_role("heading", level=1).wait_for()


@pytest.mark.parametrize(
    ("kind", "identified", "told"),
    [
        (None, None, ["Nobody has said what it is.", "It was not identified yet"]),
        (
            {"label": "Bridge", "category": "Hub", "source": "home_assistant"},
            IDENTIFIED,
            [
                "Home Assistant says that it is Bridge (Hub).",
                "It behaves like Philips Hue bridge (Hub), 93% certain, by the model of this home",
            ],
        ),
        (
            {"label": SCRIPT, "category": None, "source": "person"},
            IDENTIFIED | {"label": SCRIPT, "category": None, "model": "shipped"},
            [
                f"You said that it is {SCRIPT}.",
                f"like {SCRIPT}, 93% certain, by the model that came with the agent",
            ],
        ),
        (
            {"label": "Bridge", "category": None, "source": "person"},
            IDENTIFIED | {"label": None, "category": None, "agrees": False},
            ["like none that the model knows, 93% certain", "That is not what it is said to be."],
        ),
    ],
)
def test_what_it_is_and_behaves_like_is_said_in_words(
    agent: Agent, page: Page, said: Said, kind: Any, identified: Any, told: list[str]
) -> None:
    """Who said it, how certain it is, by which model; names are text."""
    said.device = {"kind": kind, "identified": identified}
    show(page, agent, f"#/{SENSOR}")
    section = page.get_by_role("region", name="What it is")
    for text in told:
        expect(section).to_contain_text(text)
    assert page.locator("img[src=x]").count() == 0
    assert serious_findings(page) == []


def test_where_nothing_is_identified_nothing_is_said_of_it(
    agent: Agent, page: Page, said: Said
) -> None:
    """No empty boxes, and no button that the agent refuses."""
    said.model = None
    show(page, agent, f"#/{SENSOR}")
    page.get_by_role("heading", name="How chatty it is").wait_for()
    expect(page.get_by_role("region", name="What it is")).to_have_count(0)
    show(page, agent, "#/capture")
    expect(page.get_by_role("button", name="Train it anew")).to_have_count(0)


def test_a_person_says_what_it_is_by_keyboard(agent: Agent, page: Page, said: Said) -> None:
    """Name and category, with the keys alone; and takes it back."""
    show(page, agent, f"#/{SENSOR}")
    button = page.get_by_role("button", name="Say what it is…")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="What is")
    expect(dialog.get_by_label("Maker and model")).to_be_focused()
    assert serious_findings(page) == []
    page.keyboard.type("D-Link DCH-S160")
    page.keyboard.press("Tab")
    page.keyboard.type("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(button).to_be_focused()

    kind = {"label": "D-Link DCH-S160", "category": "Home Automation", "source": "person"}
    said.device["kind"] = kind
    show(page, agent, f"#/{SENSOR}")
    button.click()
    expect(dialog.get_by_label("Category")).to_have_value("Home Automation")
    dialog.get_by_label("Maker and model").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Forgotten.")).to_be_visible()
    path = f"devices/{SENSOR}/kind"
    assert said.told == [
        (path, {"label": "D-Link DCH-S160", "category": "Home Automation"}),
        (path, {"label": None, "category": None}),
    ]


def test_an_old_model_is_told_where_it_is_seen_and_trained_anew(
    agent: Agent, page: Page, said: Said
) -> None:
    """From the list of devices to the button; while it is trained, that is said instead."""
    said.model = MODEL | {"getting_old": True, "old_because": "changed"}
    said.device["identified"] = IDENTIFIED | {"agrees": False}
    show(page, agent, "")
    expect(page.locator(f"[id='card-{SENSOR}']")).to_contain_text("behaves like Philips Hue bridge")
    assert serious_findings(page) == []
    page.get_by_role("link", name="Train it anew").click()
    section = page.get_by_role("region", name="The model that identifies devices")
    expect(section).to_contain_text("number 3 of this home")
    expect(section).to_contain_text("12 devices, 7 days")
    expect(section).to_contain_text("97%")
    expect(section).to_contain_text("A device that it has learnt has other software since.")
    assert serious_findings(page) == []

    said.refuses = "a model is being trained"
    section.get_by_role("button", name="Train it anew").click()
    expect(page.get_by_text("a model is being trained.")).to_be_visible()
    said.refuses, said.model = "", said.model | {"running": True}
    section.get_by_role("button", name="Train it anew").click()
    expect(section.get_by_role("status")).to_contain_text("Another is being trained")
    expect(section.get_by_role("button")).to_have_count(0)
    assert said.told == [("retrain", {})] * 2
    show(page, agent, "")
    expect(page.get_by_role("link", name="Train it anew")).to_have_count(0)


def test_the_model_before_is_used_again_after_a_second_thought(
    agent: Agent, page: Page, said: Said
) -> None:
    """Only where there is one of this home."""
    show(page, agent, "#/capture")
    page.get_by_role("button", name="Use the one before…").click()
    assert said.told == []
    page.get_by_role("dialog").get_by_role("button", name="Use the one before").click()
    expect(page.get_by_text("The model before is in use again.")).to_be_visible()
    assert said.told == [("retrain/roll-back", {})]
    said.model = MODEL | {"model": "shipped", "number": None, "accuracy": None, "trained": None}
    show(page, agent, "#/capture")
    expect(page.get_by_text("the one that came with the agent")).to_be_visible()
    expect(page.get_by_role("button", name="Use the one before…")).to_have_count(0)


def test_it_all_fits_a_phone(agent: Agent, visit: Visit) -> None:
    """Nothing is wider than the screen."""
    page = visit(agent, **PHONE, is_mobile=True, has_touch=True)
    said = Said(page)
    said.model = MODEL | {"getting_old": True, "old_because": "age"}
    said.device = {"kind": {"label": "x" * 64, "source": "person"}, "identified": IDENTIFIED}
    for view in ("", f"#/{SENSOR}", "#/capture"):
        show(page, agent, view)
        page.wait_for_load_state("networkidle")
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert wide == [PHONE["width"]] * 2, view
    page.get_by_role("button", name="Train it anew").scroll_into_view_if_needed()

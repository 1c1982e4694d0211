"""The built card in a real browser, with a `hass` object that answers from a scene."""

import gzip
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.card.conftest import BUILT, OpenCard
from tests.card.scenes import HOSTILE, REASONS, device, history, home, moment


def rows(page: Page) -> list[str]:
    """Return what the rows of the card say, top to bottom."""
    expect(page.get_by_role("listitem").first).to_be_visible()
    return [" ".join(text.split()) for text in page.get_by_role("listitem").all_inner_texts()]


def open_detail(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    expect(page.get_by_role("dialog", name=name)).to_be_visible()


def asked(page: Page, kind: str) -> list[dict[str, Any]]:
    return [message for message in page.evaluate("harness.asked") if message["type"] == kind]


def test_the_built_card_stays_small() -> None:
    """It is loaded by every dashboard of the home, whether it shows the card or not."""
    assert len(gzip.compress(BUILT.read_bytes())) < 60_000


def test_every_device_is_shown_with_state_area_time_and_version_the_urgent_first(
    open_card: OpenCard,
) -> None:
    """One look tells what needs a person."""
    page = open_card(home())

    texts = rows(page)

    assert texts[0].startswith("Water sensor Changed · Cellar · since May 16")
    assert texts[1].startswith("Siren Suspected · Hall")
    assert texts[2].startswith("Bathroom scale Learning")
    assert texts[3].startswith("Kitchen plug Stable · Kitchen · since Apr 25")
    assert texts[3].endswith("1.1.0")
    expect(page.get_by_text("5 devices · 1 changed")).to_be_visible()
    expect(page.get_by_role("heading", name="Firmware")).to_be_visible()


def test_similarity_is_drawn_with_its_confidence_its_gap_and_its_versions(
    open_card: OpenCard,
) -> None:
    """The line breaks where nothing was measured, and each version has its stretch."""
    page = open_card(home())

    plug, sensor = (page.get_by_role("button", name=name) for name in ("Kitchen", "Water"))
    expect(plug.locator(".line")).to_have_count(2)
    expect(plug.locator(".band")).to_have_count(1)
    expect(plug.locator("rect")).to_have_count(1)
    expect(sensor.locator("rect")).to_have_count(2)


def test_no_history_is_asked_for_where_no_graph_is_wanted(open_card: OpenCard) -> None:
    """An agent with forty devices is not asked for what nobody sees."""
    page = open_card(home(config={"show_graph": False}))

    rows(page)

    expect(page.locator(".plot")).to_have_count(0)
    assert asked(page, "fwid/history") == []


def test_names_areas_and_reasons_are_text_never_html(open_card: OpenCard) -> None:
    """A device on the network chooses its own name; it must not choose what the browser runs."""
    page = open_card(home())

    open_detail(page, HOSTILE)

    expect(page.get_by_role("heading", name=HOSTILE)).to_be_visible()
    expect(page.get_by_text("<script>1</script>")).to_be_visible()
    assert page.evaluate("window.hacked") is None


def test_detail_tells_why_since_when_and_shows_the_fingerprints(open_card: OpenCard) -> None:
    """Everything that a person needs to decide stands in one place."""
    page = open_card(home())

    open_detail(page, "Water sensor")

    dialog = page.get_by_role("dialog")
    for reason in REASONS:
        expect(dialog.get_by_text(reason)).to_be_visible()
    expect(dialog.get_by_text("The signs are those of other software.")).to_be_visible()
    expect(dialog.get_by_text("Effect size (Hedges' g) 4.2")).to_be_visible()
    expect(dialog.get_by_text("version 1.1.0")).to_be_visible()
    expect(dialog.get_by_role("listitem").filter(has_text="Changed since May 16")).to_be_visible()
    images = dialog.get_by_role("img")
    expect(images).to_have_count(3)
    for image in images.all():
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    assert [message["path"] for message in asked(page, "auth/sign_path")] == [
        f"/api/fwid/image/sensor/{which}.png" for which in ("before", "after", "difference")
    ]


@pytest.mark.parametrize(
    ("identified", "told"),
    [
        ((HOSTILE, 0.934, None), f"Behaves like {HOSTILE}, 93% certain."),
        (("Hue bridge", 0.99, True), "Behaves like Hue bridge, 99% certain."),
        (
            ("Camera", 0.9, False),
            "Behaves like Camera, 90% certain. That is not what it is said to be.",
        ),
        ((None, 0.95, None), "Behaves like nothing that is known, 95% certain."),
        (None, None),
    ],
)
def test_detail_says_what_the_device_behaves_like(
    open_card: OpenCard, identified: tuple[str | None, float, bool | None] | None, told: str | None
) -> None:
    """In words, with how certain that is, and never as more than text."""
    lamp = device("lamp", "Lamp", "stable")
    if identified is not None:
        lamp["identified"] = dict(zip(("label", "certainty", "agrees"), identified, strict=True))
    page = open_card(home(devices=[lamp]))
    open_detail(page, "Lamp")

    line = page.get_by_role("dialog").locator(".identified")
    if told is None:
        expect(line).to_have_count(0)
    else:
        expect(line).to_have_text(told)
    assert page.evaluate("window.hacked") is None


def test_a_row_says_what_a_device_behaves_like_where_its_name_does_not(
    open_card: OpenCard,
) -> None:
    """One that nobody named, and one that is said to be another; the others stay short."""
    like = {"label": "Hue bridge", "certainty": 0.93, "agrees": None}
    page = open_card(
        home(
            devices=[
                device("a", "90:8d:78:a8:e1:43", "stable", identified=like),
                device("b", "Bridge", "stable", identified=like),
                device("c", "Camera", "stable", identified={**like, "agrees": False}),
                device("d", "94:10:3e:35:01:c1", "stable", identified={**like, "label": None}),
            ]
        )
    )
    assert ["behaves like Hue bridge" in text for text in rows(page)] == [True, False, False, True]


def test_a_picture_that_the_agent_does_not_have_is_said_to_be_missing(open_card: OpenCard) -> None:
    """No broken images."""
    page = open_card(home())

    open_detail(page, "Kitchen plug")

    expect(page.get_by_text("No picture yet")).to_have_count(3)
    expect(page.get_by_role("dialog").get_by_role("img")).to_have_count(0)


def test_a_picture_that_comes_later_is_shown_without_asking(open_card: OpenCard) -> None:
    """A busy agent draws it when it has the time."""
    page = open_card(home(refuse={"auth/sign_path": {"message": "busy"}}))
    open_detail(page, "Water sensor")
    expect(page.get_by_text("No picture yet")).to_have_count(3)

    page.evaluate("harness.change({refuse: {}})")

    expect(page.get_by_role("dialog").get_by_role("img")).to_have_count(3, timeout=30_000)


def test_history_is_also_a_table(open_card: OpenCard) -> None:
    """Who cannot see the drawing reads the same in words."""
    page = open_card(home())

    open_detail(page, "Water sensor")
    page.get_by_text("As a table").click()

    newest = page.get_by_role("table").get_by_role("row").nth(1)
    expect(newest).to_contain_text("May 19, 2026, 02:00")
    expect(newest).to_contain_text("Changed")


def test_a_change_is_accepted_after_it_was_asked_back(open_card: OpenCard) -> None:
    """One touch by mistake changes nothing; two accept, and the card shows it at once."""
    calm = home()["devices"]
    calm[1] = device("sensor", "Water sensor", "stable", version=2, since=moment(0))
    page = open_card(home(after={"accept": calm}))

    open_detail(page, "Water sensor")
    page.get_by_role("button", name="This change is fine").click()
    assert page.evaluate("harness.called") == []
    expect(page.get_by_text("what Water sensor does now counts as its normal")).to_be_visible()
    page.get_by_role("button", name="Accept", exact=True).click()

    expect(page.get_by_text("Accepted.")).to_be_visible()
    assert page.evaluate("harness.called") == [
        {
            "domain": "fwid",
            "service": "accept",
            "data": {"device_id": "sensor"},
            "target": None,
            "notifyOnError": False,
        }
    ]
    expect(page.get_by_role("button", name="This change is fine")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_text("5 devices · none changed")).to_be_visible()


def test_a_wrong_alarm_is_told_of_the_device_that_had_one(open_card: OpenCard) -> None:
    """The button is there only where there was an alarm."""
    page = open_card(home())

    open_detail(page, "Siren")
    expect(page.get_by_role("button", name="Wrong alarm")).to_have_count(0)
    page.keyboard.press("Escape")
    open_detail(page, "Water sensor")
    page.get_by_role("button", name="Wrong alarm").click()
    page.get_by_role("button", name="Tell it").click()

    expect(page.get_by_text("Noted.")).to_be_visible()
    assert [(call["service"], call["data"]) for call in page.evaluate("harness.called")] == [
        ("wrong_alarm", {"device_id": "sensor"})
    ]


def test_a_refused_action_says_what_home_assistant_says(open_card: OpenCard) -> None:
    """The person learns why nothing happened, and can try again."""
    refusal = {"code": "home_assistant_error", "message": "The agent cannot be reached"}
    page = open_card(home(refuse={"fwid.accept": refusal}))

    open_detail(page, "Water sensor")
    page.get_by_role("button", name="This change is fine").click()
    page.get_by_role("button", name="Accept", exact=True).click()

    expect(page.get_by_role("alert")).to_have_text("That did not work: The agent cannot be reached")
    expect(page.get_by_role("button", name="This change is fine")).to_be_focused()


def test_nothing_watched_yet_is_told_with_what_to_do(open_card: OpenCard) -> None:
    """Only who may choose devices is sent to where they are chosen."""
    page = open_card(home(devices=[], entities={}))
    expect(page.get_by_text("No device is watched yet.")).to_be_visible()
    expect(page.get_by_role("link", name="Choose devices")).to_have_attribute(
        "href", "/config/integrations/integration/fwid"
    )

    page = open_card(home(devices=[], entities={}, is_admin=False))
    expect(page.get_by_text("No device is watched yet.")).to_be_visible()
    expect(page.get_by_role("link")).to_have_count(0)


def test_chosen_devices_that_are_gone_are_told(open_card: OpenCard) -> None:
    """A card of a device that was removed does not claim that nothing is watched."""
    page = open_card(home(config={"devices": ["removed"]}))

    expect(page.get_by_text("None of the devices chosen for this card")).to_be_visible()


def test_while_the_answer_is_awaited_the_card_says_so(open_card: OpenCard) -> None:
    """A screen reader hears it, an eye sees where the devices will be."""
    page = open_card(home(delay_ms=60_000))

    expect(page.get_by_text("Asking for the devices…")).to_be_attached()
    expect(page.locator(".ghost").first).to_be_visible()


def test_an_agent_out_of_reach_leaves_the_last_known_and_says_so(open_card: OpenCard) -> None:
    """Old news must not look like news."""
    devices = home()["devices"]
    devices[0]["available"] = False
    page = open_card(home(devices=devices))

    expect(page.get_by_text("The agent cannot be reached.")).to_be_visible()
    expect(page.get_by_role("button", name="Kitchen plug")).to_contain_text("not reachable")


def test_an_agent_that_was_never_reached_is_told_and_its_devices_come_by_themselves(
    open_card: OpenCard,
) -> None:
    """After Home Assistant started without the agent: that is not a home without devices."""
    page = open_card(home(devices=[]))
    expect(page.get_by_text("The agent cannot be reached, and has not been since")).to_be_visible()
    expect(page.get_by_role("link")).to_have_count(0)

    page.evaluate("devices => harness.change({devices})", home()["devices"])

    assert len(rows(page)) == 5


@pytest.mark.parametrize(
    ("refusal", "text"),
    [
        ({"code": "unknown_command", "message": "Unknown command."}, "is not set up"),
        ({"code": "timeout", "message": "Too slow"}, "could not be asked for: Too slow"),
    ],
)
def test_a_failure_is_told_and_can_be_tried_again(
    open_card: OpenCard, refusal: dict[str, str], text: str
) -> None:
    """The card explains itself and recovers without reloading the dashboard."""
    page = open_card(home(refuse={"fwid/devices": refusal}))
    expect(page.get_by_role("alert")).to_contain_text(text)

    page.evaluate("harness.change({refuse: {}})")
    page.get_by_role("button", name="Try again").click()

    assert len(rows(page)) == 5
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_failure_later_leaves_the_devices_on_the_card(open_card: OpenCard) -> None:
    """What was known stays to be seen, under what went wrong."""
    page = open_card(home())
    rows(page)

    page.evaluate("harness.change({refuse: {'fwid/devices': {message: 'gone'}}})")
    page.evaluate("harness.reconnect()")

    expect(page.get_by_role("alert")).to_contain_text("gone")
    assert len(rows(page)) == 5


def test_a_state_that_changes_is_shown_and_other_states_cost_nothing(open_card: OpenCard) -> None:
    """Home Assistant hands over a new `hass` several times a second."""
    page = open_card(home())
    rows(page)
    before = len(page.evaluate("harness.asked"))

    page.evaluate("for (let i = 0; i < 50; i++) harness.tick()")
    page.wait_for_timeout(600)
    assert len(page.evaluate("harness.asked")) == before

    devices = home()["devices"]
    devices[0]["state"] = "changed"
    page.evaluate("devices => harness.change({devices})", devices)
    expect(page.get_by_text("5 devices · 2 changed")).to_be_visible()
    histories = [message["device_id"] for message in asked(page, "fwid/history")]
    assert histories.count("plug") == 2, "the history of what changed is asked for again"
    assert histories.count("siren") == 1, "that of what did not change is not"


def test_the_card_is_up_to_date_again_after_the_connection_was_lost(open_card: OpenCard) -> None:
    """What happened meanwhile made no state change that the card could have seen."""
    page = open_card(home())
    rows(page)

    before = len(asked(page, "fwid/devices"))
    assert before == 1, "at first, once is enough"
    page.evaluate("harness.reconnect()")

    page.wait_for_function("harness.asked.filter((m) => m.type === 'fwid/devices').length === 2")


def test_a_card_that_left_the_page_asks_no_more_until_it_is_back(open_card: OpenCard) -> None:
    """Home Assistant keeps the cards of a dashboard that is not looked at."""
    page = open_card(home())
    rows(page)

    page.evaluate("window.kept = document.querySelector('fwid-card'); kept.remove()")
    page.evaluate("harness.reconnect()")
    page.wait_for_timeout(100)
    assert len(asked(page, "fwid/devices")) == 1

    page.evaluate("document.querySelector('main').append(kept)")
    page.wait_for_function("harness.asked.filter((m) => m.type === 'fwid/devices').length === 2")


def test_a_state_of_a_newer_agent_is_shown_as_it_is_called(open_card: OpenCard) -> None:
    """An old card beside a new agent loses nothing."""
    page = open_card(home(devices=[device("plug", "Plug", "updating")]))

    assert rows(page)[0].startswith("Plug updating")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "5 Geräte · 1 geändert"),
        ("fr", "5 appareils · 1 modifié"),
        ("es-MX", "5 dispositivos · 1 cambiado"),
        ("nl", "5 apparaten · 1 gewijzigd"),
        ("it", "5 dispositivi · 1 cambiato"),
        ("ja", "5 devices · 1 changed"),
    ],
)
def test_the_card_speaks_the_language_of_its_user(
    open_card: OpenCard, language: str, text: str
) -> None:
    """As Home Assistant does, and English where it has no texts."""
    page = open_card(home(language=language))

    expect(page.get_by_text(text)).to_be_visible()
    assert asked(page, "fwid/devices")[0]["language"] == language, "reasons are told in it too"


def test_home_assistant_is_told_of_the_card_and_its_options(open_card: OpenCard) -> None:
    """The card picker shows it with a preview, and the editor has a form with words."""
    page = open_card(home(language="de"))

    entry = page.evaluate("JSON.parse(JSON.stringify(customCards))")
    assert entry == [
        {
            "type": "fwid-card",
            "name": "fwid: Firmware der Geräte",
            "description": entry[0]["description"],
            "preview": True,
        }
    ]
    labels = page.evaluate(
        """() => {
            const form = customElements.get("fwid-card").getConfigForm();
            return form.schema.map((field) => [field.name, form.computeLabel(field)]);
        }"""
    )
    assert [name for name, _ in labels] == ["title", "devices", "sort", "show_graph"]
    assert dict(labels)["sort"] == "Reihenfolge"
    suggest = (
        "id => customCards[0].getEntitySuggestion(document.querySelector('fwid-card').hass, id)"
    )
    assert page.evaluate(suggest, "event.plug") == {
        "config": {"type": "custom:fwid-card", "devices": ["plug"]}
    }
    assert page.evaluate(suggest, "sun.sun") is None
    assert re.match("sort: must be", page.evaluate("harness.refuseConfig({sort: 1})"))


def test_forty_devices_fit(open_card: OpenCard) -> None:
    """The largest home that the integration enrols; all their histories arrive."""
    many = [device(f"d{number}", f"Device {number}", "stable") for number in range(40)]
    page = open_card(home(devices=many, histories={d["device_id"]: history() for d in many}))

    expect(page.locator(".line")).to_have_count(40)

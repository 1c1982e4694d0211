"""What a person does on the page reaches the agent, and what happens there reaches the page."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fwid_agent.store import Store
from playwright.sync_api import Page, Playwright, expect

from tests.page.conftest import SENSOR, Agent, Program, Visit, replayed

SCRIPT = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent that is changed, step by step."""
    with replayed(tmp_path_factory.mktemp("mine"), "D-LinkSensor") as running:
        yield running


@pytest.fixture(scope="module")
def program(playwright: Playwright, mine: Agent) -> Iterator[Program]:
    """Another client of the same agent."""
    client = Program(playwright, mine, mine.code(), "Home Assistant")
    yield client
    client.close()


@pytest.fixture
def device(mine: Agent, visit: Visit) -> Page:
    page = visit(mine)
    page.locator(f"[id='card-{SENSOR}']").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_role("heading", name="What happened").wait_for()
    return page


def told(program: Program) -> Any:
    return program.get(f"devices/{SENSOR}")


def test_why_it_changed_is_said_in_words(device: Page) -> None:
    """Where it stands, what happened, what it looked like, and whom it talks to."""
    state = device.get_by_role("region", name="State")
    expect(state).to_contain_text("DNS sent at home, size 90 bytes in every first flight: was 100")
    expect(device.get_by_text("The software changed: version 1 → 2")).to_be_visible()
    expect(device.get_by_role("img", name="What differs")).to_be_visible()
    chatty = device.get_by_role("region", name="How chatty it is")
    expect(chatty).to_contain_text("52.28.38.0/24")
    expect(chatty).to_contain_text("HTTPS")
    measure = chatty.get_by_role("button", name="Bytes", exact=True)
    measure.click()
    expect(measure).to_have_attribute("aria-pressed", "true")
    chatty.locator(".bars button").last.click()
    expect(chatty.get_by_role("status")).to_contain_text("5 Sep")


def test_a_name_with_script_in_it_is_text(device: Page, program: Program) -> None:
    """As title, in the list, in dialogs and messages; nothing is run and nothing is asked for."""
    device.get_by_role("button", name="Name this device").click()
    device.get_by_label("Name", exact=True).fill(SCRIPT)
    device.get_by_role("button", name="Save").click()
    expect(device.get_by_role("heading", level=1)).to_contain_text(SCRIPT)
    assert told(program)["name"] == SCRIPT
    device.get_by_role("button", name="Learn anew…").click()
    expect(device.get_by_role("dialog")).to_contain_text(SCRIPT)
    device.keyboard.press("Escape")
    device.get_by_role("link", name="All devices").click()
    expect(device.locator(f"[id='card-{SENSOR}']")).to_contain_text(SCRIPT)
    assert device.locator("img[src=x]").count() == 0


def test_a_device_is_muted_and_an_update_expected(device: Page, program: Program) -> None:
    """For as long as was chosen, by the agent's clock."""
    device.get_by_role("button", name="Mute…").click()
    device.get_by_label("for a week").check()
    device.get_by_role("button", name="Mute", exact=True).click()
    expect(device.get_by_text("Muted until")).to_be_visible()
    now, until = program.get("info")["time"], told(program)["muted_until"]
    assert now[:10] < until[:10] <= "2016-09-30"
    device.get_by_role("button", name="Unmute").click()
    expect(device.get_by_role("button", name="Mute…")).to_be_visible()
    assert not told(program)["muted"]

    device.get_by_role("button", name="Expect an update…").click()
    device.get_by_role("button", name="Expect it").click()
    expect(device.get_by_text("An update is expected until")).to_be_visible()


def test_an_alarm_is_called_wrong_and_a_version_labelled(device: Page, program: Program) -> None:
    """Feedback is kept with the alarm, the label with the version."""
    device.get_by_role("button", name="Wrong alarm").click()
    expect(device.get_by_text("You called its last alarm wrong.")).to_be_visible()
    assert told(program)["alarm_was_wrong"]
    device.get_by_role("button", name="Label version 1").click()
    device.get_by_label("Label, such as 1.7.5").fill("1.1.0")
    device.get_by_role("button", name="Save").click()
    expect(device.get_by_text("Version 1 (1.1.0)").first).to_be_visible()
    assert told(program)["versions"][0]["label"] == "1.1.0"


def test_a_person_says_what_it_is_and_has_a_model_trained(device: Page, program: Program) -> None:
    """The agent keeps the word, and says why it has learnt nothing from one device alone."""
    device.get_by_role("button", name="Say what it is…").click()
    device.get_by_label("Maker and model").fill(SCRIPT)
    device.get_by_label("Category").select_option("Home Automation")
    device.get_by_role("button", name="Save").click()
    what = device.get_by_role("region", name="What it is")
    expect(what).to_contain_text(f"You said that it is {SCRIPT} (Home Automation).")
    expect(what).to_contain_text("by the model that came with the agent")
    assert told(program)["kind"]["label"] == SCRIPT
    device.get_by_role("button", name="Say what it is…").click()
    device.get_by_label("Maker and model").fill("")
    device.get_by_role("button", name="Save").click()
    expect(what).to_contain_text("learns how it behaves under the name that you gave it")

    device.get_by_role("link", name="Capture").click()
    device.get_by_role("button", name="Train it anew").click()
    model = device.get_by_role("region", name="The model that identifies devices")
    expect(model.get_by_role("status")).to_contain_text("Another is being trained")
    expect(model.get_by_role("button", name="Train it anew")).to_be_visible(timeout=60_000)
    expect(model).to_contain_text(re.compile("Last attempt.*too little, nothing to learn"))


def test_what_another_client_does_is_shown_at_once(device: Page, program: Program) -> None:
    """By WebSocket, without asking again; a dialog that is open stays so."""
    device.get_by_role("button", name="Learn anew…").click()
    program.post(f"devices/{SENSOR}/accept")
    device.wait_for_timeout(500)
    expect(device.get_by_role("dialog")).to_be_visible()
    device.get_by_role("button", name="Cancel").click()
    expect(device.get_by_text("The change was accepted: version 1 → 2")).to_be_visible()
    expect(device.get_by_role("region", name="State")).to_contain_text("as always")


def test_learning_anew_wants_a_second_thought(device: Page, program: Program) -> None:
    """Cancelled, nothing is forgotten; confirmed, it is."""
    device.get_by_role("button", name="Learn anew…").click()
    device.get_by_role("button", name="Cancel").click()
    assert told(program)["state"] == "stable"
    device.get_by_role("button", name="Learn anew…").click()
    device.get_by_role("button", name="Forget and learn anew").click()
    expect(device.get_by_role("region", name="State")).to_contain_text("0 of 2 days learnt")
    assert told(program)["state"] == "learning"


def test_a_person_pairs_a_program_and_shuts_it_out(
    device: Page, mine: Agent, playwright: Playwright
) -> None:
    """The code and the fingerprint that are shown are the agent's."""
    device.get_by_role("link", name="Access").click()
    device.get_by_role("button", name="Make a code").click()
    code = str(device.locator(".code").text_content()).replace(" ", "")
    fingerprint = str(device.locator(".fingerprint").text_content()).replace(" ", "")
    assert fingerprint == mine.ask("pair")["fingerprint"]
    device.get_by_role("button", name="Make another code").click()
    expect(device.locator(".code")).not_to_contain_text(f"{code[:4]} {code[4:]}")
    code = str(device.locator(".code").text_content()).replace(" ", "")
    client = Program(playwright, mine, code, SCRIPT)
    device.reload()
    row = device.get_by_role("row").filter(has_text=SCRIPT)
    assert client.is_let_in()
    row.get_by_role("button").click()
    device.get_by_role("button", name="Shut out").click()
    expect(row).to_have_count(0)
    assert not client.is_let_in()
    client.close()


def test_a_backup_is_a_store(device: Page, tmp_path: Path, mine: Agent) -> None:
    """What the page gives can be put back, and holds no token."""
    device.get_by_role("link", name="Access").click()
    with device.expect_download() as download:
        device.get_by_role("link", name="Download a backup").click()
    copy = tmp_path / "fwid.db"
    download.value.save_as(copy)
    with Store.open(copy, create=False) as store:
        assert store.devices()
    tables = sqlite3.connect(copy).execute("SELECT name FROM sqlite_schema").fetchall()
    assert not [name for (name,) in tables if "token" in name]
    assert not list(mine.store.parent.glob("fwid-backup-*"))


def test_who_is_shut_out_sees_nothing_more(device: Page, mine: Agent) -> None:
    """The session is revoked on the machine: the page asks for a code again."""
    for token in mine.ask("tokens")["tokens"]:
        if token["name"] == "Chrome on Linux":
            mine.ask("tokens", "--revoke", token["id"])
    mine.session = None
    expect(device.get_by_label("Code")).to_be_visible(timeout=30_000)
    expect(device.get_by_text(SENSOR)).to_have_count(0)

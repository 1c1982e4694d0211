"""`fwid identify` and `fwid kind`: answers of captures and of a store, and what is refused."""

import json
from pathlib import Path

import pytest

from tests.agent.cli.conftest import CAPTURES, SENSOR, Fwid

LIKE = "D-Link home sensor or siren"  # what the model that came with fwid calls its family


@pytest.fixture
def store(fwid: Fwid, tmp_path: Path) -> str:
    path = str(tmp_path / "home.db")
    assert fwid("replay", "--store", path, str(CAPTURES / "D-LinkSensor")).code == 0
    return path


def test_captures_need_no_store(fwid: Fwid) -> None:
    """A device is told by its family, and who is no device of the model is told as that."""
    ran = fwid("identify", str(CAPTURES / "D-LinkSensor"), "--json")
    assert ran.code == 0, ran.err
    answers = {each["device"]: each for each in map(json.loads, ran.out.splitlines())}
    sensor = answers[SENSOR]
    assert (sensor["label"], sensor["model"], sensor["kind"]) == (LIKE, "shipped", None)
    assert sensor["certainty"] > 0.5
    assert len(sensor["units"]) == 4
    assert sensor["units"][-1]["time"] == sensor["time"]


def test_a_store_answers_as_its_captures_do(fwid: Fwid, store: str) -> None:
    """The newest unit of the store is that of the captures, whatever was read in which order."""
    captures = fwid("identify", str(CAPTURES / "D-LinkSensor"), "--device", SENSOR, "--json")
    kept = fwid("identify", "--store", store, "--device", SENSOR, "--json")
    one, other = json.loads(captures.out), json.loads(kept.out)
    assert one["units"][-1] == other["units"][-1]
    shown = fwid("show", SENSOR, "--store", store).out
    assert f"behaves like {LIKE}" in shown


def test_what_a_device_is_said_to_be(fwid: Fwid, store: str) -> None:
    """It is kept, shown, and taken back again."""
    said = fwid("kind", SENSOR, "Water sensor", "--category", "appliance", "--store", store)
    assert said.out == f"{SENSOR}: Water sensor, Appliance\n"
    shown = fwid("identify", "--store", store, "--device", SENSOR).out
    assert "Water sensor, Appliance" in shown
    assert "said to be Water sensor" in fwid("show", SENSOR, "--store", store).out
    back = fwid("kind", SENSOR, "--forget", "--store", store, "--json")
    assert json.loads(back.out) == {"device": SENSOR, "kind": None}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--forget"),
        (["a\nb"], "printed"),
        (["x" * 65], "64"),
        (["Camera", "--category", "Toy"], "none of Surveillance"),
        (["Camera", "--forget"], "--forget"),
    ],
)
def test_what_makes_no_sense_is_refused(
    fwid: Fwid, tmp_path: Path, words: list[str], said: str
) -> None:
    """Before a store is opened."""
    ran = fwid("kind", SENSOR, *words, "--store", str(tmp_path / "none.db"))
    assert ran.code == 2
    assert said in ran.err


def test_a_store_without_flows_says_how_to_get_some(fwid: Fwid, tmp_path: Path) -> None:
    """Such as one that was made with `identify = "off"`."""
    config, path = tmp_path / "fwid.toml", tmp_path / "home.db"
    config.write_text('identify = "off"\n')
    captures = sorted((CAPTURES / "D-LinkSensor").iterdir())[0]
    fwid("replay", "--store", str(path), "--config", str(config), str(captures))
    ran = fwid("identify", "--store", str(path))
    assert ran.code == 4
    assert "`identify`" in ran.err


def test_an_unknown_device_is_named(fwid: Fwid) -> None:
    """One that is not in the captures."""
    ran = fwid("identify", str(CAPTURES / "D-LinkSensor"), "--device", "02:00:00:00:00:99")
    assert ran.code == 2
    assert "02:00:00:00:00:99" in ran.err

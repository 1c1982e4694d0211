"""What fwid says of real devices whose versions are known; none of them was trained on."""

import csv
import itertools
from pathlib import Path

import pytest
from fwid_agent.pipeline import CompareRequest, compare
from fwid_agent.pipeline.models import load_prior
from fwid_agent.types import Cause, Decision, Verdict, parse_mac

ROOT = Path(__file__).parents[2]
EXCERPT = ROOT / "tests" / "data" / "iot-sentinel"
WHOLE = ROOT.parent / "shared" / "data" / "iot-sentinel"
whole_set = pytest.mark.skipif(not WHOLE.is_dir(), reason="the whole set of captures is not here")
UNITS = ["day", "file"]


def captures(folder: Path, device: str) -> dict[str, list[dict[str, str]]]:
    """Return a device's labelled captures by date."""
    with (folder / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["device"] == device]
    dates: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        dates.setdefault(row["start_utc"][:10], []).append(row)
    return dict(sorted(dates.items()))


def ask(folder: Path, device: str, baseline: list[str], test: list[str], unit: str) -> Decision:
    """Compare a device's captures of some dates with those of others."""
    dates = captures(folder, device)
    mac = next(iter(dates.values()))[0]["mac"]
    sides = [
        tuple(str(folder / device / row["file"]) for date in chosen for row in dates[date])
        for chosen in (baseline, test)
    ]
    request = CompareRequest(parse_mac(mac), sides[0], sides[1], unit=unit)  # type: ignore[arg-type]
    answer = compare(request, on_progress=lambda _: None, on_note=lambda _: None)
    assert not answer.faults
    return answer.decision


def test_none_of_these_devices_was_trained_on() -> None:
    """The D-Link devices are held out of everything that is shipped."""
    assert not [name for name in load_prior().trained_on if name.startswith("D-Link")]


@pytest.mark.parametrize("unit", UNITS)
def test_the_update_of_the_sensor_is_seen(unit: str) -> None:
    """All captures with 1.1.0 against all with 1.7.5."""
    dates = list(captures(EXCERPT, "D-LinkSensor"))
    decision = ask(EXCERPT, "D-LinkSensor", dates[:2], dates[2:], unit)
    assert decision.verdict is Verdict.CHANGED
    assert decision.cause is Cause.SOFTWARE
    assert len(decision.reasons) == 3
    assert decision.reasons[0].params["protocol"] == "dns"


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("version", ["1.1.0", "1.7.5"])
def test_a_version_of_the_sensor_has_not_changed_against_itself(version: str, unit: str) -> None:
    """First date against second, both ways round in time."""
    dates = captures(EXCERPT, "D-LinkSensor")
    first, second = (date for date, rows in dates.items() if rows[0]["agent_version"] == version)
    for before, after in ((first, second), (second, first)):
        decision = ask(EXCERPT, "D-LinkSensor", [before], [after], unit)
        assert decision.verdict is not Verdict.CHANGED


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("device", ["D-LinkSiren", "Aria", "WeMoSwitch"])
def test_devices_that_were_not_updated_are_not_called_changed(device: str, unit: str) -> None:
    """Every start of a device's dates against the rest, and every date against every other."""
    dates = list(captures(EXCERPT, device))
    questions = [(dates[:n], dates[n:]) for n in range(1, len(dates))]
    questions += [([a], [b]) for a, b in itertools.permutations(dates, 2)]
    for baseline, test in questions:
        assert ask(EXCERPT, device, baseline, test, unit).verdict is not Verdict.CHANGED


@whole_set
@pytest.mark.shared_data
@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("device", ["D-LinkSiren", "D-LinkWaterSensor"])
def test_the_siblings_of_one_version_are_not_called_changed(device: str, unit: str) -> None:
    """Both run 1.7.5 throughout, by their own word."""
    dates = list(captures(WHOLE, device))
    questions = [(dates[:n], dates[n:]) for n in range(1, len(dates))]
    questions += [([a], [b]) for a, b in itertools.permutations(dates, 2)]
    for baseline, test in questions:
        assert ask(WHOLE, device, baseline, test, unit).verdict is not Verdict.CHANGED


@whole_set
@pytest.mark.shared_data
def test_whole_frames_and_headers_alone_decide_alike() -> None:
    """Nothing behind the headers has a say: the excerpt holds headers only."""
    dates = list(captures(WHOLE, "D-LinkSensor"))
    whole = ask(WHOLE, "D-LinkSensor", dates[:2], dates[2:], "day")
    excerpt = ask(EXCERPT, "D-LinkSensor", dates[:2], dates[2:], "day")
    assert whole == excerpt

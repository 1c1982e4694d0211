"""The study from the command line, of the shipped corpus and of exports."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.lab.identification.samples import Reading, load_home

from tests.agent.cli.conftest import Fwid

MADE = Path(__file__).parents[2] / "data" / "made-corpus"


def test_exports_of_several_homes_are_read_as_they_are(fwid: Fwid, tmp_path: Path) -> None:
    """What homes give away is what the study reads: the same flows, devices and categories."""
    with (MADE / "labels.csv").open() as file:
        macs = {row["device"]: (row["mac"], row["category"]) for row in csv.DictReader(file)}
    made = load_home(MADE, Reading(), lambda _: None)
    homes = []
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        devices: list[object] = []
        for name in ("bulb", "doorcam"):
            mac, category = macs[name]
            devices += ["--device", f"{mac}={name}:{category}"]
        target = tmp_path / folder / "given.pcapng"
        key = tmp_path / f"{folder}.key"
        captures = [MADE / "bulb", MADE / "doorcam"]
        ended = fwid("export", *captures, *devices, "--out", target, "--key", key, "--yes")
        assert ended.code == 0, ended.err
        homes.append(load_home(tmp_path / folder, Reading(), lambda _: None))
    chosen = [made.devices.index(name) for name in ("bulb", "doorcam")]
    original = made.select(np.isin(made.device, chosen))
    for home in homes:
        assert home.devices == ("bulb", "doorcam")
        assert home.categories == ("Home Automation", "Surveillance")
        for index, name in enumerate(home.devices):
            given_ = home.values[home.device == index]
            expected = original.values[original.device == made.devices.index(name)]
            assert np.sort(given_, axis=0).tolist() == np.sort(expected, axis=0).tolist()


@pytest.mark.lab
def test_the_command_writes_tables_and_figures(fwid: Fwid, tmp_path: Path) -> None:
    """What is printed for programs is what is in the files."""
    pytest.importorskip("sklearn")
    ended = fwid(
        "lab", "identify", MADE, "--model", "tree", "--part", "horizon", "--part", "groups",
        "--out", tmp_path / "study", "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    (record,) = ended.records()
    assert record == json.loads((tmp_path / "study" / "study.json").read_text())
    names = {path.name for path in (tmp_path / "study").iterdir()}
    assert names == {"study.json", "horizon.csv", "groups.csv", "horizon.png", "groups.png"}
    with (tmp_path / "study" / "horizon.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(record["tables"]["horizon"])
    best = max(float(row["macro_f1"]) for row in rows if row["versions"] == "trained on")
    assert best > 0.8  # chance is 1 of 6


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A home of three days."""
    lines = (MADE / "labels.csv").read_text().splitlines(keepends=True)
    for name in ("bulb", "switch"):
        (tmp_path / name).symlink_to(MADE / name)
    kept = [line for line in lines if line.split(",")[0] in ("bulb", "switch")]
    days = ("05.pcap", "06.pcap", "07.pcap")
    kept = [line for line in kept if any(day in line for day in days)]
    (tmp_path / "labels.csv").write_text(lines[0] + "".join(kept))
    return tmp_path


@pytest.mark.lab
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--part", "everything"], "--part everything: there are horizon"),
        (["--model", "oracle"], "--model oracle: there are forest"),
        ([], "2 devices on 3 days; the study needs two devices and 8 days"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(
    fwid: Fwid, short: Path, more: list[str], said: str
) -> None:
    """Before anything is trained."""
    ended = fwid("lab", "identify", short, *more)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert said in ended.err

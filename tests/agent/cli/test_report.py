"""`fwid report`, from a store to files."""

import errno
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from fwid_agent.core.scan import Watch
from fwid_agent.core.stability import Rules
from fwid_agent.core.watch import begin
from fwid_agent.pipeline.fingerprints import draw_fingerprints
from fwid_agent.types import Cause, Event, EventType, UnitTable
from PIL import Image

from tests.agent.cli.conftest import SENSOR, Fwid
from tests.made_tables import DAY_NS, make_table

WATCH, (ENROLLED,) = begin(0x908D78A8E143, 0, Rules(UUID(int=0)))
CHANGED = Event(
    2, "2", ENROLLED.time, SENSOR, EventType.VERSION_CHANGED, 1, 2, Cause.SOFTWARE, False, ()
)  # fmt: skip


def days(seed: int, *numbers: int) -> UnitTable:
    """A device's traffic on some days."""
    return make_table(seed, [number * DAY_NS for number in numbers])


def titles(watch: Watch, *events: Event) -> list[str]:
    return [picture.title for picture in draw_fingerprints(watch, (ENROLLED, *events))]


def test_the_page_holds_what_the_store_knows(fwid: Fwid, store: Path, tmp_path: Path) -> None:
    """Devices, versions' names, verdicts and pictures come through; pictures are files too."""
    page, figures = tmp_path / "home.html", tmp_path / "figures"
    fwid("label", SENSOR, "1.1.0 <i>", "--store", store)
    (told,) = fwid("report", page, "--store", store, "--pictures", figures, "--json").records()
    listed = fwid("devices", "--store", store, "--json").records()
    text = page.read_text("utf-8")

    assert told["page"] == str(page)
    assert told["devices"] == len(listed)
    assert [device["device"] for device in listed if device["device"] not in text] == []
    assert "1 (1.1.0 &lt;i&gt;)" in text
    assert sorted(map(str, figures.iterdir())) == sorted(told["pictures"])
    assert str(figures / f"{SENSOR.replace(':', '')}-difference.png") in told["pictures"]
    for name in told["pictures"]:
        with Image.open(name) as picture:
            assert picture.format == "PNG"


def test_one_device_can_be_asked_for(fwid: Fwid, store: Path, tmp_path: Path) -> None:
    """A page to hand on holds no other device."""
    page = tmp_path / "one.html"
    fwid("report", page, "--store", store, "--device", SENSOR.replace(":", ""))
    listed = fwid("devices", "--store", store, "--json").records()
    others = [device["device"] for device in listed if device["device"] != SENSOR]
    text = page.read_text("utf-8")

    assert others
    assert SENSOR in text
    assert [mac for mac in others if mac in text] == []


def test_a_page_that_cannot_be_written_is_an_error_of_use(
    fwid: Fwid, store: Path, tmp_path: Path
) -> None:
    """One line that names the file."""
    ended = fwid("report", tmp_path, "--store", store)
    assert ended.code == 2
    assert ended.err.startswith(f"fwid: {tmp_path}: cannot be written")


def test_no_folder_is_made_for_a_slip(fwid: Fwid, store: Path, tmp_path: Path) -> None:
    """A page at a misspelt place is an error, not a new folder."""
    for arguments in (["nowhere/x.html"], ["x.html", "--pictures", "nowhere/figures"]):
        places = [tmp_path / each if not each.startswith("--") else each for each in arguments]
        ended = fwid("report", *places, "--store", store)
        assert ended.code == 2
        assert f"there is no folder {tmp_path / 'nowhere'}" in ended.err
    assert not (tmp_path / "nowhere").exists()


def test_an_earlier_page_outlives_a_full_disk(
    store: Path, fwid: Fwid, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new page takes the place of the old one only when it is whole."""
    page = tmp_path / "home.html"
    page.write_text("earlier")

    def fill(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    ended = fwid("report", page, "--store", store)
    assert ended.code == 2
    assert ended.err == f"fwid: {page}: cannot be written (No space left on device)\n"
    assert page.read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_a_page_never_takes_the_place_of_the_store(fwid: Fwid, store: Path, tmp_path: Path) -> None:
    """Whoever names the store twice keeps what was learnt."""
    (tmp_path / "link").symlink_to(store)
    before = store.read_bytes()
    for target in (store, tmp_path / "link"):
        ended = fwid("report", target, "--store", store)
        assert (ended.code, ended.err) == (
            2,
            f"fwid: {target}: is the store; name another file for the page\n",
        )
    assert store.read_bytes() == before


@pytest.mark.parametrize("target", [".", "/", ""])
def test_a_folder_is_no_page(fwid: Fwid, store: Path, target: str) -> None:
    """One line says so."""
    ended = fwid("report", target, "--store", store)
    assert ended.code == 2
    assert ended.err == f"fwid: {target or '.'}: is a folder; name a file in it\n"


def test_fingerprints_show_the_versions_before_and_after() -> None:
    """A change of version is what the pictures are for; also before it has settled."""
    watch = replace(WATCH, baseline=days(2, 8, 9), earlier={1: days(1, 1, 2)})
    assert titles(watch, CHANGED) == [
        "Before: version 1",
        "After: version 2",
        "Difference, in steps of the device's own spread",
    ]


def test_fingerprints_show_what_is_suspicious() -> None:
    """Units that wait are held against the running version."""
    watch = replace(WATCH, baseline=days(1, 1, 2), waiting=days(2, 3))
    assert titles(watch)[1] == "After: units that wait for a decision"


def test_fingerprints_show_the_newest_unit_of_a_calm_device() -> None:
    """Without a change the newest day stands beside those before it."""
    assert titles(replace(WATCH, baseline=days(1, 0, 1, 2)))[:2] == [
        "Before: version 1 until then",
        "After: version 1, 1970-01-03",
    ]


def test_one_unit_has_no_difference() -> None:
    """Nothing is drawn where there is nothing to compare."""
    assert titles(WATCH) == []
    assert titles(replace(WATCH, baseline=days(1, 1))) == []


def test_the_text_of_a_difference_names_what_differs() -> None:
    """Equal periods differ in nothing; others name rows and columns."""
    same = replace(WATCH, baseline=days(1, 8), earlier={1: days(1, 1)})
    other = replace(WATCH, baseline=days(2, 8), earlier={1: days(1, 1)})

    assert draw_fingerprints(same, (CHANGED,))[2].alt.endswith("Most different: nothing.")
    assert draw_fingerprints(other, (CHANGED,))[2].alt.endswith((" up.", " down."))

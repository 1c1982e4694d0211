"""Whatever is wrong with the input: one line that names it, the documented code, nothing lost."""

import gzip
import os
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fwid_agent.store.migrations import MIGRATIONS
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from tests.agent.cli.conftest import SENSOR, Ended, Fwid
from tests.made_captures import Frame, ng_enhanced, pcap, pcap_record, pcapng
from tests.made_tables import DAY_NS, HOUR_NS

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
ONE, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
WHOLE = 12  # frames of a capture before its damage


def says(hour: int, sender: str = ONE, receiver: str = OTHER) -> Frame:
    data = Ether(src=sender, dst=receiver) / IP(src="10.0.0.1", dst="10.0.0.2") / UDP()
    return Frame(bytes(data), 17_000 * DAY_NS + hour * HOUR_NS)


FRAMES = [says(hour) for hour in range(WHOLE)]
LAST = says(WHOLE)
CUT_PCAP = pcap([*FRAMES, LAST])[:-3]
AT, AT_NG = f": byte {len(pcap(FRAMES))}: ", f": byte {len(pcapng(FRAMES))}: "
CUT, LONG = (
    "the capture is cut off in the middle of a packet",
    " bytes cannot be; the file is damaged",
)
# Damage -> the bytes, and what is said behind the name.
BROKEN: dict[str, tuple[bytes, str]] = {
    "cut, pcap": (CUT_PCAP, f"{AT}{CUT}"),
    "cut, pcapng": (pcapng([*FRAMES, LAST])[:-3], f"{AT_NG}{CUT}"),
    "cut, gzip": (gzip.compress(CUT_PCAP), f"{AT}{CUT}"),
    "4 GB, pcap": (
        pcap(FRAMES) + struct.pack("<IIII", 1, 0, 0xFFFFFFFF, 0xFFFFFFFF) + bytes(90),
        f"{AT}a frame of 4294967295{LONG}",
    ),
    "4 GB, pcapng": (
        pcapng(FRAMES) + struct.pack("<II", 6, 0xFFFFFFFC) + ng_enhanced(LAST)[8:],
        f"{AT_NG}a block of 4294967292{LONG}",
    ),
    "4 GB, big-endian": (
        pcap(FRAMES, ">") + struct.pack(">IIII", 1, 0, 0xFFFFFFFE, 60) + pcap_record(LAST, ">"),
        f"{AT}a frame of 4294967294{LONG}",
    ),
}
# What is no capture -> the bytes, and the place that is named.
NO_CAPTURE: dict[str, tuple[bytes | None, str]] = {
    "empty": (b"", ": the file is empty"),
    "text": (b"device,file,mac\n" * 20, ": byte 0: "),
    "wrong magic": (b"\xd4\xc3\xb2\xa9" + CUT_PCAP[4:], ": byte 0: "),
    "header only": (CUT_PCAP[:10], ": byte 10: "),
    "missing": (None, ": no such file"),
}


def assert_one_line(ended: Ended, code: int, begins: str) -> None:
    """One clear line on standard error, and the documented code."""
    assert ended.code == code
    assert ended.err.startswith(begins)
    assert ended.err.count("\n") == 1
    assert ended.err.endswith("\n")
    assert "Traceback" not in ended.err + ended.out
    assert "this is a bug" not in ended.err


def summary_of(ended: Ended) -> dict[str, Any]:
    (summary,) = [record for record in ended.records() if record["type"] == "summary"]
    return summary


def device_of(fwid: Fwid, store: Path, mac: str) -> dict[str, Any]:
    """Everything but its events, whose ids are those of the store."""
    (device,) = fwid("show", mac, "--store", store, "--json").records()
    return {key: value for key, value in device.items() if key != "events"}


@pytest.fixture
def good(sensor_captures: list[Path]) -> Path:
    return sensor_captures[0]


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return tmp_path / "bad.pcap"


# --- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", BROKEN)
def test_replay_of_a_broken_capture(
    fwid: Fwid, tmp_path: Path, bad: Path, good: Path, damage: str
) -> None:
    """What was before the damage and in the other captures is judged, printed and stored."""
    data, said = BROKEN[damage]
    bad.write_bytes(data)
    store = tmp_path / "home.db"
    for _ in range(2):  # told again, counted once
        ended = fwid("replay", bad, good, "--store", store, "--json")
        assert_one_line(ended, 3, f"fwid: {bad}{said}\n")
        assert summary_of(ended)["packets"] == WHOLE + 699
        assert device_of(fwid, store, ONE)["packets_sent"] == WHOLE
        assert device_of(fwid, store, SENSOR)["packets_sent"] == 371
    printed = fwid("replay", bad, good)
    assert_one_line(printed, 3, f"fwid: {bad}{said}\n")
    assert SENSOR in printed.out
    assert f"{WHOLE + 699:,} packets" in printed.out


@pytest.mark.parametrize("damage", BROKEN)
def test_compare_of_a_broken_capture(fwid: Fwid, tmp_path: Path, bad: Path, damage: str) -> None:
    """The answer is given from what could be read, and the fault told after it."""
    data, said = BROKEN[damage]
    bad.write_bytes(data)
    test = tmp_path / "test.pcap"
    test.write_bytes(pcap([says(72 + hour) for hour in range(WHOLE)]))
    ended = fwid("compare", "--device", ONE, "--baseline", bad, "--test", test, "--json")
    (answer,) = ended.records()
    assert_one_line(ended, 3, f"fwid: {bad}{said}\n")
    assert (answer["units_baseline"], answer["units_test"]) == (1, 1)
    broken_test = fwid("compare", "--device", ONE, "--baseline", test, "--test", bad)
    assert_one_line(broken_test, 3, f"fwid: {bad}{said}\n")
    assert broken_test.out.startswith(f"{ONE}  insufficient")


# --- no captures ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", NO_CAPTURE)
def test_what_is_no_capture(fwid: Fwid, bad: Path, good: Path, kind: str) -> None:
    """It is told by every command, wherever it is given; what else there is, is answered."""
    data, said = NO_CAPTURE[kind]
    if data is not None:
        bad.write_bytes(data)
    compare = ["compare", "--device", SENSOR, "--json"]
    for arguments, answers in (
        (["replay", bad, good, "--json"], 2),
        (["replay", good, bad, "--json"], 2),
        (["replay", bad, "--json"], 0),
        ([*compare, "--baseline", bad, "--test", good], 0),
        ([*compare, "--baseline", good, "--test", good.parent, bad], 1),
    ):
        ended = fwid(*arguments)
        assert_one_line(ended, 3, f"fwid: {bad}{said}")
        assert len(ended.records()) >= answers
        assert bool(answers) == bool(ended.out)


def test_a_folder_without_captures(fwid: Fwid, tmp_path: Path, good: Path) -> None:
    """A folder of other files is a slip, not a home without devices."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "labels.csv").write_text("a,b\n" * 9)
    compare = ["compare", "--device", SENSOR, "--baseline", good, "--test", folder]
    for arguments in (["replay", folder], compare):
        ended = fwid(*arguments)
        assert_one_line(ended, 3, f"fwid: {folder}: no capture ")
        assert ended.out == ""


def test_standard_input_that_is_no_capture(good: Path) -> None:
    """A stream has no name but its dash; the captures beside it are summed up."""
    command = [sys.executable, "-m", "fwid_agent.cli.main", "replay", str(good), "-", "--json"]
    for data, said in ((b"", b"the file is empty"), (b"no capture " * 9, b"byte 0: ")):
        ended = subprocess.run(command, input=data, capture_output=True, check=False)
        assert ended.returncode == 3
        assert ended.stderr.startswith(b"fwid: -: " + said)
        assert ended.stderr.count(b"\n") == 1
        assert b'"packets":699' in ended.stdout.splitlines()[-1]


@pytest.mark.parametrize("source", ["tzsp://router", "fritzbox://", "http://192.0.2.1", ""])
def test_a_source_that_is_none(fwid: Fwid, source: str) -> None:
    """Told before anything is started."""
    ended = fwid("run", "--", source)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"fwid: {source!r}")
    assert ended.err.count("\n") == 1


def test_a_device_that_is_not_there(fwid: Fwid, good: Path, tmp_path: Path) -> None:
    """The captures in which it is missing are named, not those where it is."""
    without = tmp_path / "without.pcap"
    without.write_bytes(pcap(FRAMES))
    ended = fwid("compare", "--device", SENSOR, "--baseline", good, "--test", without)
    assert_one_line(ended, 3, f"fwid: {without}: no packet of {SENSOR} ")
    assert ended.out == ""

    again = tmp_path / "again.pcap"
    again.write_bytes(pcap(FRAMES[:1]))
    ended = fwid("compare", "--device", SENSOR, "--baseline", good, "--test", without, again)
    assert_one_line(ended, 3, f"fwid: {without} and 1 more: no packet of {SENSOR} ")


# --- odd traffic ---------------------------------------------------------------------------------


def test_a_device_that_never_speaks(fwid: Fwid, tmp_path: Path) -> None:
    """Being spoken to says nothing of its software: an answer, and no error."""
    baseline, test = tmp_path / "baseline.pcap", tmp_path / "test.pcap"
    baseline.write_bytes(pcap([says(hour) for hour in range(48)]))
    test.write_bytes(pcap([says(96 + hour) for hour in range(48)]))
    ended = fwid("compare", "--device", OTHER, "--baseline", baseline, "--test", test, "--json")
    (answer,) = ended.records()
    assert (ended.code, ended.err) == (0, "")
    assert (answer["verdict"], answer["g"]) == ("insufficient", None)
    assert "sends nothing" in answer["missing"]


def test_a_clock_that_jumps_back(fwid: Fwid, tmp_path: Path) -> None:
    """One note says where; it is no error, and everything counts."""
    path, test = tmp_path / "jumps.pcap", tmp_path / "test.pcap"
    path.write_bytes(pcap([says(hour) for hour in (0, 1, 30, 2, 31, 3, 99, 4)]))
    test.write_bytes(pcap(FRAMES))
    replayed = fwid("replay", path, "--json")
    compare = ["compare", "--device", ONE, "--baseline", path, "--test", test, "--json"]
    for ended in (replayed, fwid(*compare)):
        assert_one_line(ended, 0, f"note: {path}: frame 4: the clock jumps back by 100,800 s; ")
    assert summary_of(replayed)["packets"] == 8


@pytest.mark.parametrize(
    ("link_type", "said"),
    [
        (127, "link type 127 (IEEE802_11_RADIO) is not decoded: 12 frames; capture on the wired"),
        (0, "link type 0 (NULL) is not decoded: 12 frames; capture on an Ethernet interface"),
        (4444, "link type 4444 is not decoded: 12 frames; "),
        (101, "no MAC addresses in this capture, so no devices can be told apart"),
    ],
)
def test_a_capture_of_which_nothing_can_come(
    fwid: Fwid, tmp_path: Path, link_type: int, said: str
) -> None:
    """An empty table says nothing; one note says why it is empty."""
    path = tmp_path / "odd.pcap"
    frames = [Frame(frame.data[14:], frame.ts_ns) for frame in FRAMES]
    path.write_bytes(pcap(frames, link_type=link_type))
    ended = fwid("replay", path, "--json")
    assert_one_line(ended, 0, f"note: {path}: {said}")
    assert summary_of(ended)["packets"] == WHOLE
    assert summary_of(ended)["devices"] == []


# --- disks ---------------------------------------------------------------------------------------


@needs_full
@pytest.mark.parametrize("arguments", [["replay"], ["replay", "--json"], ["devices", "--store"]])
def test_no_room_for_what_is_printed(store: Path, good: Path, arguments: list[str]) -> None:
    """`fwid … > FILE` on a full disk is not a bug of fwid."""
    command = [sys.executable, "-m", "fwid_agent.cli.main", *arguments]
    command.append(str(good if arguments[0] == "replay" else store))
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    said = Ended(ended.returncode, "", ended.stderr.decode())
    assert_one_line(said, 2, "fwid: the output cannot be written: the disk is full")


@needs_full
def test_no_room_for_a_report(fwid: Fwid, store: Path) -> None:
    """The page that cannot be written is named."""
    ended = fwid("report", "/dev/full", "--store", store)
    assert_one_line(ended, 2, "fwid: /dev/full: cannot be written (No space left")


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Let a folder be a file system of its own."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_no_room_for_the_store(fwid: Fwid, tmp_path: Path, sensor_captures: list[Path]) -> None:
    """What was judged before is printed and stored; with room, a later run does the rest."""
    captures = sorted(sensor_captures[0].parent.glob("*"))
    arguments = ["replay", *captures, "--unit", "file", "--json", "--store"]
    expected = fwid(*arguments, tmp_path / "expected.db")
    with small_disk(tmp_path / "disk"):
        path = tmp_path / "disk" / "home.db"
        ended = fwid(*arguments, path)
        assert_one_line(ended, 4, f"fwid: {path}: the disk is full")
        assert 0 < len(ended.records()) < len(expected.records()) - 1
        sent = device_of(fwid, path, SENSOR)["packets_sent"]
        assert 0 < sent < 6633
        larger = ["mount", "-o", "remount,size=20m", str(path.parent)]
        subprocess.run(larger, check=True)
        rest = fwid(*arguments, path)
        assert rest.code == 0
        assert device_of(fwid, path, SENSOR) == device_of(fwid, tmp_path / "expected.db", SENSOR)


# --- stores --------------------------------------------------------------------------------------


def test_a_store_of_a_newer_version(fwid: Fwid, store: Path, good: Path, tmp_path: Path) -> None:
    """Every command refuses it, says what to do, and leaves it as it is."""
    newer = len(MIGRATIONS) + 1
    connection = sqlite3.connect(store)
    connection.execute(f"PRAGMA user_version = {newer}")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    before = store.read_bytes()
    for arguments in (
        ["replay", good],
        ["devices"],
        ["show", SENSOR],
        ["accept", SENSOR],
        ["relearn", SENSOR],
        ["label", SENSOR, "1.0"],
        ["report", tmp_path / "page.html"],
        ["backup", tmp_path / "copy.db"],
    ):
        ended = fwid(*arguments, "--store", store)
        assert_one_line(ended, 4, f"fwid: {store}: a store of version {newer}, ")
        assert "update fwid-agent" in ended.err
        assert ended.out == ""
    assert store.read_bytes() == before
    assert not (tmp_path / "page.html").exists()
    assert not (tmp_path / "copy.db").exists()

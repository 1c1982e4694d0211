"""A folder of rotated captures: each frame once, in order, whatever happens to the files."""

import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fwid_agent.capture import rotating
from fwid_agent.capture.folder import MOST_FILES
from fwid_agent.capture.rotating import RotatingFolder
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_captures import START_NS, Frame, as_read, frames_of, pcap, pcapng

MINUTE_NS = 60_000_000_000
FORMATS = {"pcap": pcap, "pcapng": pcapng}


def frames(first: int, count: int) -> list[Frame]:
    """Frames of which no two are equal, a minute apart."""
    return [
        Frame(b"frame %05d" % number, START_NS + number * MINUTE_NS)
        for number in range(first, first + count)
    ]


@pytest.fixture(autouse=True)
def _look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting between two looks into the folder."""
    monkeypatch.setattr(rotating, "_SCAN_S", 0.0)


def read_all(folder: RotatingFolder) -> list[Frame]:
    read: list[Frame] = []
    while (block := folder.read(0)) is not None:
        read += frames_of(block)
    return read


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_a_growing_file_is_read_as_it_grows(tmp_path: Path, kind: str) -> None:
    """Frames come when they are whole, also where a write ends within one."""
    data = FORMATS[kind](frames(0, 6))
    with RotatingFolder(tmp_path) as folder, (tmp_path / "a").open("wb", buffering=0) as file:
        read: list[Frame] = []
        for begin in range(0, len(data), 37):
            file.write(data[begin : begin + 37])
            read += read_all(folder)
            assert read == as_read(frames(0, 6))[: len(read)]
        assert read == as_read(frames(0, 6))
        assert folder.notes == []


def test_the_next_file_is_taken_up_when_it_has_a_frame(tmp_path: Path) -> None:
    """What the old file gained before the new one was begun comes first."""
    first, second = tmp_path / "first", tmp_path / "second"
    with RotatingFolder(tmp_path) as folder:
        first.write_bytes(pcap(frames(0, 2)))
        assert read_all(folder) == as_read(frames(0, 2))
        first.write_bytes(pcap(frames(0, 4)))
        second.write_bytes(pcap([]))
        assert read_all(folder) == as_read(frames(2, 2))
        first.write_bytes(pcap(frames(0, 5)))
        second.write_bytes(pcap(frames(5, 3)))
        assert read_all(folder) == as_read(frames(4, 4))


def test_files_that_were_there_are_read_in_order_of_time(tmp_path: Path) -> None:
    """Names say nothing: tcpdump -W begins again with the first."""
    for name, first in (("b", 0), ("c", 3), ("a", 6)):
        (tmp_path / name).write_bytes(pcap(frames(first, 3)))
    with RotatingFolder(tmp_path) as folder:
        assert read_all(folder) == as_read(frames(0, 9))


def test_a_ring_overwrites_its_oldest_file(tmp_path: Path) -> None:
    """The same name, another capture: it is read from its start, and the old one not again."""
    with RotatingFolder(tmp_path) as folder:
        read: list[Frame] = []
        for number in range(10):
            (tmp_path / f"ring{number % 3}").write_bytes(pcap(frames(number * 4, 4)))
            read += read_all(folder)
        assert read == as_read(frames(0, 40))
        assert folder.notes == []


def test_a_clock_that_was_set_back_stops_nothing(tmp_path: Path) -> None:
    """A file that appears later is read later, whatever times it bears; also after a restart."""
    with RotatingFolder(tmp_path) as folder:
        for name, first in (("a", 100), ("b", 3), ("c", 6)):
            (tmp_path / name).write_bytes(pcap(frames(first, 3)))
            assert read_all(folder) == as_read(frames(first, 3))
        position = folder.position
    with RotatingFolder(tmp_path, position) as folder:
        assert read_all(folder) == []


def test_deleted_files_are_no_error(tmp_path: Path) -> None:
    """One that is deleted while it is read is read to its end."""
    first = tmp_path / "first"
    with RotatingFolder(tmp_path) as folder, first.open("wb", buffering=0) as file:
        file.write(pcap(frames(0, 3)))
        assert read_all(folder) == as_read(frames(0, 3))
        file.write(pcap(frames(3, 2))[24:])
        first.unlink()
        assert read_all(folder) == as_read(frames(3, 2))
        (tmp_path / "second").write_bytes(pcap(frames(5, 2)))
        assert read_all(folder) == as_read(frames(5, 2))
        shutil.rmtree(tmp_path)
        assert read_all(folder) == []
        assert folder.trouble == f"{tmp_path}: No such file or directory"
        tmp_path.mkdir()
        (tmp_path / "third").write_bytes(pcap(frames(7, 2)))
        assert read_all(folder) == as_read(frames(7, 2))
        assert (folder.trouble, folder.notes) == ("", [])


def test_files_that_vanish_unread_are_told(tmp_path: Path) -> None:
    """A ring that is too small for how long nobody read has lost something: that is said."""
    for number in range(3):
        (tmp_path / f"f{number}").write_bytes(pcap(frames(number * 3, 3)))
    with RotatingFolder(tmp_path) as folder:
        assert folder.read(0) is not None
        (tmp_path / "f1").unlink()
        assert read_all(folder) == as_read(frames(6, 3))
        assert folder.notes == ["deleted or overwritten before they were read: f1"]


def test_what_is_no_capture_is_passed_over_and_told_once(tmp_path: Path) -> None:
    """Notes, compressed files, hidden files of rsync, folders and pipes break nothing."""
    (tmp_path / "a.pcap").write_bytes(pcap(frames(0, 2)))
    (tmp_path / "notes.txt").write_text("not a capture")
    (tmp_path / "old.pcap.gz").write_bytes(b"\x1f\x8b\x08\x00")
    (tmp_path / ".a.pcap.Xy12z").write_bytes(pcap(frames(9, 1)))
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "pipe")
    with RotatingFolder(tmp_path) as folder:
        for _ in range(3):
            read_all(folder)
        assert sorted(folder.notes) == [
            f"{tmp_path}/{name}: byte 0: is no pcap or pcapng capture"
            for name in ("notes.txt", "old.pcap.gz")
        ]


def test_damage_ends_one_file_only(tmp_path: Path) -> None:
    """What was whole of it is read once, and the next file is taken up."""
    with RotatingFolder(tmp_path) as folder:
        (tmp_path / "a").write_bytes(pcap(frames(0, 2)) + b"\xff" * 40)
        assert read_all(folder) == as_read(frames(0, 2))
        (tmp_path / "b").write_bytes(pcap(frames(2, 2))[:-3])
        (tmp_path / "c").write_bytes(pcap(frames(4, 1)))
        assert read_all(folder) == as_read([*frames(2, 1), *frames(4, 1)])
        damaged, cut = folder.notes
        assert damaged.startswith(f"{tmp_path}/a: byte ")
        assert cut.startswith(f"{tmp_path}/b: byte ")
        assert "cut off" in cut


def test_a_file_that_is_overwritten_while_it_is_read_is_not_mixed(tmp_path: Path) -> None:
    """A ring of one file: the new capture is read from its start, never from the old place."""
    path = tmp_path / "one"
    with RotatingFolder(tmp_path) as folder:
        path.write_bytes(pcap(frames(0, 3)))
        assert read_all(folder) == as_read(frames(0, 3))
        path.write_bytes(pcap(frames(3, 30)))
        assert read_all(folder) == as_read(frames(3, 30))
        assert folder.notes == [
            f"{path}: was overwritten while it was being read; the rest of it is left out"
        ]


def test_too_many_files_are_told(tmp_path: Path) -> None:
    """What is known of a folder is bounded, so its files are."""
    for number in range(MOST_FILES + 1):
        (tmp_path / str(number)).touch()
    with RotatingFolder(tmp_path) as folder:
        assert folder.read(0) is None
        assert "more than 2048 files" in folder.trouble


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_file_that_may_not_be_read_is_told_until_it_may(tmp_path: Path) -> None:
    """dumpcap writes files for its own user alone; that is no silence."""
    path = tmp_path / "a"
    path.write_bytes(pcap(frames(0, 2)))
    path.chmod(0o600)
    for folder in (*tmp_path.parents[:3], tmp_path):
        folder.chmod(0o755)
    os.seteuid(65534)
    try:
        with RotatingFolder(tmp_path) as folder:
            assert read_all(folder) == []
            assert folder.trouble == f"{path}: Permission denied; let this user read it"
            os.seteuid(0)
            path.chmod(0o644)
            os.seteuid(65534)
            assert read_all(folder) == as_read(frames(0, 2))
            assert folder.trouble == ""
    finally:
        os.seteuid(0)


# --- restarts ------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["write", "rotate", "restart", "read"])),
        max_size=25,
    ),
    st.sampled_from(sorted(FORMATS)),
    st.integers(2, 4),
)
def test_no_frame_twice_over_restarts(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str]], kind: str, ring: int
) -> None:
    """A ring is written, rotated, read and left at any moment: every frame that was there once."""
    folder = tmp_path_factory.mktemp("ring")
    make, number, sent = FORMATS[kind], 0, 0
    content: list[Frame] = []
    read: list[Frame] = []
    reader = RotatingFolder(folder)
    for count, what in steps:
        if what == "rotate" and content:
            # A ring that is never read may lose files; here a reader is never that far behind.
            read += read_all(reader)
            number, content = number + 1, []
        elif what == "restart":
            position = reader.position
            reader.__exit__(None, None, None)
            reader = RotatingFolder(folder, position)
        elif what == "read":
            read += read_all(reader)
        if what in ("write", "rotate"):
            new = frames(sent, count + (what == "rotate"))
            content, sent = content + new, sent + len(new)
            (folder / f"f{number % ring}").write_bytes(make(content))
    read += read_all(reader)
    reader.__exit__(None, None, None)
    assert read == as_read([replace(frame) for frame in frames(0, sent)])


def test_a_restart_goes_on_with_the_file_that_was_begun(tmp_path: Path) -> None:
    """Also where it has been moved meanwhile, and newer ones have come."""
    (tmp_path / "a").write_bytes(pcap(frames(0, 2)))
    with RotatingFolder(tmp_path) as folder:
        assert len(read_all(folder)) == 2
        position = folder.position
    (tmp_path / "a").write_bytes(pcap(frames(0, 5)))
    (tmp_path / "a").rename(tmp_path / "z")
    (tmp_path / "b").write_bytes(pcap(frames(5, 2)))
    with RotatingFolder(tmp_path, position) as folder:
        assert json.loads(folder.position) == json.loads(position)
        assert read_all(folder) == as_read(frames(2, 5))


@pytest.mark.parametrize("position", ["{", "[]", '{"done": 3}', "\x00"])
def test_a_position_that_nobody_can_read_begins_anew(tmp_path: Path, position: str) -> None:
    """A damaged store costs a part of what was counted, not the source."""
    (tmp_path / "a").write_bytes(pcap(frames(0, 2)))
    with RotatingFolder(tmp_path, position) as folder:
        assert read_all(folder) == as_read(frames(0, 2))


def test_times_that_have_not_come_are_corrected(tmp_path: Path) -> None:
    """A router whose clock is ahead: its frames are of now, and that is said once."""
    ahead_ns = time.time_ns() + 3600 * 10**9
    (tmp_path / "a").write_bytes(pcap([Frame(b"frame", ahead_ns)]))
    with RotatingFolder(tmp_path) as folder:
        (read,) = read_all(folder)
        assert abs(read.ts_ns - time.time_ns()) < 60 * 10**9
        assert folder.notes == [
            f"{tmp_path}: its clock is 3,600 s ahead of ours; that is corrected"
        ]


def test_a_position_of_a_folder_that_is_not_there_is_kept(tmp_path: Path) -> None:
    """A disk that is mounted late does not make everything new."""
    (tmp_path / "a").write_bytes(pcap(frames(0, 2)))
    with RotatingFolder(tmp_path) as folder:
        read_all(folder)
        position = folder.position
    with RotatingFolder(tmp_path / "absent", position) as folder:
        assert read_all(folder) == []
        assert json.loads(folder.position) == json.loads(position)

"""Captures from files, folders and standard input: plain or compressed, whole or damaged."""

import io
import os
import subprocess
import sys
import threading
import tracemalloc
from dataclasses import replace
from itertools import pairwise, permutations
from pathlib import Path

import pytest
import zstandard
from fwid_agent.capture.files import count_frames, find_captures, open_capture
from fwid_agent.capture.opening import OPENING_FRAMES, read_opening
from fwid_agent.capture.stream import is_stream
from fwid_agent.errors import UnreadableInputError

from tests.made_captures import (
    COMPRESSIONS,
    Frame,
    as_read,
    ng_block,
    ng_interface,
    ng_section,
    pcap,
    pcap_record,
    pcapng,
    read_capture,
    some_frames,
)

CONTAINERS = {"pcap": pcap, "pcapng": pcapng}
FRAMES = some_frames(40)
SCRIPT = """
import sys
from fwid_agent.capture.files import open_capture
with open_capture("-") as reader:
    for block in reader:
        pass
    print(reader.frames_read, reader.bytes_read, reader.total_bytes)
"""


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("container", CONTAINERS)
class TestEveryContainerAndCompression:
    """Every container in every compression, from every kind of source."""

    def test_file(self, tmp_path: Path, container: str, compression: str) -> None:
        """The magic bytes tell, not the name; progress is counted in the file's own bytes."""
        data = COMPRESSIONS[compression](CONTAINERS[container](FRAMES))
        path = write(tmp_path / "misleading.txt", data)
        with open_capture(str(path)) as reader:
            blocks = list(reader)
            assert reader.frames_read == sum(len(block.ts_ns) for block in blocks) == 40
            assert reader.bytes_read == reader.total_bytes == len(data)
        assert read_capture(path).frames == as_read(FRAMES)

    def test_standard_input(self, container: str, compression: str) -> None:
        """Standard input is read as a stream: a pipe has no length and cannot go back."""
        data = COMPRESSIONS[compression](CONTAINERS[container](FRAMES))
        command = [sys.executable, "-c", SCRIPT]
        done = subprocess.run(command, input=data, capture_output=True, check=True)
        assert done.stdout.split() == [b"40", b"%d" % len(data), b"None"]

    def test_members_one_after_the_other(
        self, tmp_path: Path, container: str, compression: str
    ) -> None:
        """Compressed files may be joined (gzip members, zstd frames), cut anywhere."""
        data, compress = CONTAINERS[container](FRAMES), COMPRESSIONS[compression]
        path = write(
            tmp_path / "joined", b"".join(map(compress, (data[:30], data[30:501], data[501:])))
        )
        assert read_capture(path).frames == as_read(FRAMES)
        assert read_capture(path).error is None

    def test_cut_at_every_byte(self, tmp_path: Path, container: str, compression: str) -> None:
        """However short, what is whole is read, and the error names the file and the place."""
        frames = some_frames(4)
        whole = as_read(frames)
        data = CONTAINERS[container](frames)
        packed = COMPRESSIONS[compression](data)
        complete = set[int]()
        for size in range(len(packed)):
            path = write(tmp_path / "cut", packed[:size])
            read = read_capture(path)
            assert read.frames == whole[: len(read.frames)]
            if read.error is None:
                complete.add(size)
            else:
                assert read.error.path == str(path)
                assert "\n" not in str(read.error)
                assert read.error.offset is None or 0 <= read.error.offset <= len(data)
        # Only between records nothing is missing.
        starts = [len(CONTAINERS[container](frames[:n])) for n in range(4)]
        if container == "pcapng":
            starts += [len(ng_section())]
        assert complete == (set(starts) if compression == "plain" else set())

    def test_a_late_cut_keeps_what_was_read(
        self, tmp_path: Path, container: str, compression: str
    ) -> None:
        """Nearly all frames of a long capture are kept when its end is missing."""
        frames = [Frame(os.urandom(200)) for _ in range(2000)]
        data = CONTAINERS[container](frames)
        packed = COMPRESSIONS[compression](data)
        read = read_capture(write(tmp_path / "cut", packed[: len(packed) * 9 // 10]))
        assert isinstance(read.error, UnreadableInputError)
        assert read.error.offset is not None
        # zstd gives whole blocks of 128 KiB only.
        assert len(read.frames) >= (1100 if compression == "zstd" else 1700)
        assert read.frames == as_read(frames)[: len(read.frames)]


@pytest.mark.parametrize("compression", [name for name in COMPRESSIONS if name != "plain"])
def test_damaged_compression_keeps_what_was_before(tmp_path: Path, compression: str) -> None:
    """A checksum or a code that is wrong ends the stream; one line says so."""
    data = pcap([Frame(os.urandom(200)) for _ in range(2000)])
    compress = COMPRESSIONS[compression]
    if compression == "zstd":
        compress = zstandard.ZstdCompressor(write_checksum=True).compress
    packed = bytearray(compress(data))
    packed[-6 if compression != "zstd" else -1] ^= 0x55
    read = read_capture(write(tmp_path / "damaged", bytes(packed)))
    assert isinstance(read.error, UnreadableInputError)
    assert "compressed stream" in read.error.reason
    assert len(read.frames) >= (1100 if compression == "zstd" else 1700)


@pytest.mark.parametrize(
    ("data", "reason", "offset"),
    [
        (b"", "empty", None),
        (b"hello, this is a text file and no capture\n", "no pcap or pcapng", 0),
        (b"\xd4\xc3\xb2\xa2" + bytes(40), "no pcap or pcapng", 0),
        (pcap([])[:20], "cut off in its header", 20),
        (COMPRESSIONS["gzip"](b"text, compressed, in which there are no packets"), "no pcap", 0),
        (COMPRESSIONS["xz"](b""), "empty", None),
    ],
)
def test_what_is_no_capture(tmp_path: Path, data: bytes, reason: str, offset: int | None) -> None:
    """Every input that is no capture ends in one line that names it."""
    path = write(tmp_path / "file", data)
    with pytest.raises(UnreadableInputError, match=reason) as caught:
        open_capture(str(path))
    assert caught.value.offset == offset
    assert str(path) in str(caught.value)


def test_missing_folder_and_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be opened is told in plain words."""
    with pytest.raises(UnreadableInputError, match="no such file"):
        open_capture(str(tmp_path / "missing"))
    with pytest.raises(UnreadableInputError, match="is a folder"):
        open_capture(str(tmp_path))

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path / "file", pcap(FRAMES))
    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    with pytest.raises(UnreadableInputError, match="permissions"):
        open_capture(str(path))


def test_a_disk_that_fails_keeps_what_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the disk in mid-file is told with its offset, after what was before it."""

    class Failing(io.BytesIO):
        def readinto(self, buffer: memoryview, /) -> int:
            if self.tell():
                raise OSError(5, "Input/output error")
            return super().readinto(memoryview(buffer)[:1000])

    path = write(tmp_path / "file", b"")
    monkeypatch.setattr(Path, "open", lambda *_: Failing(pcap(FRAMES)))
    read = read_capture(path)
    assert len(read.frames) > 20
    assert read.error is not None
    assert "Input/output error" in read.error.reason
    assert read.error.offset == 1000


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("block_bytes", [1, 5000, 1 << 22])
def test_blocks_of_any_size_give_the_same(tmp_path: Path, container: str, block_bytes: int) -> None:
    """Frames longer than a block, and frames across two, come out whole."""
    frames = [Frame(os.urandom(size)) for size in (10, 9000, 0, 4096, 100_000, 60)]
    path = write(tmp_path / "file", CONTAINERS[container](frames))
    assert read_capture(path, block_bytes).frames == as_read(frames)


def test_memory_stays_flat(tmp_path: Path) -> None:
    """A file of 64 MB, and a zstd stream of a few kilobytes that unpacks to it, need few blocks."""
    record = pcap_record(Frame(bytes(1400)))
    data = pcap([]) + record * (64_000_000 // len(record))
    paths = [write(tmp_path / name, COMPRESSIONS[name](data)) for name in ("plain", "zstd", "gzip")]
    del data
    for path in paths:
        tracemalloc.start()
        count, wire = count_frames(str(path))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (count, wire) == (64_000_000 // len(record), 64_000_000 // len(record) * 1400)
        assert peak < 48_000_000 if path.name == "zstd" else peak < 16_000_000


class TestFolders:
    """Captures of a folder are found below it and sorted by their first frame."""

    def test_sorted_by_first_frame(self, tmp_path: Path) -> None:
        """Names do not matter, folders in folders count, and formats may mix."""
        (tmp_path / "deep" / "er").mkdir(parents=True)
        times = {"a.pcap": 3, "deep/er/b.pcapng": 1, "c.pcap.gz": 2}
        for name, hours in times.items():
            made = (pcapng if "ng" in name else pcap)([Frame(b"x", hours * 3600 * 10**9)])
            write(tmp_path / name, COMPRESSIONS["gzip"](made) if "gz" in name else made)
        found = find_captures([str(tmp_path)])
        names = [Path(capture.path).relative_to(tmp_path).as_posix() for capture in found.captures]
        assert names == ["deep/er/b.pcapng", "c.pcap.gz", "a.pcap"]
        assert [c.first_ts_ns for c in found.captures] == [h * 3600 * 10**9 for h in (1, 2, 3)]
        assert found.notes == ()

    def test_other_files_are_passed_over_with_a_note(self, tmp_path: Path) -> None:
        """A note names each file that is no capture and says why."""
        write(tmp_path / "labels.csv", b"a,b\n" * 20)
        write(tmp_path / "empty", b"")
        write(tmp_path / "good", pcap(FRAMES))
        found = find_captures([str(tmp_path)])
        assert [Path(capture.path).name for capture in found.captures] == ["good"]
        assert len(found.notes) == 2
        assert "empty" in found.notes[0]
        assert "labels.csv" in found.notes[1]

    def test_a_damaged_capture_is_still_one(self, tmp_path: Path) -> None:
        """Damage behind the header is told when the file is read, not by leaving it out."""
        write(tmp_path / "damaged", pcap([]) + b"\xff" * 40)
        assert len(find_captures([str(tmp_path)]).captures) == 1

    def test_nothing_left_is_an_error(self, tmp_path: Path) -> None:
        """A folder without captures is a mistake of the caller."""
        write(tmp_path / "labels.csv", b"a,b\n" * 20)
        with pytest.raises(UnreadableInputError, match="no capture") as caught:
            find_captures([str(tmp_path)])
        assert caught.value.path == str(tmp_path)

    def test_a_folder_that_may_not_be_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is told as what it is, not as a folder without captures."""

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "scandir", refuse)  # root may read everything
        with pytest.raises(UnreadableInputError, match="cannot be read"):
            find_captures([str(tmp_path)])

    def test_files_and_folders_are_sorted_together(self, tmp_path: Path) -> None:
        """Whatever is named first; only a stream has no time. One bad file named is an error."""
        (tmp_path / "folder").mkdir()
        os.mkfifo(pipe := tmp_path / "pipe")
        for name, second in (("folder/1", 1), ("folder/5", 5)):
            write(tmp_path / name, pcap([Frame(b"x", second * 10**9)]))
        late = write(tmp_path / "late", pcap([Frame(b"x", 9 * 10**9)]))
        early = write(tmp_path / "early", pcap([Frame(b"x", 3 * 10**9)]))
        for paths in permutations(map(str, (late, pipe, early, tmp_path / "folder"))):
            *files, last = find_captures(paths).captures
            assert [c.first_ts_ns for c in files] == [second * 10**9 for second in (1, 3, 5, 9)]
            assert last.path == str(pipe)
        with pytest.raises(UnreadableInputError):
            find_captures([str(late), str(write(tmp_path / "text", b"text" * 9))])

    def test_first_frame_behind_much_else(self, tmp_path: Path) -> None:
        """The first frame of a pcapng may lie behind a long table of names."""
        names = ng_block(4, bytes(300_000))
        data = ng_section() + names + pcapng([Frame(b"x", 5000)])[len(ng_section()) :]
        path = write(tmp_path / "names", data)
        assert find_captures([str(path)]).captures[0].first_ts_ns == 5000


def test_a_capture_without_frames(tmp_path: Path) -> None:
    """A header alone is a capture of nothing, not an error."""
    for data in (pcap([]), ng_section(), ng_section() + ng_interface()):
        read = read_capture(write(tmp_path / "none", data))
        assert (read.frames, read.error) == ([], None)
        assert find_captures([str(tmp_path)]).captures[0].first_ts_ns == 0


def test_a_pipe_is_read_but_once(tmp_path: Path) -> None:
    """Looking for captures takes nothing out of a pipe that is to be read later."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert is_stream(str(pipe))
    assert [c.first_ts_ns for c in find_captures([str(pipe), "-"]).captures] == [0, 0]
    writer = threading.Thread(target=pipe.write_bytes, args=(pcap(FRAMES),))
    writer.start()
    with open_capture(str(pipe)) as reader:
        assert reader.total_bytes is None
        assert sum(len(block.ts_ns) for block in reader) == len(FRAMES)
    writer.join()


def opening(path: Path, block_bytes: int = 1 << 22) -> bytes:
    with open_capture(str(path), block_bytes) as reader:
        return read_opening(reader)


def test_an_opening_is_of_what_was_captured(tmp_path: Path) -> None:
    """Neither format, compression nor the pieces that it is read in are part of it."""
    frames = some_frames(OPENING_FRAMES + 9)
    expected = opening(write(tmp_path / "plain", pcap(frames)))
    for number, compress in enumerate(COMPRESSIONS.values()):
        for container in CONTAINERS.values():
            path = write(tmp_path / str(number), compress(container(frames)))
            assert opening(path) == opening(path, 1 << 12) == expected


def test_openings_of_a_growing_capture_begin_alike(tmp_path: Path) -> None:
    """What was captured first stays first; another capture differs from its first frame on."""
    frames = some_frames(OPENING_FRAMES + 9)
    openings = [opening(write(tmp_path / "some", pcap(frames[:n]))) for n in range(len(frames))]
    for shorter, longer in pairwise(openings):
        assert longer.startswith(shorter)
    assert len(set(openings)) == OPENING_FRAMES + 1
    first = frames[0]
    for other in (
        replace(first, ts_ns=first.ts_ns + 1000),
        replace(first, data=first.data[:-1] + bytes([first.data[-1] ^ 1])),
    ):
        opened = opening(write(tmp_path / "other", pcap([other, *frames[1:]])))
        assert not set(digests(opened)) & set(digests(openings[-1]))


def digests(text: bytes) -> list[bytes]:
    return [text[at : at + 8] for at in range(0, len(text), 8)]


def test_what_is_a_stream(tmp_path: Path) -> None:
    """Files, folders and what is not there are none."""
    assert not is_stream(str(write(tmp_path / "one", pcap([]))))
    assert not is_stream(str(tmp_path))
    assert not is_stream(str(tmp_path / "missing"))

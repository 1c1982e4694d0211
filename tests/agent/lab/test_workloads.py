"""The captures that the bench makes hold what they are said to hold."""

from pathlib import Path

import numpy as np
import pytest
from fwid_agent.capture.files import open_capture
from fwid_agent.errors import UnreadableInputError, UsageError
from fwid_agent.lab.workloads import HOME_DAYS, make_busy_wire, make_home

from tests.made_captures import START_NS, Frame, pcap, read_capture

DAY_NS = 86_400 * 10**9


def device(folder: Path, number: int, captures: int) -> None:
    """Captures of one device, each of two frames that bear its number, on days of their own."""
    folder.mkdir()
    for index in range(captures):
        start_ns = START_NS + index * 40 * DAY_NS
        frames = [Frame(bytes([number, index]) * 10, start_ns + later) for later in (0, 10**9)]
        (folder / f"{index}.pcap").write_bytes(pcap(frames))


def test_a_busy_wire_repeats_without_a_pause(tmp_path: Path) -> None:
    """As many packets as asked for, in order of time; the weeks between captures are gone."""
    device(tmp_path / "one", 1, 3)
    target = tmp_path / "wire.pcap"
    made = make_busy_wire([str(tmp_path / "one")], target, 11)
    frames = read_capture(target).frames
    times = [frame.ts_ns for frame in frames]

    assert made.packets == len(frames) == 11
    assert made.bytes == sum(len(frame.data) for frame in frames)
    assert times == sorted(times)
    assert times[-1] - times[0] < 60 * 10**9


def test_a_home_has_every_device_on_every_day(tmp_path: Path) -> None:
    """One capture of each device a day, in order of time, repeated where a device has few."""
    for number in range(7):
        device(tmp_path / str(number), number, 1 + number)
    target = tmp_path.parent / "home.pcap"
    made = make_home([str(tmp_path)], target)
    assert made is not None
    frames = read_capture(target).frames
    days = {(frame.ts_ns // DAY_NS, frame.data[0]) for frame in frames}
    times = [frame.ts_ns for frame in frames]

    assert (made.devices, made.days) == (7, HOME_DAYS)
    assert made.packets == len(frames) == 2 * 7 * HOME_DAYS
    assert len(days) == 7 * HOME_DAYS
    assert times == sorted(times)
    with open_capture(str(target)) as reader:
        assert all((block.link_type == 1).all() for block in reader)
    assert np.ptp([day for day, _ in days]) == HOME_DAYS - 1


def test_a_few_devices_are_no_home(tmp_path: Path) -> None:
    """The row is left out rather than measured on something else."""
    device(tmp_path / "one", 1, 3)
    assert make_home([str(tmp_path)], tmp_path / "home.pcap") is None


def test_what_cannot_be_repeated_is_told(tmp_path: Path) -> None:
    """A capture without frames would be repeated for ever, another link type be read wrong."""
    empty, cooked = tmp_path / "empty.pcap", tmp_path / "cooked.pcap"
    empty.write_bytes(pcap([]))
    cooked.write_bytes(pcap([Frame(bytes(30))], link_type=113))
    with pytest.raises(UnreadableInputError, match="no frame"):
        make_busy_wire([str(empty)], tmp_path / "wire.pcap", 5)
    with pytest.raises(UsageError, match="not of Ethernet"):
        make_busy_wire([str(cooked)], tmp_path / "wire.pcap", 5)

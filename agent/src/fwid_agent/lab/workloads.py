"""The captures that the bench measures on, made of captures at hand: a busy wire, and a home."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from fwid_agent.capture.files import CaptureFile, find_captures, open_capture
from fwid_agent.errors import UnreadableInputError, UsageError
from fwid_agent.types import FrameBlock, LinkType

HOME_DAYS = 30
LEAST_HOME_DEVICES = 7
_DAY_NS = 86_400 * 1_000_000_000
_HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, LinkType.ETHERNET)
_RECORD = struct.Struct("<IIII")


@dataclass(frozen=True, slots=True)
class Workload:
    """A capture that was written."""

    path: Path
    packets: int
    bytes: int  # captured
    devices: int = 0  # of a home
    days: int = 0


def make_busy_wire(paths: Sequence[str], target: Path, packets: int) -> Workload:
    """Write a classic pcap of `packets` packets by repeating captures one after the other.

    The captures follow each other without a pause, as a busy home's traffic does: what is measured
    is packets, not the days between them.

    Raises:
        UnreadableInputError: there are no frames to repeat.
        UsageError: a capture is not of Ethernet.

    """
    captures = find_captures(paths).captures
    written = size = 0
    now_ns = captures[0].first_ts_ns
    with target.open("wb") as file:
        file.write(_HEADER)
        while True:
            for capture in captures:
                for block in _shifted(capture, now_ns):
                    for record in islice(_records(block), packets - written):
                        file.write(record)
                        written += 1
                        size += len(record) - _RECORD.size
                    now_ns = max(now_ns, int(block.ts_ns.max()))
                if written == packets:
                    return Workload(target, written, size)
            if not written:
                raise UnreadableInputError(", ".join(paths), "no frame in there to repeat")


def make_home(paths: Sequence[str], target: Path) -> Workload | None:
    """Write a classic pcap of a month of a home: every day a capture of each device.

    The captures of one folder are one device's. They are moved in time, one after the other over
    each day; a device with few of them repeats them. None where there are too few devices.
    """
    devices: dict[str, list[CaptureFile]] = {}
    for capture in find_captures(paths).captures:
        devices.setdefault(str(Path(capture.path).parent), []).append(capture)
    if len(devices) < LEAST_HOME_DEVICES:
        return None
    first = min(captures[0].first_ts_ns for captures in devices.values())
    begin_ns = first // _DAY_NS * _DAY_NS
    pause_ns = _DAY_NS // (len(devices) + 1)
    written = size = 0
    with target.open("wb") as file:
        file.write(_HEADER)
        for day in range(HOME_DAYS):
            for number, captures in enumerate(devices.values()):
                start_ns = begin_ns + day * _DAY_NS + number * pause_ns
                for block in _shifted(captures[day % len(captures)], start_ns):
                    for record in _records(block):
                        file.write(record)
                        written += 1
                        size += len(record) - _RECORD.size
    return Workload(target, written, size, len(devices), HOME_DAYS)


def _shifted(capture: CaptureFile, start_ns: int) -> Iterator[FrameBlock]:
    """Yield a capture's blocks as if it had begun then."""
    with open_capture(capture.path) as reader:
        for block in reader:
            if (block.link_type != LinkType.ETHERNET).any():
                raise UsageError(f"{capture.path}: is not of Ethernet; the bench repeats no other")
            yield replace(block, ts_ns=block.ts_ns - capture.first_ts_ns + start_ns)


def _records(block: FrameBlock) -> Iterator[bytes]:
    raw = block.buffer.tobytes()
    for index, ts_ns in enumerate(block.ts_ns.tolist()):
        start, length = int(block.offsets[index]), int(block.captured_bytes[index])
        seconds, rest_ns = divmod(ts_ns, 1_000_000_000)
        header = _RECORD.pack(seconds, rest_ns // 1000, length, int(block.wire_bytes[index]))
        yield header + raw[start : start + length]

"""Labelled flows out of folders of captures: a folder is a home.

`labels.csv` of a folder has a line a capture and device: `device`, `file` and `mac`, and where
known `category`, `agent_version` and `hard` (what kind of day it was). The file lies in a folder of
the device's name or beside the labels; it may hold other devices, and several days.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from fwid_agent.capture.files import open_capture
from fwid_agent.capture.frames import select_frames
from fwid_agent.core.domains import DomainBook
from fwid_agent.core.flow_features import FlowBook, FlowSamples, join_samples, samples_of
from fwid_agent.core.flows import FlowTable
from fwid_agent.core.packets import decode_packets
from fwid_agent.errors import UnreadableInputError
from fwid_agent.lab.extract import spread
from fwid_agent.types import F8, I8, Bools, PacketBatch, parse_mac

DAY_NS = 86_400 * 1_000_000_000
IDLE_DAYS = frozenset({"idle", "holiday"})  # nobody uses anything
_NO_CATEGORY = "unknown"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Where a flow is cut, in seconds; of compressed days they are as much shorter."""

    idle_s: float = 120
    active_s: float = 1800


@dataclass(frozen=True, slots=True)
class Home:
    """The flows of one home, one element a flow of a device, sorted by day."""

    name: str
    values: F8  # [n, 19]
    device: I8  # [n] index of devices
    day: I8  # [n] since the home's first
    idle: Bools  # [n] of a day on which nobody used the device
    version: I8  # [n] index of versions
    devices: tuple[str, ...]
    categories: tuple[str, ...]  # of each device
    versions: tuple[str, ...]  # of devices' software, with the device's name; "" not known

    def __len__(self) -> int:
        """Flows."""
        return len(self.device)

    @property
    def days(self) -> int:
        """Days from the first to the last."""
        return int(self.day.max()) + 1 if len(self.day) else 0

    def select(self, which: Bools | I8) -> "Home":
        """Return some of the flows."""
        return replace(self, **{name: getattr(self, name)[which] for name in _COLUMNS})

    @property
    def category(self) -> I8:
        """[n] index of `kinds`."""
        of_device = np.array([self.kinds.index(each) for each in self.categories], np.int64)
        return of_device[self.device]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The categories that there are."""
        return tuple(sorted(set(self.categories)))


_COLUMNS = ("values", "device", "day", "idle", "version")


@dataclass(frozen=True, slots=True)
class _Line:
    device: str
    path: Path
    mac: int
    category: str
    hard: str
    version: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How captures become flows and days."""

    timeouts: Timeouts = Timeouts()
    per_file: bool = False  # a device's first file is its first day, whatever the calendar says
    cluster: str | None = None  # address of a Dask scheduler; its workers see the same files


@dataclass(frozen=True, slots=True)
class FlowTask:
    """One device's captures."""

    name: str
    paths: tuple[str, ...]
    macs: tuple[int, ...]  # the device's in each
    timeouts: Timeouts


@dataclass(frozen=True, slots=True)
class FlowsRead:
    """What came of a task: the flows of each capture, or why there are none."""

    parts: tuple[FlowSamples, ...]
    fault: tuple[str, str, int | None] | None = None  # path, reason, offset


def read_flow_task(task: FlowTask) -> FlowsRead:
    """Read a device's captures; an error is returned, for it has to travel between processes."""
    parts = []
    try:
        for path, mac in zip(task.paths, task.macs, strict=True):
            parts.append(read_flows(path, mac, task.timeouts))
    except UnreadableInputError as error:
        return FlowsRead((), (error.path, error.reason, error.offset))
    return FlowsRead(tuple(parts))


def load_home(folder: Path, reading: Reading, on_device: Callable[[str], None]) -> Home:
    """Read every labelled capture of a home.

    Raises:
        UnreadableInputError: there are no labels, or a capture is broken.
        UsageError: the cluster is not there.

    """
    lines = sorted(_read_labels(folder), key=lambda line: line.device)
    devices: dict[str, str] = {}
    for line in lines:
        if devices.setdefault(line.device, line.category) != line.category:
            reason = f"{line.device} is of two categories"
            raise UnreadableInputError(str(folder / "labels.csv"), reason)
    tasks = []
    for name in devices:
        own = [line for line in lines if line.device == name]
        paths, macs = tuple(str(line.path) for line in own), tuple(line.mac for line in own)
        missing = [path for path in paths if not Path(path).exists()]
        if missing:
            raise UnreadableInputError(missing[0], "is in labels.csv and not there")
        tasks.append(FlowTask(name, paths, macs, reading.timeouts))
    parts: list[FlowSamples] = []
    for _, read in spread(read_flow_task, tasks, reading.cluster, on_device):
        if read.fault:
            raise UnreadableInputError(*read.fault)
        parts += read.parts
    return _join(folder.name, lines, parts, devices, reading)


def _join(
    name: str,
    lines: Sequence[_Line],
    parts: Sequence[FlowSamples],
    devices: dict[str, str],
    reading: Reading,
) -> Home:
    names = tuple(devices)
    versions = tuple(dict.fromkeys(_version(line) for line in lines))
    joined = join_samples(list(parts))
    counts = [len(samples) for samples in parts]
    if reading.per_file:
        day = np.repeat(_file_numbers(lines, parts), counts)
    else:
        day = joined.start_ns // DAY_NS
        day = day - (int(day.min()) if len(day) else 0)
    order = np.argsort(day, kind="stable")
    return Home(
        name,
        joined.values[order],
        np.repeat([names.index(line.device) for line in lines], counts)[order],
        day[order],
        np.repeat([line.hard in IDLE_DAYS for line in lines], counts)[order],
        np.repeat([versions.index(_version(line)) for line in lines], counts)[order],
        names,
        tuple(devices.values()),
        versions,
    )


def _file_numbers(lines: Sequence[_Line], parts: Sequence[FlowSamples]) -> I8:
    """Return each capture's place among its device's, in the order of time."""
    result = np.zeros(len(lines), np.int64)
    begins = [int(part.start_ns.min()) if len(part) else 0 for part in parts]
    for device in {line.device for line in lines}:
        own = [index for index, line in enumerate(lines) if line.device == device]
        for place, index in enumerate(sorted(own, key=lambda each: begins[each])):
            result[index] = place
    return result


def _version(line: _Line) -> str:
    return f"{line.device} {line.version}" if line.version else ""


def read_flows(path: str, mac: int, timeouts: Timeouts) -> FlowSamples:
    """Read a device's flows out of one capture.

    Only its own frames count: what others send from no address of their own yet, to all, would
    look like one flow. Domains are known where its answers of DNS were kept.
    """
    table = FlowTable(idle_timeout_s=timeouts.idle_s, active_timeout_s=timeouts.active_s)
    book, domains = FlowBook(), DomainBook()
    with open_capture(path) as reader:
        for block in reader:
            whole = decode_packets(block)
            own = (whole.src_mac == mac) | (whole.dst_mac == mac)
            batch = PacketBatch(*(getattr(whole, column.name)[own] for column in fields(whole)))
            marks, number = table.trace(batch)
            named = domains.update(select_frames(block, own), batch)
            book.update(batch, marks.forward, number, named)
    return samples_of(book.take_ended(), np.array([mac], np.uint64))


def _read_labels(folder: Path) -> list[_Line]:
    labels = folder / "labels.csv"
    try:
        with labels.open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UnreadableInputError(str(labels), "no labels of captures here") from error
    lines = {}
    for row in rows:
        missing = {"device", "file", "mac"} - row.keys()
        if missing:
            raise UnreadableInputError(str(labels), f"lacks the column {min(missing)}")
        inside = folder / row["device"] / row["file"]
        path = inside if inside.exists() else folder / row["file"]
        try:
            mac = parse_mac(row["mac"])
        except ValueError as error:
            raise UnreadableInputError(str(labels), str(error)) from error
        category = row.get("category") or _NO_CATEGORY
        known = (category, row.get("hard") or "", row.get("agent_version") or "")
        line = _Line(row["device"], path, mac, *known)
        lines[line.path, line.mac] = line  # a capture of several days has a line a day
    return list(lines.values())

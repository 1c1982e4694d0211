"""Labelled captures from a folder: DEVICE/FILE with a labels.csv beside the devices."""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from fwid_agent.errors import UnreadableInputError
from fwid_agent.lab.cases import Label, LabelledDevice
from fwid_agent.lab.extract import Reading, Task, extract
from fwid_agent.lab.feature_cache import digest_all, digest_file, find_windows, keep_windows, key_of
from fwid_agent.types import UnitTable, parse_mac

LABELS = "labels.csv"
_Rows = dict[str, list[dict[str, str]]]  # device -> its captures, in the order of time
_LABEL_COLUMNS = ("change", "update", "hard", "settings", "address")


def load_corpus(
    folder: Path, on_device: Callable[[str], None], reading: Reading | None = None
) -> list[LabelledDevice]:
    """Read every device of a corpus through the pipeline, or take it from the cache.

    `labels.csv` needs the columns device, file and mac; agent_version is the known version, if any,
    and change, update and hard say what else is known (see lab.cases.Label).

    Raises:
        UnreadableInputError: there are no labels, they make no sense, or a capture is broken.
        UsageError: the cluster is not there.

    """
    reading = reading or Reading()
    devices = _read_labels(folder)
    tasks = [_task(folder, name, captures, reading) for name, captures in devices.items()]
    tables = dict(_take_windows(tasks, reading, on_device))
    return [
        LabelledDevice(
            task.name,
            task.mac,
            tables[task.name],
            {session: _read_label(row) for session, row in enumerate(devices[task.name], 1)},
        )
        for task in tasks
    ]


def corpus_digest(folder: Path) -> str:
    """Return a digest of a corpus: its labels and every capture that they name.

    Raises:
        UnreadableInputError: there are no labels, or a capture is missing.

    """
    rows = _read_labels(folder)
    paths = [folder / name / row["file"] for name, captures in rows.items() for row in captures]
    try:
        return digest_all([digest_file(path) for path in [folder / LABELS, *paths]])
    except OSError as error:
        raise UnreadableInputError(str(error.filename), error.strerror or str(error)) from error


def _take_windows(
    tasks: Sequence[Task], reading: Reading, on_device: Callable[[str], None]
) -> Iterator[tuple[str, UnitTable]]:
    keys: dict[str, str] = {}
    missing = []
    for task in tasks:
        kept = None
        if reading.cached:
            try:
                keys[task.name] = key_of(task)
            except OSError as error:
                reason = error.strerror or str(error)
                raise UnreadableInputError(str(error.filename), reason) from error
            kept = find_windows(keys[task.name])
        if kept is None:
            missing.append(task)
        else:
            on_device(task.name)
            yield task.name, kept
    for task, read in extract(missing, reading.cluster, on_device):
        windows = read.take()
        if reading.cached:
            keep_windows(keys[task.name], windows)
        yield task.name, windows


def _read_labels(folder: Path) -> _Rows:
    """Read and check all lines: what they name is opened, and is somebody else's to write."""
    labels = folder / LABELS
    try:
        with labels.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UnreadableInputError(str(labels), "no labels of captures here") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInputError(str(labels), f"is no table of text: {error}") from error
    if not rows:
        raise UnreadableInputError(str(labels), "names no capture")
    devices: _Rows = {}
    for number, row in enumerate(rows, 1):
        missing = {"device", "file", "mac"} - row.keys()
        if missing:
            raise UnreadableInputError(str(labels), f"lacks the column {min(missing)}")
        wrong = _find_fault(row, devices.get(row["device"], ()))
        if wrong:
            raise UnreadableInputError(str(labels), f"capture {number}: {wrong}")
        devices.setdefault(row["device"], []).append(row)
    return devices


def _find_fault(row: Mapping[str, str | None], before: Sequence[Mapping[str, str]]) -> str:
    """Say what is wrong with a line, given the device's lines before it; "" if nothing is."""
    for column in ("device", "file", "mac"):
        if not row[column]:
            return f"has no {column}"
    device, file, mac = str(row["device"]), str(row["file"]), str(row["mac"])
    for name in (device, file):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            return f"{name!r} is not in this folder"
    try:
        number = parse_mac(mac)
    except ValueError as error:
        return str(error)
    if before and parse_mac(before[0]["mac"]) != number:
        return f"{device} has another MAC address before"
    if any(each["file"] == file for each in before):
        return f"{device}/{file} is named before"
    return ""


def _task(folder: Path, name: str, captures: Sequence[dict[str, str]], reading: Reading) -> Task:
    paths = tuple(folder.resolve() / name / row["file"] for row in captures)
    for path in paths:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise UnreadableInputError(str(path), "is no file")
    mac = parse_mac(captures[0]["mac"])
    return Task(name, mac, tuple(map(str, paths)), reading.window_ns, reading.handshakes)


def _read_label(row: dict[str, str]) -> Label:
    version = row.get("agent_version") or ""
    return Label(version, *(row.get(column) or "" for column in _LABEL_COLUMNS))

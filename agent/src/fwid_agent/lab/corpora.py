"""Labelled captures from a folder: DEVICE/FILE with a labels.csv beside the devices."""

import csv
from collections.abc import Callable, Iterator, Sequence
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
        UnreadableInputError: there are no labels, or a capture is broken.
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
    labels = folder / LABELS
    try:
        with labels.open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UnreadableInputError(str(labels), "no labels of captures here") from error
    devices: _Rows = {}
    for row in rows:
        missing = {"device", "file", "mac"} - row.keys()
        if missing:
            raise UnreadableInputError(str(labels), f"lacks the column {min(missing)}")
        devices.setdefault(row["device"], []).append(row)
    return devices


def _task(folder: Path, name: str, captures: Sequence[dict[str, str]], reading: Reading) -> Task:
    paths = tuple(str(folder.resolve() / name / row["file"]) for row in captures)
    mac = parse_mac(captures[0]["mac"])
    return Task(name, mac, paths, reading.window_ns, reading.handshakes)


def _read_label(row: dict[str, str]) -> Label:
    version = row.get("agent_version", "")
    return Label(version, *(row.get(column, "") for column in _LABEL_COLUMNS))

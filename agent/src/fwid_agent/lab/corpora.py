"""Labelled captures from a folder: DEVICE/FILE with a labels.csv beside the devices."""

import csv
from collections.abc import Callable
from pathlib import Path

from fwid_agent.config import Config
from fwid_agent.errors import UnreadableInputError
from fwid_agent.lab.cases import Label, LabelledDevice
from fwid_agent.pipeline.ingest import ReadOptions, read_windows
from fwid_agent.types import parse_mac

_HOUR_NS = 3600 * 1_000_000_000


def load_corpus(folder: Path, on_device: Callable[[str], None]) -> list[LabelledDevice]:
    """Read every device of a corpus through the pipeline.

    `labels.csv` needs the columns device, file and mac; agent_version is the known version, if any,
    and change, update and hard say what else is known (see lab.cases.Label).

    Raises:
        UnreadableInputError: there are no labels, or a capture is broken.

    """
    labels = folder / "labels.csv"
    try:
        with labels.open(newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UnreadableInputError(str(labels), "no labels of captures here") from error
    devices: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        missing = {"device", "file", "mac"} - row.keys()
        if missing:
            raise UnreadableInputError(str(labels), f"lacks the column {min(missing)}")
        devices.setdefault(row["device"], []).append(row)
    result = []
    for name, captures in devices.items():
        on_device(name)
        result.append(_load_device(folder, name, captures))
    return result


def _load_device(folder: Path, name: str, captures: list[dict[str, str]]) -> LabelledDevice:
    mac = parse_mac(captures[0]["mac"])
    paths = [str(folder / name / row["file"]) for row in captures]
    options = ReadOptions(_HOUR_NS, per_file=True, dedup=False, config=Config())
    tables, faults = read_windows(
        paths, options, on_progress=lambda _: None, on_note=lambda _: None
    )
    if faults:
        raise faults[0]
    if mac not in tables:
        raise UnreadableInputError(str(folder / name), f"no packet of {captures[0]['mac']}")
    labels = {session: _read_label(row) for session, row in enumerate(captures, 1)}
    return LabelledDevice(name, mac, tables[mac], labels)


def _read_label(row: dict[str, str]) -> Label:
    version = row.get("agent_version", "")
    return Label(version, *(row.get(column, "") for column in ("change", "update", "hard")))

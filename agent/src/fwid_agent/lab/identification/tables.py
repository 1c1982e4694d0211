"""The study's tables as files: one CSV a table, and one JSON with everything."""

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from fwid_agent.errors import UsageError
from fwid_agent.lab.identification.study import Study


def to_record(study: Study) -> dict[str, Any]:
    """Return the JSON of a study."""
    return {
        "homes": [
            dict(zip(("name", "devices", "days", "flows"), each, strict=True))
            for each in study.homes
        ],
        "claims": [asdict(claim) for claim in study.claims],
        "tables": dict(study.tables),
    }


def write_tables(study: Study, folder: Path) -> list[Path]:
    """Write a study into a folder; raises UsageError where it cannot be written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in study.tables.items():
            if not table:
                continue
            path = folder / f"{name}.csv"
            columns = list(dict.fromkeys(column for row in table for column in row))
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, columns, lineterminator="\n")
                writer.writeheader()
                writer.writerows(table)
            written.append(path)
        path = folder / "study.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(to_record(study))) + b"\n")
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error.strerror or error})") from error
    return [*written, path]

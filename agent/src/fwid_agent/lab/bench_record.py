"""The bench's results as plain values, for a file that other programs read."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from fwid_agent.lab.bench_run import Bench
from fwid_agent.lab.bench_tables import Tables
from fwid_agent.lab.counting import Count, Rate
from fwid_agent.lab.drift import Drifted
from fwid_agent.lab.evaluate import Scored, summarise
from fwid_agent.lab.methods import DEFAULT

RESULTS = "results.json"


def make_record(bench: Bench, tables: Tables | None) -> dict[str, Any]:
    """Return everything: what it rests on, what was counted, and what it was counted from."""
    dates = [scored for fold in bench.folds for scored in fold.dates]
    record = {
        "header": bench.header,
        "folds": [
            {
                "name": fold.name,
                "trained_on": fold.trained_on,
                "thresholds": fold.thresholds,
                "held_out": sorted(
                    {each.outcome.device for each in fold.watched}
                    | {scored.device for scored in fold.dates}
                ),
            }
            for fold in bench.folds
        ],
        "days": tables,
        "drift": drift_counts(bench),
        "dates": summarise(dates, bench.header.seed),
        "dates_trained_elsewhere": {
            fold.name: summarise(fold.dates, bench.header.seed)
            for fold in bench.transfers
            if fold.dates
        },
        "cases": [case for fold in bench.folds for case in fold.cases],
        "date_cases": [_date_case(scored) for scored in dates],
        "changes": [sight for fold in bench.folds for sight in fold.sights],
        "watched": [
            each.outcome for fold in bench.folds for each in fold.watched if each.row == DEFAULT
        ],
    }
    return {name: plain(value) for name, value in record.items()}


def write_record(record: Mapping[str, Any], folder: Path) -> Path:
    """Write the results into a folder, which is made; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / RESULTS
    file.write_text(json.dumps(record, indent=1) + "\n")
    return file


def drift_counts(bench: Bench) -> list[dict[str, Any]]:
    """Count by what drifts and how fast: devices that alarmed, or behaved differently."""
    drifted = [each for fold in bench.folds for each in fold.drifted]
    kinds = sorted({(each.what, each.speed) for each in drifted})
    return [_drift_line(what, speed, _of(drifted, what, speed)) for what, speed in kinds]


def _of(drifted: Sequence[Drifted], what: str, speed: float) -> list[Drifted]:
    return [each for each in drifted if (each.what, each.speed) == (what, speed)]


def _drift_line(what: str, speed: float, drifted: Sequence[Drifted]) -> dict[str, Any]:
    after = sorted(each.alarmed_after for each in drifted if each.alarmed_after is not None)
    return {
        "what": what,
        "speed": speed,
        "alarmed": Count(len(after), len(drifted)),
        "different": Count(sum(each.different_after is not None for each in drifted), len(drifted)),
        "days_median": after[len(after) // 2] if after else None,
    }


def _date_case(scored: Scored) -> dict[str, Any]:
    return {field.name: getattr(scored, field.name) for field in fields(Scored)} | {
        "said_changed": scored.changed
    }


def plain(value: Any) -> Any:  # noqa: ANN401 - that is what it is for
    """Turn dataclasses, counts and numbers into what JSON holds; intervals go with counts."""
    if is_dataclass(value):
        inside = {field.name: getattr(value, field.name) for field in fields(value)}
        if isinstance(value, Count | Rate):
            inside["low"], inside["high"] = value.interval()
        value = inside
    if isinstance(value, Enum):
        value = value.value
    elif isinstance(value, Mapping):
        value = {str(key): plain(each) for key, each in value.items()}
    elif isinstance(value, list | tuple):
        value = [plain(each) for each in value]
    elif isinstance(value, float) and not math.isfinite(value):
        value = None
    return value

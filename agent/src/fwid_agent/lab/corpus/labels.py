"""labels.csv: one line a capture, with the columns that the bench reads and what else is known."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from fwid_agent.lab.corpus.model import Change, CorpusError, DayPlan

FILE = "labels.csv"


@dataclass(frozen=True, slots=True)
class Label:
    """What is known of a device's day."""

    device: str
    file: str
    mac: str
    start_utc: str
    duration_s: float
    packets: int
    packets_sent_by_device: int
    agent_version: str
    category: str
    moves: str  # what its changes of version move
    day: int
    change: str  # major, minor, patch or rollback, on the first day of a version
    update: str  # quiet or episode
    episode_s: str  # "begin-end" of a visible update, in seconds of the day
    hard: str  # hard negative
    settings: int
    address: int
    uses: int


def change_of(plan: DayPlan, before: str, after: str) -> Change:
    """Say how large a change of version is, by the first number that differs."""
    if not plan.changed:
        return Change.NONE
    if plan.rollback:
        return Change.ROLLBACK
    old, new = _numbers(before), _numbers(after)
    pairs = enumerate(zip(old, new, strict=False))
    differs = next((number for number, (was, is_now) in pairs if was != is_now), 2)
    return (Change.MAJOR, Change.MINOR)[differs] if differs < 2 else Change.PATCH


def _numbers(version: str) -> list[int]:
    """Read a publisher's numbers, without Debian's epoch and revision."""
    upstream = version.rpartition(" ")[2].rpartition(":")[2].partition("-")[0]
    return [int(number) for number in re.findall(r"\d+", upstream)[:3]]


def read_labels(folder: Path) -> dict[tuple[str, int], Mapping[str, str]]:
    """Return what is labelled, by device and day; nothing where there is no file yet.

    Raises CorpusError where it is not what `add_labels` wrote.
    """
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return {(row["device"], int(row["day"])): row for row in csv.DictReader(file)}
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise CorpusError(f"{path} is damaged; remove it, or choose another folder") from error


def add_labels(folder: Path, labels: Sequence[Label]) -> None:
    """Add days to what is labelled; sorted by device and day, whole at every moment."""
    rows = dict(read_labels(folder))
    for label in labels:
        rows[label.device, label.day] = {key: str(value) for key, value in asdict(label).items()}
    part = folder / f"{FILE}.part"
    with part.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Label)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[key] for key in sorted(rows))
    part.rename(folder / FILE)

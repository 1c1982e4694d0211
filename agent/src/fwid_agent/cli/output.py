"""What the commands print: tables and progress for people, JSON for programs."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass

import msgspec
from rich.console import Console, JustifyMethod
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from fwid_agent.pipeline import Progress as Read

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

STATE_STYLE = {
    "stable": "green",
    "learning": "cyan",
    "suspected": "yellow",
    "changed": "bold red",
    "different": "yellow",
    "insufficient": "cyan",
    "quiet": "dim",
}


def print_json(record: object) -> None:
    """Print one object on one line; numbers that are none become null."""
    plain = asdict(record) if is_dataclass(record) and not isinstance(record, type) else record
    sys.stdout.write(msgspec.json.encode(_finite(plain)).decode() + "\n")
    sys.stdout.flush()


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def note(text: str) -> None:
    """Tell something that does not stop the command."""
    err.print(f"[yellow]note:[/] {_plain(text)}")


def _plain(text: str) -> str:
    """Keep square brackets of file names from being read as markup."""
    return text.replace("[", r"\[")


def styled(state: str) -> str:
    """Return a state or verdict in its colour."""
    return f"[{STATE_STYLE.get(state, 'white')}]{state}[/]"


def make_table(*columns: str) -> Table:
    """Start a table with these headings; those that begin with ">" are of numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        justify: JustifyMethod = "right" if column.startswith(">") else "left"
        table.add_column(column.removeprefix(">"), justify=justify, no_wrap=True)
    return table


@contextmanager
def reading() -> Iterator["ReadProgress"]:
    """Show how far captures have been read, where somebody looks on."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bar:
        yield ReadProgress(bar)


class ReadProgress:
    """One bar for the capture that is being read."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._path = ""
        self._task = bar.add_task("", total=None, rate="")

    def __call__(self, read: Read) -> None:
        """Move the bar."""
        if read.path != self._path:
            self._path = read.path
            self._bar.reset(self._task, description=read.path[-40:], total=read.total_bytes)
        elapsed_s = self._bar.tasks[0].elapsed or 0
        rate = f"{read.packets / elapsed_s:,.0f} packets/s" if elapsed_s > 0.2 else ""
        self._bar.update(self._task, completed=read.bytes_read, rate=rate)

"""What the commands print: tables and progress for people, JSON for programs."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING

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
from rich.text import Text

if TYPE_CHECKING:
    from fwid_agent.pipeline import Progress as Read

_WIDE = 300  # columns where nobody looks on: a file or a program takes whole lines

# Names of files and versions are data: nothing that is printed is read as markup.
out = Console(
    highlight=False, markup=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE
)
err = Console(
    stderr=True,
    highlight=False,
    markup=False,
    soft_wrap=True,
    width=None if sys.stderr.isatty() else _WIDE,
)

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
    value = asdict(record) if is_dataclass(record) and not isinstance(record, type) else record
    sys.stdout.write(msgspec.json.encode(_finite(value)).decode() + "\n")
    sys.stdout.flush()


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return value


def plain(text: str) -> str:
    """Return text on one line that cannot steer a terminal: a file may be named anything."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def note(text: str) -> None:
    """Tell something that does not stop the command."""
    err.print(Text.assemble(("note:", "yellow"), " ", plain(text)))


def styled(state: str) -> Text:
    """Return a state or verdict in its colour."""
    return Text(state, STATE_STYLE.get(state, ""))


def say(*parts: str | Text) -> None:
    """Print one line of text and of words in colour."""
    out.print(Text.assemble(*(plain(part) if isinstance(part, str) else part for part in parts)))


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
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
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
        self._path: str | None = None
        self._task = bar.add_task("", total=None, rate="", start=False)

    def __call__(self, read: "Read") -> None:
        """Move the bar."""
        if read.path != self._path:
            self._path = read.path
            name = plain(read.path[-40:])
            self._bar.reset(self._task, description=name, total=read.total_bytes)
        elapsed_s = self._bar.tasks[0].elapsed or 0
        rate = f"{read.packets / elapsed_s:,.0f} packets/s" if elapsed_s > 0.2 else ""
        self._bar.update(self._task, completed=read.bytes_read, rate=rate)

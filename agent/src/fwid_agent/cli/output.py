"""What the commands print: tables and progress for people, JSON for programs."""

import errno
import math
import sys
import time
from collections.abc import Callable, Iterator
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
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from fwid_agent.pipeline import Progress as Read

_WIDE = 300  # columns where nobody looks on: a file or a program takes whole lines


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to `main`, which ends as other programs do; the library would end with 1."""
        raise BrokenPipeError(errno.EPIPE, "whoever read the output has gone")


# Names of files and versions are data: nothing that is printed is read as markup.
out = _Console(
    highlight=False, markup=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE
)
err = _Console(
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
    sys.stdout.flush()
    sys.stdout.buffer.write(msgspec.json.encode(_finite(value)) + b"\n")  # UTF-8 everywhere
    sys.stdout.buffer.flush()


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


def told_reasons(verdict: str, state: str) -> int | None:
    """How many of a unit's reasons people are told (None: all); a suspicion has at least one."""
    if verdict in ("changed", "different"):
        return None
    return 1 if state == "suspected" else 0


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
def reading() -> "Iterator[Callable[[Read], None]]":
    """Show how far captures have been read, where somebody looks on."""
    if not err.is_terminal:
        yield lambda _: None
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as bar:
        yield ReadProgress(bar)


class ReadProgress:
    """One bar for the capture that is being read, and the rates of the whole run."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("looking for captures", total=None, rate="")
        self._path: str | None = None
        self._begun_s = time.monotonic()
        self._done = (0, 0)  # packets and bytes of the captures before this one
        self._here = (0, 0)

    def __call__(self, read: "Read") -> None:
        """Move the bar."""
        if read.path != self._path:
            self._path = read.path
            self._done = (self._done[0] + self._here[0], self._done[1] + self._here[1])
        self._here = (read.packets, read.bytes_read)
        self._bar.update(
            self._task,
            description=plain(read.path[-40:]),
            completed=read.bytes_read,
            total=read.total_bytes,
            rate=self._rate(),
        )

    def _rate(self) -> str:
        elapsed_s = max(time.monotonic() - self._begun_s, 1e-3)
        packets, size = (self._done[i] + self._here[i] for i in range(2))
        return f"{packets / elapsed_s:,.0f} packets/s, {size / elapsed_s / 1e6:,.1f} MB/s"

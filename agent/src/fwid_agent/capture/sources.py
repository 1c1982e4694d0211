"""The kinds of sources: which one a SOURCE of the command line names, and how it is opened.

To add a kind:

1. Write a class with the methods of `Source` in a module of its own. It yields frames, says what is
   wrong and counts what was lost; it does not retry for ever by itself: a source that raises
   CaptureError is closed and opened anew after a while, one that raises CaptureEndedError is over.
2. Add a line to `KINDS`, and import the class where it is opened, not at the top: each source is
   read by a process of its own, which loads no more than it needs.
3. Name it in docs/cli.md, and what it takes from `fwid.toml` in docs/configuration.md.
"""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from fwid_agent.config import Config
from fwid_agent.errors import UsageError
from fwid_agent.types import FrameBlock

_INTERFACE = re.compile(r"[^\s/:]{1,15}")  # as the kernel has it (dev_valid_name)


class Source(Protocol):
    """One source of frames; used as a context manager by the one process that reads it."""

    notes: list[str]  # what is to be said once; whoever reads the source takes them out

    @property
    def trouble(self) -> str:
        """Why nothing (more) comes for now, in words that name the source; "" where all is well."""

    @property
    def lost(self) -> int:
        """Frames that were lost on the way here, so far."""

    @property
    def position(self) -> str:
        """Where another run goes on after the frames given last; "" where it cannot."""

    def read(self, wait_s: float) -> FrameBlock | None:
        """Return the frames that come, waiting for them as long as this at the most.

        Raises:
            CaptureError: it does not go on like this; it is to be opened anew after a while.
            CaptureEndedError: nothing will ever come any more; all before was returned.

        """


@dataclass(frozen=True, slots=True)
class Opening:
    """What a source is opened with."""

    source: str  # as it was asked for
    config: Config
    position: str = ""  # where an earlier run has come to


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of source."""

    name: str
    form: str  # of its SOURCE, for people
    matches: Callable[[str], bool]
    open: Callable[[Opening], AbstractContextManager[Source]]  # raises CaptureError
    raw: bool = False  # needs CAP_NET_RAW; every other kind is read without any right
    resumes: bool = False  # waits to be told the position of an earlier run


def _open_interface(opening: Opening) -> AbstractContextManager[Source]:
    from fwid_agent.capture.interface import Interface  # noqa: PLC0415

    return Interface(opening.source)


KINDS = (
    Kind(
        "interface",
        "an interface such as eth0",
        lambda source: _INTERFACE.fullmatch(source) is not None and source not in ("-", ".", ".."),
        _open_interface,
        raw=True,
    ),
)


def find_kind(source: str) -> Kind:
    """Say of which kind a source is; raises UsageError where it is of none."""
    for kind in KINDS:
        if kind.matches(source):
            return kind
    forms = ", ".join(kind.form for kind in KINDS)
    raise UsageError(f"{source!r} is no source; a source is {forms}")

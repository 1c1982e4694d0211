"""Where the analysis gets its frames from, live or replayed: one interface for both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.service.clock import Clock


@dataclass(slots=True)
class SourceHealth:
    """What is known of one source now."""

    source: str  # as it was asked for
    kind: str
    trouble: str = "the capture has not begun"  # "" where all is well
    frames: int = 0
    lost: int = 0  # frames that nobody had room for, in all runs
    copies: int = 0  # frames that were there already
    merged: int = 0  # frames that hold several packets and do not say how many
    heard_s: float = 0.0  # when the source last said anything, by the monotonic clock


class Feed(Protocol):
    """Feeds a home with frames, session by session; its methods in one thread.

    Raises:
        CaptureError: by `step`, where nothing will ever come any more.

    """

    @property
    def clock(self) -> Clock:
        """The time that units end by."""

    @property
    def sources(self) -> Sequence[SourceHealth]:
        """How each source is."""

    def begin(self, home: Home, ledger: Ledger) -> None:
        """Begin the first session."""

    def step(self, timeout_s: float) -> None:
        """Feed what has come, waiting for it as long as this at the most."""

    def end(self) -> None:
        """Feed what was still on its way, and let go of the sources."""

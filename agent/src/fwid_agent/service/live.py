"""Frames as they come, by the machine's own clock."""

import logging
from collections.abc import Sequence

from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.ingest import SECOND_NS
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.service.clock import SystemClock
from fwid_agent.service.feed import SourceHealth
from fwid_agent.service.link import CaptureLink

_SET_BACK_NS = 60 * SECOND_NS
_log = logging.getLogger("fwid")


class LiveFeed:
    """Feeds a home with what a capture process sends; a clock that is set back begins a session."""

    def __init__(self, link: CaptureLink) -> None:
        self.clock = SystemClock()
        self._link = link
        self._told: str | None = None  # of the trouble; nothing was said yet

    @property
    def sources(self) -> Sequence[SourceHealth]:
        """How each source is."""
        return (self._link.health,)

    def begin(self, home: Home, ledger: Ledger) -> None:
        """Begin the first session."""
        self._home, self._ledger = home, ledger
        session = ledger.open_live(self._link.health.source)
        home.ingest.begin_session(session, self.clock.now_ns())

    def step(self, timeout_s: float) -> None:
        """Feed what has come, waiting for it as long as this at the most."""
        for block in self._link.read(timeout_s):
            self._home.feed(block)
        self._tell_trouble()
        if self.clock.now_ns() < self._home.ingest.latest_ns - _SET_BACK_NS:
            _log.warning("the clock was set back; a new session begins")
            self._home.end_session()
            self.begin(self._home, self._ledger)

    def end(self) -> None:
        """Feed what was still on its way, and let go of the sources."""
        for block in self._link.stop():
            self._home.feed(block)
        self._home.end_session()

    def _tell_trouble(self) -> None:
        """Say what is wrong once, and once that it is over."""
        health = self._link.health
        if not health.heard_s or health.trouble == self._told:
            return
        self._told = health.trouble
        if health.trouble:
            _log.warning("%s", health.trouble)
        else:
            _log.info("capturing source=%s", health.source)

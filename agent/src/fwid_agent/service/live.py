"""Frames as they come, by the machine's own clock."""

import logging
from collections.abc import Iterator, Sequence
from select import select

from fwid_agent.errors import CaptureError
from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.ingest import SECOND_NS
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.service.clock import SystemClock
from fwid_agent.service.feed import SourceHealth
from fwid_agent.service.link import CaptureLink
from fwid_agent.types import FrameBlock

_AT_ONCE = 16  # reads, before the analysis looks at anything else
_SET_NS = 60 * SECOND_NS  # a step that is larger is no slewing
_log = logging.getLogger("fwid")


class LiveFeed:
    """Feeds a home with what capture processes send; a clock that is set begins a session."""

    def __init__(self, links: Sequence[CaptureLink]) -> None:
        self.clock = SystemClock()
        self.sources = tuple(link.health for link in links)
        self._links = links

    def begin(self, home: Home, ledger: Ledger) -> None:
        """Begin the first session, where an earlier run has stopped."""
        self._home, self._ledger = home, ledger
        for link in self._links:
            link.position = ledger.position(link.health.source)
        now_ns = self.clock.now_ns()
        home.set_clock(now_ns, now_ns)
        self._begin_session()

    def step(self, timeout_s: float) -> None:
        """Feed what has come, waiting for it as long as this at the most."""
        for _ in range(_AT_ONCE):
            waiting = [number for link in self._links for number in link.filenos()]
            ready, _, _ = select(waiting, [], [], timeout_s)
            if not ready:
                break
            for link in self._links:
                self._feed(link, link.take(ready))
            timeout_s = 0
        for number, link in enumerate(self._links):
            link.health.copies = self._home.ingest.copies[number]
            self._count_merged(link.health, self._home.ingest.merged[number])
            self._tell(link)
        if all(link.over for link in self._links):
            raise CaptureError("; ".join(source.trouble for source in self.sources))
        self._follow_clock()

    def end(self) -> None:
        """Feed what was still on its way, and let go of the sources."""
        for link in self._links:
            link.begin_stop()
        for link in self._links:
            self._feed(link, link.stop())
        self._home.end_session()

    def _begin_session(self) -> None:
        session = self._ledger.open_live(", ".join(one.source for one in self.sources))
        self._home.ingest.begin_session(session, self.clock.now_ns())

    def _follow_clock(self) -> None:
        """Begin a session where the clock was set: nobody watched what lies between."""
        set_ns = self.clock.was_set_ns()
        if abs(set_ns) > _SET_NS:
            _log.warning("the clock was set by %+d s; a new session begins", set_ns // SECOND_NS)
            now_ns = self.clock.now_ns()
            self._home.end_session()
            self._home.set_clock(now_ns - set_ns, now_ns)
            self._begin_session()

    def _feed(self, link: CaptureLink, blocks: Iterator[FrameBlock]) -> None:
        for block in blocks:
            self._follow_clock()  # before frames of another time are taken for later ones
            self._home.feed(block)
        # Stored together with the frames before it, so that none is counted twice.
        self._ledger.add_position(link.health.source, link.position)

    def _count_merged(self, health: SourceHealth, merged: int) -> None:
        if merged and not health.merged:
            advice = f"`ethtool -K {health.source} gro off lro off tso off gso off`"
            _log.warning(
                "%s: frames hold several packets, so sizes are not those on the wire; %s",
                health.source,
                f"{advice} helps"
                if health.kind == "interface"
                else "switch that off at the source",
            )
        health.merged = merged

    def _tell(self, link: CaptureLink) -> None:
        """Say what is wrong once, and once that it is over."""
        while link.notes:
            _log.warning("%s", link.notes.pop(0))
        while link.turns:
            trouble = link.turns.pop(0)
            if trouble:
                _log.warning("%s", trouble)
            else:
                _log.info("capturing source=%s", link.health.source)

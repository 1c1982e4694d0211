"""Captures instead of live frames: the whole agent on a time that is theirs."""

import logging
import time
from collections.abc import Iterator, Sequence

from fwid_agent.capture.files import CaptureFile
from fwid_agent.errors import UnreadableInputError
from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.ingest import SECOND_NS, latest_believed_ns
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.pace import LONGEST_WAIT_S, cut_in_time
from fwid_agent.pipeline.sessions import read_session
from fwid_agent.service.clock import ReplayClock
from fwid_agent.service.feed import SourceHealth
from fwid_agent.types import FrameBlock

_AFTER_NS = 60 * SECOND_NS  # beyond the end of the last unit, so that it is surely over
_log = logging.getLogger("fwid")


class Playback:
    """Feeds a home with captures, each a session of its own, in the order of their time.

    When they end, time goes on over the end of the last unit, and then as fast as real time.

    Args:
        captures: what is replayed, in the order of reading.
        speed: times real time; None is as fast as it goes.
        unit_ns: length of a unit.

    """

    def __init__(self, captures: Sequence[CaptureFile], speed: float | None, unit_ns: int) -> None:
        self._captures = captures
        self._speed = speed
        self._unit_ns = unit_ns
        self.clock = ReplayClock(speed)
        self.clock.reach(_within(self._captures[0].first_ts_ns))
        name = f"{len(captures)} capture{'s' if len(captures) > 1 else ''}"
        self.sources = (SourceHealth(name, "replay"),)
        self._next: FrameBlock | None = None

    def begin(self, home: Home, ledger: Ledger) -> None:
        """Begin the first session."""
        self._home, self._ledger = home, ledger
        self._pieces = self._read()
        speed = "max" if self._speed is None else f"{self._speed:g}"
        _log.info("replaying captures=%d speed=%s", len(self._captures), speed)
        self.sources[0].trouble = ""
        self._fetch()

    def step(self, timeout_s: float) -> None:
        """Feed the next piece, if its time comes before this has passed."""
        wait_s = timeout_s if self._next is None else self.clock.wait_s(_last_ns(self._next))
        time.sleep(min(wait_s, timeout_s))
        if self._next is None or wait_s > timeout_s:
            return
        self._home.feed(self._next)
        self.sources[0].frames += len(self._next.ts_ns)
        self.clock.reach(self._home.ingest.latest_ns)
        # The last piece of a capture ends its session at once: stored without its end, it would
        # be taken for read to the end by the next run.
        self._fetch()

    def end(self) -> None:
        """Leave a capture where it is: the next run on the same store goes on there."""
        self._home.collect()

    def _fetch(self) -> None:
        """Read the next piece; without one the replay is over."""
        self._next = next(self._pieces, None)
        if self._next is None:
            latest_ns = self.clock.now_ns()
            self.clock.run_on((latest_ns // self._unit_ns + 1) * self._unit_ns + _AFTER_NS)
            _log.info("the replay is finished; the agent goes on serving")
        elif len(self._next.ts_ns):
            first_ns = _within(int(self._next.ts_ns[0]))
            if self.clock.wait_s(first_ns) > LONGEST_WAIT_S:
                self.clock.reach(first_ns)
            self.clock.allow(first_ns)

    def _read(self) -> Iterator[FrameBlock]:
        for capture in self._captures:
            try:
                for block in read_session(
                    self._home, self._ledger, capture, lambda _: None, _log.warning
                ):
                    yield from cut_in_time(block, self._speed)
            except UnreadableInputError as error:
                _log.warning("%s", error)
            self._home.end_session()
            self._home.commit()


def _last_ns(block: FrameBlock) -> int:
    return _within(int(block.ts_ns.max(initial=0)))


def _within(time_ns: int) -> int:
    """Damaged time stamps can be anything."""
    return min(max(time_ns, 0), latest_believed_ns())

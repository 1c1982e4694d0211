"""The agent's time: the machine's own, or that of the captures that it replays."""

import time
from typing import Protocol

_SECOND_NS = 1_000_000_000


class Clock(Protocol):
    """What time it is for the agent; read by any thread."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""

    def steady_ns(self) -> int:
        """What a clock shows that nobody sets."""


class SystemClock:
    """The machine's own time; a Raspberry Pi's is wrong until the network has told it."""

    def __init__(self) -> None:
        self._offset_ns = _offset_ns()

    def was_set_ns(self) -> int:
        """By how much the clock was set, on or back, since this was asked the last time."""
        before_ns, self._offset_ns = self._offset_ns, _offset_ns()
        return self._offset_ns - before_ns

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns()

    def steady_ns(self) -> int:
        """What a clock shows that nobody sets, and that no sleep stops."""
        return _steady_ns()


class ReplayClock:
    """Time as it passes in captures: it only goes forward, and never past frames still to come.

    Args:
        speed: times real time; None where it only goes from frame to frame.

    """

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._anchor = (time.monotonic_ns(), 0)  # when it was, and what time it was then
        self._limit_ns: int | None = 0  # up to which no frame is missing; None: none is to come

    def now_ns(self) -> int:
        """Nanoseconds since the epoch."""
        now_ns, limit_ns = self._running_ns(), self._limit_ns
        return now_ns if limit_ns is None else min(now_ns, limit_ns)

    def steady_ns(self) -> int:
        """The same: captures bear the times that they bear."""
        return self.now_ns()

    def reach(self, time_ns: int) -> None:
        """Jump on to this time, unless it has passed; no frame before it is missing."""
        if time_ns > self._running_ns():
            self._anchor = (time.monotonic_ns(), time_ns)
        self.allow(time_ns)

    def allow(self, time_ns: int) -> None:
        """Let it run on to this time: no frame before it is missing."""
        if self._limit_ns is not None:
            self._limit_ns = max(time_ns, self._limit_ns)

    def wait_s(self, time_ns: int) -> float:
        """Seconds of real time until then."""
        if self._speed is None:
            return 0.0
        return max(time_ns - self._running_ns(), 0) / _SECOND_NS / self._speed

    def run_on(self, time_ns: int) -> None:
        """Go on from this time, unless it has passed, as fast as real time: nothing is to come."""
        now_ns = max(time_ns, self.now_ns())
        self._anchor, self._speed = (time.monotonic_ns(), now_ns), 1.0
        self._limit_ns = None

    def _running_ns(self) -> int:
        since_ns, at_ns = self._anchor
        return at_ns + int((time.monotonic_ns() - since_ns) * (self._speed or 0.0))


def _offset_ns() -> int:
    """How far the time is ahead of a clock that nobody sets, and that no sleep stops."""
    return time.time_ns() - _steady_ns()


def _steady_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

"""The time by which what is old is forgotten: a clock that is wrong for a while must cost nothing.

A machine without a battery believes in any year until the network tells it. So the time that
counts goes ahead at most ten times as fast as a clock that nobody sets: an hour of a wrong year
makes what is stored ten hours older, and after a month out of use the true time is reached in days.
"""

_FASTEST = 10
_EARLIEST_NS = 1_704_067_200_000_000_000  # 2024: nothing was watched before, so no clock is right


class BelievedTime:
    """Follows a clock that may be wrong.

    Args:
        begin_ns: the time that was believed last; None where nothing is stored that could be lost:
            then the clock is believed.
        steady_ns: what a clock shows now that nobody sets.

    """

    def __init__(self, begin_ns: int | None, steady_ns: int) -> None:
        self._time_ns = begin_ns
        self._steady_ns = steady_ns

    def follow(self, now_ns: int, steady_ns: int) -> int:
        """Return the time that is believed where the clock shows `now_ns`."""
        elapsed_ns, self._steady_ns = steady_ns - self._steady_ns, steady_ns
        if now_ns < _EARLIEST_NS:
            return now_ns
        if self._time_ns is not None:
            now_ns = min(now_ns, self._time_ns + _FASTEST * elapsed_ns)
        self._time_ns = now_ns
        return now_ns

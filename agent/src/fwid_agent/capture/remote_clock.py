"""Times of frames that another machine captured, whose clock may be wrong.

Frames keep the times that they bear as long as these agree with ours to a minute: then the other
clock is set, and its times are better than those at which frames arrive. Else all its times are
moved by what it is off, so that the gaps between frames stay as they were.
"""

from dataclasses import replace

import numpy as np

from fwid_agent.types import FrameBlock

TOLERATED_NS = 60_000_000_000
ANY_AGE_NS = 2**62
_SECOND_NS = 1_000_000_000
_LATEST_NS = 2**62  # damaged times can be any 64 bits; a difference has to fit into as many


class RemoteClock:
    """Brings the times of one source to this machine's clock.

    Args:
        name: what the source is called.
        late_ns: how late frames may come; a file's were captured long ago.

    """

    def __init__(self, name: str, late_ns: int = TOLERATED_NS) -> None:
        self.offset_ns = 0  # how far the other clock is behind ours; 0 where it agrees
        self._name = name
        self._late_ns = late_ns

    def correct(self, block: FrameBlock, now_ns: int, notes: list[str]) -> FrameBlock:
        """Return the block with times of our clock; says so when these begin to differ.

        Args:
            block: frames that have just come.
            now_ns: the time now.
            notes: takes what is to be said.

        """
        if not len(block.ts_ns):
            return block
        ts_ns = block.ts_ns.clip(0, _LATEST_NS)
        behind_ns = now_ns - int(ts_ns[-1])
        if not -TOLERATED_NS <= behind_ns - self.offset_ns <= self._late_ns:
            self.offset_ns = 0 if -TOLERATED_NS <= behind_ns <= self._late_ns else behind_ns
            notes.append(self._describe())
        return replace(block, ts_ns=ts_ns + np.int64(self.offset_ns))

    def _describe(self) -> str:
        if not self.offset_ns:
            return f"{self._name}: its clock agrees with ours again"
        side = "behind" if self.offset_ns > 0 else "ahead of"
        seconds = abs(self.offset_ns) / _SECOND_NS
        return f"{self._name}: its clock is {seconds:,.0f} s {side} ours; that is corrected"

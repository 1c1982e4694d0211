"""Times of frames that another machine captured, whose clock may be wrong.

Frames keep the times that they bear as long as these agree with ours to a minute: then the other
clock is set, and its times are better than those at which frames arrive. Else all its times are
moved by what it is off, so that the gaps between frames stay as they were.
"""

from dataclasses import replace

import numpy as np

from fwid_agent.types import FrameBlock

TOLERATED_NS = 60_000_000_000
_LATEST_NS = 2**62  # damaged times can be any 64 bits; a difference has to fit into as many


class RemoteClock:
    """Brings the times of one remote source to this machine's clock."""

    def __init__(self) -> None:
        self.offset_ns = 0  # how far the other clock is behind ours; 0 where it agrees

    def correct(self, block: FrameBlock, now_ns: int) -> FrameBlock:
        """Return the block with times of our clock; `now_ns` is when its last frame came."""
        if not len(block.ts_ns):
            return block
        ts_ns = block.ts_ns.clip(0, _LATEST_NS)
        behind_ns = now_ns - int(ts_ns[-1])
        if abs(behind_ns - self.offset_ns) > TOLERATED_NS:
            self.offset_ns = behind_ns if abs(behind_ns) > TOLERATED_NS else 0
        return replace(block, ts_ns=ts_ns + np.int64(self.offset_ns))

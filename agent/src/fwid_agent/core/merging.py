"""Frames that several sources show, such as an interface and a router: each counts once.

Sources deliver at their own pace and by their own clocks, so what one has shown is remembered for
longer than a mirror port's copy takes. Frames are counted off against each other: where a device
sends the same three times, and two sources show it three times each, it counts three times.
"""

import numpy as np

from fwid_agent.core.copies import hash_frames
from fwid_agent.types import I8, U8, Bools, FrameBlock, PacketBatch

# As far as the clock of a remote source may be off, and a little of delay.
SHOWN_WITHIN_NS = 65_000_000_000
MAX_REMEMBERED = 1 << 16
_MOST_SOURCES = 64


class SourceMerge:
    """Finds frames that another source has shown, from block to block."""

    def __init__(self, within_ns: int = SHOWN_WITHIN_NS) -> None:
        self._within_ns = within_ns
        # Of each frame that was kept, sorted by its hash, equal ones in the order they came:
        self._hash: U8 = np.zeros(0, np.uint64)
        self._ts_ns: I8 = np.zeros(0, np.int64)
        self._number: I8 = np.zeros(0, np.int64)  # in the order they came
        self._shown: U8 = np.zeros(0, np.uint64)  # one bit a source that has shown it
        self._count = 0

    def keep(self, block: FrameBlock, batch: PacketBatch) -> Bools:
        """Return which frames no other source has shown: [n] bool."""
        hashes = hash_frames(block, batch)
        new = np.ones(len(hashes), bool)
        for source in np.unique(block.source):
            bit = np.uint64(1) << np.uint64(int(source) % _MOST_SOURCES)
            chosen = np.flatnonzero(block.source == source)
            known = self._count_off(hashes[chosen], bit)
            new[chosen[known]] = False
            self._remember(hashes[chosen[~known]], block.ts_ns[chosen[~known]], bit)
        self._forget(block.ts_ns)
        return new

    def _count_off(self, hashes: U8, bit: np.uint64) -> Bools:
        """Say which frames others have shown, each of theirs being good for one of ours."""
        others = np.flatnonzero(self._shown & bit == 0)
        offered = self._hash[others]
        order = np.argsort(hashes, kind="stable")
        ours = hashes[order]
        # The third equal frame of ours is the third of theirs.
        nth = np.arange(len(ours)) - np.searchsorted(ours, ours)
        place = np.searchsorted(offered, ours) + nth
        inside = place < len(offered)
        matched = np.zeros(len(ours), bool)
        matched[inside] = offered[place[inside]] == ours[inside]
        self._shown[others[place[matched]]] |= bit
        known = np.zeros(len(ours), bool)
        known[order] = matched
        return known

    def _remember(self, hashes: U8, ts_ns: I8, bit: np.uint64) -> None:
        order = np.argsort(hashes, kind="stable")
        places = np.searchsorted(self._hash, hashes[order], side="right")
        self._hash = np.insert(self._hash, places, hashes[order])
        self._ts_ns = np.insert(self._ts_ns, places, ts_ns[order])
        self._number = np.insert(self._number, places, self._count + order)
        self._shown = np.insert(self._shown, places, bit)
        self._count += len(order)

    def _forget(self, ts_ns: I8) -> None:
        """Keep what later frames may show again, as seen from the last frame."""
        recent = np.abs(self._ts_ns - ts_ns[-1:]) <= self._within_ns
        recent &= self._number >= self._count - MAX_REMEMBERED
        if not recent.all():
            for name in ("_hash", "_ts_ns", "_number", "_shown"):
                setattr(self, name, getattr(self, name)[recent])

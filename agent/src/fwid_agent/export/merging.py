"""Frames of captures that overlap in time, as one capture: in the order of their clocks.

A capture's own order is kept, also where its clock was set back.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from fwid_agent.capture.files import CaptureFile, CaptureReader, open_capture
from fwid_agent.errors import UsageError
from fwid_agent.export.frames import GivenFrames
from fwid_agent.types import I8, FrameBlock

_MOST_AT_ONCE = 200  # open files; no home is captured by as many at a time
_FAR_NS = 2**62


def merge_captures(
    captures: Sequence[CaptureFile], give: Callable[[FrameBlock], GivenFrames]
) -> Iterator[GivenFrames]:
    """Yield what is given of each block, of all captures in the order of time.

    Raises:
        UnreadableInputError: a capture cannot be read (further).
        UsageError: more captures overlap than can be open at once.

    """
    waiting = list(captures)[::-1]
    reading: list[_Reading] = []
    held = _Held()
    try:
        while waiting or reading:
            now_ns = min((each.clock_ns for each in reading), default=_FAR_NS)
            if waiting and (not reading or waiting[-1].first_ts_ns <= now_ns):
                if len(reading) == _MOST_AT_ONCE:
                    raise UsageError(f"more than {_MOST_AT_ONCE} captures are of the same time")
                reading.append(_Reading(open_capture(waiting.pop().path)))
                continue
            behind = min(reading, key=lambda each: each.clock_ns)
            block = behind.next_block()
            if block is None:
                reading.remove(behind)
                behind.close()
            else:
                frames = give(block)
                held.add(frames, behind.clock_of(frames))
            until_ns = min((each.clock_ns for each in reading), default=_FAR_NS)
            if waiting:
                until_ns = min(until_ns, waiting[-1].first_ts_ns)
            yield from held.take(until_ns)
    finally:
        for each in reading:
            each.close()
    yield from held.take(_FAR_NS)


class _Reading:
    def __init__(self, reader: CaptureReader) -> None:
        self._reader = reader
        self._blocks = iter(reader)
        self.clock_ns = -_FAR_NS
        self._given_ns = -_FAR_NS

    def next_block(self) -> FrameBlock | None:
        block = next(self._blocks, None)
        if block is not None:
            self.clock_ns = max(self.clock_ns, int(block.ts_ns.max()))
        return block

    def clock_of(self, frames: GivenFrames) -> I8:
        """Return the latest time up to each frame [n]."""
        clock: I8 = np.maximum.accumulate(np.append(self._given_ns, frames.ts_ns))[1:]
        if len(clock):
            self._given_ns = int(clock[-1])
        return clock

    def close(self) -> None:
        self._reader.close()


@dataclass
class _Held:
    """Frames that others may have to be put before."""

    frames: list[GivenFrames] = field(default_factory=list)
    clocks: list[I8] = field(default_factory=list)

    def add(self, frames: GivenFrames, clock: I8) -> None:
        if len(clock):
            self.frames.append(frames)
            self.clocks.append(clock)

    def take(self, until_ns: int) -> Iterator[GivenFrames]:
        if not self.frames or min(int(clock[0]) for clock in self.clocks) >= until_ns:
            return
        frames, clock = _join(self.frames), np.concatenate(self.clocks)
        order = np.argsort(clock, kind="stable")
        ready = order[clock[order] < until_ns]
        rest = order[len(ready) :]
        self.frames, self.clocks = [], []
        self.add(_pick(frames, rest), clock[rest])
        yield _pick(frames, ready)


def _join(parts: Sequence[GivenFrames]) -> GivenFrames:
    columns = ("buffer", "length", "wire_bytes", "ts_ns")
    return GivenFrames(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in columns)
    )


def _pick(frames: GivenFrames, order: I8) -> GivenFrames:
    length = frames.length.astype(np.int64)
    starts = (np.cumsum(length) - length)[order]
    length = length[order]
    behind = np.cumsum(length) - length
    at = np.repeat(starts - behind, length) + np.arange(int(length.sum()))
    return GivenFrames(
        frames.buffer[at], frames.length[order], frames.wire_bytes[order], frames.ts_ns[order]
    )

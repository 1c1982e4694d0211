"""Captures in time: cut into what is due together, and held back to a multiple of real time."""

import time
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from fwid_agent.capture.frames import select_frames
from fwid_agent.pipeline.ingest import SECOND_NS, latest_believed_ns
from fwid_agent.types import FrameBlock

LONGEST_WAIT_S = 1.0  # of real time, for the next frame; what is longer is skipped
_PIECE_S = 0.25  # of real time: frames come in pieces as a live capture hands them over


def cut_in_time(block: FrameBlock, speed: float | None) -> Iterator[FrameBlock]:
    """Cut a block into what is due together; None is as fast as it goes: all of it."""
    borders = np.zeros(0, np.int64)
    if speed is not None:
        times = np.maximum.accumulate(block.ts_ns.clip(0, latest_believed_ns()))
        step_ns = max(int(_PIECE_S * speed * SECOND_NS), 1)
        borders = np.flatnonzero(np.diff(times // step_ns)) + 1
    for begin, end in pairwise([0, *borders.tolist(), len(block.ts_ns)]):
        yield select_frames(block, slice(begin, end))


class Pace:
    """Holds a replay back to a multiple of real time; None is as fast as it goes."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._begin: tuple[float, int] | None = None

    def wait(self, block: FrameBlock) -> None:
        """Wait until the block's first frame is due, unless that is long."""
        if self._speed is None or not len(block.ts_ns):
            return
        first_ns = int(block.ts_ns[0])
        now_s = time.monotonic()
        begin_s, begin_ns = self._begin or (now_s, first_ns)
        wait_s = begin_s + (first_ns - begin_ns) / SECOND_NS / self._speed - now_s
        if self._begin is None or wait_s > LONGEST_WAIT_S:
            self._begin = (now_s, first_ns)
        else:
            time.sleep(max(wait_s, 0.0))

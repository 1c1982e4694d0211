"""A wall clock that can be set, for the processes that get this folder by PYTHONPATH.

FWID_TEST_CLOCK names a file with the seconds by which it is wrong. Everything that tells the time
to an agent is moved: what it asks for, and the stamps that the kernel gives to frames.
"""

import os
import time
from dataclasses import replace
from pathlib import Path

_FILE = Path(os.environ["FWID_TEST_CLOCK"])
_time_ns = time.time_ns


def _wrong_ns() -> int:
    return int(float(_FILE.read_text()) * 1e9)


time.time_ns = lambda: _time_ns() + _wrong_ns()
time.time = lambda: time.time_ns() / 1e9


def _set_frames() -> None:
    from fwid_agent.capture.ring import PacketRing
    from fwid_agent.types import FrameBlock

    read = PacketRing.read

    def read_wrong(ring: PacketRing) -> FrameBlock | None:
        block = read(ring)
        return block and replace(block, ts_ns=block.ts_ns + _wrong_ns())

    PacketRing.read = read_wrong  # type: ignore[method-assign]


_set_frames()

"""An interface of this machine as a source: its ring, watched for its end."""

import select
import time
from types import TracebackType
from typing import Self

from fwid_agent.capture.ring import PacketRing
from fwid_agent.types import FrameBlock

_CHECK_S = 1.0


class Interface:
    """The frames that pass an interface; use as a context manager.

    Raises:
        CaptureError: there is no such interface, or no right to capture, or it has gone.

    """

    trouble = ""
    position = ""

    def __init__(self, name: str, own_port: int = 0, *, handshakes: bool = False) -> None:
        self.notes: list[str] = []
        self._ring = PacketRing(name, own_port, handshakes=handshakes)
        self._checked_s = time.monotonic()

    @property
    def lost(self) -> int:
        """Frames that found the ring full."""
        return self._ring.dropped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ring.close()

    def finish(self) -> bool:
        """Take in nothing from now on; frames that have come and are not read count as lost."""
        self._ring.finish()
        return True

    def read(self, wait_s: float) -> FrameBlock | None:
        """Return the frames of the next block, waiting for them as long as this at the most."""
        block = self._ring.read()
        if block is None:
            ready, _, _ = select.select([self._ring], [], [], wait_s)
            block = self._ring.read() if ready else None
            if block is None and (ready or time.monotonic() - self._checked_s >= _CHECK_S):
                self._checked_s = time.monotonic()
                self._ring.check()  # readable without a block: the interface has gone
        return block

"""The capture process as the analysis sees it."""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from fwid_agent.errors import CaptureError
from fwid_agent.service.records import MESSAGE_BYTES, Message, unpack
from fwid_agent.types import FrameBlock

_AT_ONCE = 64  # messages, before the analysis looks at anything else
_END_S = 1.0


@dataclass(slots=True)
class CaptureHealth:
    """What is known of the capture now."""

    trouble: str = "the capture has not begun"  # "" where all is well
    lost: int = 0  # frames that the kernel had no room for, in all runs
    heard_s: float = 0.0  # when the capture process last said anything, by the monotonic clock


class CaptureLink:
    """Reads what the capture process of one interface sends.

    Args:
        descriptor: of the socket that it sends to.
        process: its number; it is a child of this one.

    """

    def __init__(self, descriptor: int, process: int) -> None:
        self.health = CaptureHealth()
        self._lost_before = 0
        self._lost = 0
        self._socket = socket.socket(fileno=descriptor)
        self._process = process

    def read(self, timeout_s: float) -> Iterator[FrameBlock]:
        """Yield what has come, waiting for it as long as this at the most.

        Raises:
            CaptureError: the capture process has ended for good.

        """
        for _ in range(_AT_ONCE):
            ready, _, _ = select.select([self._socket], [], [], timeout_s)
            if not ready:
                return
            data = self._socket.recv(MESSAGE_BYTES)
            if not data:
                reason = self.health.trouble or "the capture process was stopped"
                raise CaptureError(f"the capture is over: {reason}")
            yield from self._take(data)
            timeout_s = 0

    def stop(self) -> Iterator[FrameBlock]:
        """End the capture and yield what was still on its way."""
        os.kill(self._process, signal.SIGTERM)
        until = time.monotonic() + _END_S
        while (left_s := until - time.monotonic()) > 0:
            ready, _, _ = select.select([self._socket], [], [], left_s)
            data = self._socket.recv(MESSAGE_BYTES) if ready else b""
            if not data:
                break
            yield from self._take(data)
        self._socket.close()
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        self.health.trouble = "the capture was stopped"

    def _take(self, data: bytes) -> Iterator[FrameBlock]:
        try:
            message = unpack(data)
        except ValueError as error:
            self.health.trouble = str(error)
            return
        self._note(message)
        if message.block is not None:
            yield message.block

    def _note(self, message: Message) -> None:
        self.health.heard_s = time.monotonic()
        if message.lost < self._lost:  # a new process counts from the start
            self._lost_before += self._lost
        self._lost = message.lost
        self.health.lost = self._lost_before + self._lost
        if message.block is None:
            self.health.trouble = message.text

"""The capture process as the analysis sees it."""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator

from fwid_agent.errors import CaptureError
from fwid_agent.service.feed import SourceHealth
from fwid_agent.service.records import (
    HEADER_BYTES,
    TEXT_BYTES,
    Message,
    message_bytes,
    unpack,
)
from fwid_agent.types import FrameBlock

_READ_BYTES = 1 << 20
_AT_ONCE = 16  # reads, before the analysis looks at anything else
_END_S = 1.0


class CaptureLink:
    """Reads what the capture process of one interface sends.

    Args:
        interface: its name.
        descriptor: of the socket that it sends to.
        process: its number; it is a child of this one.

    """

    def __init__(self, interface: str, descriptor: int, process: int) -> None:
        self.health = SourceHealth(interface, "interface")
        self._lost_before = 0
        self._lost = 0
        self._socket = socket.socket(fileno=descriptor)
        self._pipe: int | None = None
        self._pending = bytearray()
        self._process = process

    def read(self, timeout_s: float) -> Iterator[FrameBlock]:
        """Yield what has come, waiting for it as long as this at the most.

        Raises:
            CaptureError: the capture process has ended for good.

        """
        for _ in range(_AT_ONCE):
            ready = self._select(timeout_s)
            if not ready:
                return
            if self._socket in ready and not self._listen():
                reason = self.health.trouble or "the capture process was stopped"
                raise CaptureError(f"the capture is over: {reason}")
            if self._pipe in ready:
                yield from self._take()
            timeout_s = 0

    def stop(self) -> Iterator[FrameBlock]:
        """End the capture and yield what was still on its way."""
        os.kill(self._process, signal.SIGTERM)
        until = time.monotonic() + _END_S
        while self._pipe is not None and (left_s := until - time.monotonic()) > 0:
            if self._pipe in self._select(left_s):
                yield from self._take()
            else:
                self._listen()
        self._close_pipe()
        self._socket.close()
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        self.health.trouble = "the capture was stopped"

    def _select(self, timeout_s: float) -> list[socket.socket | int]:
        sources: list[socket.socket | int] = [self._socket]
        if self._pipe is not None:
            sources.append(self._pipe)
        ready, _, _ = select.select(sources, [], [], timeout_s)
        return ready

    def _listen(self) -> bool:
        """Take a text, and with it perhaps a new pipe; False where the other side is closed."""
        data, pipes, _, _ = socket.recv_fds(self._socket, TEXT_BYTES, 1)
        if not data:
            return False
        if pipes:
            self._close_pipe()
            self._pipe = pipes[0]
        try:
            self._note(unpack(data))
        except ValueError as error:
            self.health.trouble = str(error)
        return True

    def _take(self) -> Iterator[FrameBlock]:
        """Take what is in the pipe."""
        if self._pipe is None:
            return
        data = os.read(self._pipe, _READ_BYTES)
        if not data:  # the process at its other end was killed
            self._close_pipe()
        self._pending += data
        try:
            while len(self._pending) >= HEADER_BYTES:
                length = message_bytes(bytes(self._pending[:HEADER_BYTES]))
                if len(self._pending) < length:
                    return
                message = unpack(bytes(self._pending[:length]))
                del self._pending[:length]
                self._note(message)
                if message.block is not None:
                    self.health.frames += len(message.block.ts_ns)
                    yield message.block
        except ValueError as error:
            self.health.trouble = str(error)
            self._close_pipe()

    def _close_pipe(self) -> None:
        self._pending.clear()
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def _note(self, message: Message) -> None:
        self.health.heard_s = time.monotonic()
        if message.lost < self._lost:  # a new process counts from the start
            self._lost_before += self._lost
        self._lost = message.lost
        self.health.lost = self._lost_before + self._lost
        if message.block is None:
            self.health.trouble = message.text

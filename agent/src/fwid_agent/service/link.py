"""The capture process of one source as the analysis sees it."""

import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from select import select

import numpy as np

from fwid_agent.capture.sources import find_kind
from fwid_agent.service.feed import SourceHealth
from fwid_agent.service.records import (
    HEADER_BYTES,
    TEXT_BYTES,
    Content,
    Message,
    message_bytes,
    pack_text,
    unpack,
)
from fwid_agent.types import FrameBlock

_READ_BYTES = 1 << 20
_END_S = 1.0
_LAST_READS = 2  # more than there is room for in the pipe


class CaptureLink:
    """Reads what the capture process of one source sends.

    Args:
        health: what is known of the source, kept up to date here.
        number: which source it is; its frames bear it.
        descriptor: of the socket that the process sends to.
        process: its number; it is a child of this one.

    """

    def __init__(self, health: SourceHealth, number: int, descriptor: int, process: int) -> None:
        self.health = health
        self.notes: list[str] = []  # what is to be said once
        self.turns: list[str] = []  # how the source's trouble has changed, to be said in turn
        self.position = ""  # where another run goes on after the frames yielded last
        self.over = False  # nothing will ever come any more
        self._number = number
        self._resumes = find_kind(health.source).resumes
        self._held: list[FrameBlock] = []  # frames whose position has not come yet
        self._lost_before = 0  # by processes that were killed
        self._lost = 0
        self._socket = socket.socket(fileno=descriptor)
        self._pipe: int | None = None
        self._pending = bytearray()
        self._process = process

    def filenos(self) -> Sequence[int]:
        """What is readable when something has come."""
        if self.over:
            return ()
        pipe = () if self._pipe is None else (self._pipe,)
        return (self._socket.fileno(), *pipe)

    def take(self, ready: Sequence[int]) -> Iterator[FrameBlock]:
        """Yield what has come by those that are readable."""
        if self._socket.fileno() in ready and not self._listen():
            yield from self._rest()
            self._end("the capture process was stopped")
        elif self._pipe in ready:
            yield from self._read()

    def begin_stop(self) -> None:
        """Tell the capture to end."""
        if not self.over:
            os.kill(self._process, signal.SIGTERM)

    def stop(self) -> Iterator[FrameBlock]:
        """Yield what was still on its way, and let go of the process."""
        if not self.over:
            yield from self._rest()
            self._count_rest()
            self._end("the capture was stopped")

    def _rest(self) -> Iterator[FrameBlock]:
        """Yield what comes until the capture process has ended, or for a moment."""
        until = time.monotonic() + _END_S
        while self._pipe is not None and (left_s := until - time.monotonic()) > 0:
            ready, _, _ = select(self.filenos(), [], [], left_s)
            if self._pipe in ready:
                yield from self._read()
            elif self._socket.fileno() in ready and not self._listen():
                break
        while select([self._socket], [], [], 0)[0] and self._listen():
            pass  # its last words

    def _count_rest(self) -> None:
        """Count as lost what is left, where the time was too short for all of it."""
        for _ in range(_LAST_READS):
            left = sum(len(block.ts_ns) for block in self._read())
            self.health.frames -= left
            self.health.lost += left

    def _end(self, reason: str) -> None:
        self._close_pipe()
        self._socket.close()
        os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        self.over = True
        self._turn(self.health.trouble or f"{self.health.source}: {reason}")

    def _listen(self) -> bool:
        """Take a text, and with it perhaps a new pipe; False where the other side is closed."""
        data, pipes, _, _ = socket.recv_fds(self._socket, TEXT_BYTES, 1)
        if not data:
            return False
        if pipes:  # of a process that has just begun, and counts from the start
            self._close_pipe()
            self._pipe = pipes[0]
            os.set_blocking(self._pipe, False)
            self._lost_before += self._lost
            self._lost = 0
            if self._resumes:
                self._socket.send(pack_text(Content.POSITION, self.position))
        try:
            self._note(unpack(data))
        except ValueError as error:
            self._turn(str(error))
        return True

    def _read(self) -> Iterator[FrameBlock]:
        """Take what is in the pipe."""
        if self._pipe is None:
            return
        try:
            data = os.read(self._pipe, _READ_BYTES)
        except BlockingIOError:
            return
        if not data:  # the process at its other end has ended
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
                    self._held.append(message.block)
                if message.content is Content.POSITION or not self._resumes:
                    yield from self._give()
        except ValueError as error:
            self._turn(str(error))
            self._close_pipe()

    def _give(self) -> Iterator[FrameBlock]:
        """Yield blocks that are whole, numbered."""
        held, self._held = self._held, []
        for block in held:
            count = len(block.ts_ns)
            self.health.frames += count
            yield replace(block, source=np.full(count, self._number, np.uint16))

    def _close_pipe(self) -> None:
        self._pending.clear()
        self._held.clear()  # the next process reads them again
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def _note(self, message: Message) -> None:
        self.health.heard_s = time.monotonic()
        # Texts overtake frames, so what is told later may have been counted earlier.
        self._lost = max(self._lost, message.lost)
        self.health.lost = self._lost_before + self._lost
        if message.content is Content.TROUBLE:
            self._turn(message.text)
        elif message.content is Content.POSITION:
            self.position = message.text
        elif message.content is Content.NOTE and message.text:
            self.notes.append(message.text)

    def _turn(self, trouble: str) -> None:
        """Note another trouble, or its end: it may have come and gone before anybody looks."""
        if trouble != self.health.trouble:
            self.health.trouble = trouble
            self.turns.append(trouble)

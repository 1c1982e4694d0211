"""The capture process of one source: holds no right but the one it needs, passes records on.

python -m fwid_agent.service.capturer --fd NUMBER [--user NAME] [--config FILE] [--port NUMBER]
-- SOURCE: over the socket that it was given it sends texts, and the reading end of a pipe; through
the pipe go the frames (service.records), until the other side is closed. It decodes nothing: what a
crafted packet could break is in another process, which has no rights at all. A second process of
the same rights starts the first again if it is killed; the new one brings a new pipe, so that half
a message is never read as the start of another.
"""

import argparse
import fcntl
import os
import signal
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from fwid_agent.capture.sources import Kind, Opening, Source, find_kind
from fwid_agent.config import Config, load_config
from fwid_agent.errors import CaptureEndedError, CaptureError, FwidError
from fwid_agent.service.privileges import CAP_NET_RAW, find_user, keep_only
from fwid_agent.service.records import (
    MOST_BYTES,
    SNAP_BYTES,
    TEXT_BYTES,
    Content,
    pack_frames,
    pack_text,
    unpack,
)

_POLL_S = 0.25
_RETRY_S = 1.0
_TELL_S = 1.0
_PIPE_BYTES = 1 << 20
# Once stopped:
_LAST_S = 0.2  # whoever goes on sending is heard for so long
_HANDED_S = 0.6  # by then the kernel has handed over the block that it was filling
_NEXT_S = 0.05  # and what waits behind a block is read as long as there is something
_LONGEST_S = 0.8


def main() -> None:
    """Capture until nobody listens any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--user")
    parser.add_argument("--config", type=Path)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    out = socket.socket(fileno=arguments.fd)
    try:
        kind = find_kind(arguments.source)
        config = load_config(arguments.config) if arguments.config else Config()
        keep_only(
            {CAP_NET_RAW} if kind.raw else set(),
            find_user(arguments.user) if arguments.user else None,
        )
    except FwidError as error:
        out.send(pack_text(Content.TROUBLE, str(error)))
        sys.exit(error.exit_code)
    # Whoever started us decides when we end: Ctrl-C is theirs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _supervise(kind, Opening(arguments.source, config, own_port=arguments.port), out)


def _supervise(kind: Kind, opening: Opening, out: socket.socket) -> None:
    """Start the capture, and again whenever it is killed."""
    worker = 0

    def end(number: int, frame: FrameType | None) -> None:
        if worker:
            os.kill(worker, signal.SIGTERM)
        else:
            os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        worker = os.fork()
        if worker == 0:
            _Worker(kind, opening, out).run()
        _, status = os.waitpid(worker, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return  # it is over, or nobody listens any more
        text = f"{opening.source}: the capture process ended ({code}); it is started again"
        try:
            out.send(pack_text(Content.TROUBLE, text))
        except OSError:
            return
        time.sleep(_RETRY_S)


class _Worker:
    """Reads a source and passes on what it gives, opening it anew where it fails."""

    def __init__(self, kind: Kind, opening: Opening, out: socket.socket) -> None:
        self._kind = kind
        self._opening = opening
        self._out = out
        self._lost_before = 0  # of the source as it was opened before
        self._lost = 0
        self._position = ""  # that was told
        self._trouble: str | None = None  # that was told
        self._told_s = 0.0
        self._stopping = False
        signal.signal(signal.SIGTERM, self._stop)

    def run(self) -> NoReturn:
        """Capture until it is stopped."""
        reading, self._pipe = os.pipe()
        # As much as anybody may have: what a busy analysis does not take at once waits here.
        fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        socket.send_fds(self._out, [pack_text(Content.NOTE, "")], [reading])
        os.close(reading)
        if self._kind.resumes:
            self._position = self._hear()
        while not self._stopping:
            try:
                opening = replace(self._opening, position=self._position)
                with self._kind.open(opening) as source:
                    self._pass_on(source)
                self._lost = source.lost  # with what was not passed on
                self._tell(source.trouble)
            except CaptureEndedError as error:
                self._tell(str(error))
                break
            except CaptureError as error:
                self._tell(str(error))
            self._lost_before += self._lost
            self._lost = 0
            self._rest()
        os._exit(0)

    def _hear(self) -> str:
        """Wait to be told where an earlier run has stopped."""
        try:
            return unpack(self._out.recv(TEXT_BYTES)).text
        except (OSError, ValueError):
            os._exit(0)  # the agent has ended before it began

    def _pass_on(self, source: Source) -> None:
        """Pass on what a source gives until it fails, or is stopped: then what has come."""
        most = MOST_BYTES if self._opening.config.handshakes else SNAP_BYTES
        until: float | None = None
        latest = 0.0
        while until is None or time.monotonic() < until:
            block = source.read(_POLL_S if until is None else _NEXT_S)
            self._lost = source.lost
            if block is not None:
                # A reader that is slow blocks us here; then the source's own buffer fills.
                for message in pack_frames(block, self._lost_before + self._lost, most):
                    self._write(message)
            if source.position != self._position:
                self._position = source.position
                self._write(pack_text(Content.POSITION, self._position))
            while source.notes:
                self._send(pack_text(Content.NOTE, source.notes.pop(0)))
            if source.trouble != self._trouble or time.monotonic() - self._told_s > _TELL_S:
                self._tell(source.trouble)
            if self._stopping and until is None:
                finished, now_s = source.finish(), time.monotonic()
                until = now_s + (_HANDED_S if finished else _LAST_S)
                latest = now_s + _LONGEST_S if finished else until
            elif until is not None and block is not None:
                until = max(until, min(time.monotonic() + _NEXT_S, latest))

    def _rest(self) -> None:
        """Wait until the source is to be tried again; a stop does not wait for that."""
        until = time.monotonic() + _RETRY_S
        while not self._stopping and time.monotonic() < until:
            time.sleep(_RETRY_S / 10)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _tell(self, trouble: str) -> None:
        self._trouble, self._told_s = trouble, time.monotonic()
        self._send(pack_text(Content.TROUBLE, trouble, self._lost_before + self._lost))

    def _send(self, message: bytes) -> None:
        try:
            self._out.send(message)
        except OSError:
            os._exit(0)  # nobody listens; there is nothing to flush either

    def _write(self, message: bytes) -> None:
        view = memoryview(message)
        try:
            while view:
                view = view[os.write(self._pipe, view) :]
        except OSError:
            os._exit(0)


if __name__ == "__main__":
    main()

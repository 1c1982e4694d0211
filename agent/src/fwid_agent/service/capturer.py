"""The capture process: opens the ring, holds only CAP_NET_RAW, passes fixed-size records on.

python -m fwid_agent.service.capturer INTERFACE --fd NUMBER [--user NAME]: over the socket that it
was given it sends texts for people, and the reading end of a pipe; through the pipe go the frames
(service.records), until the other side is closed. It decodes nothing: what a crafted packet could
break is in another process, which has no rights at all. A second process of the same rights starts
the first again if it is killed; the new one brings a new pipe, so that half a message is never read
as the start of another.
"""

import argparse
import fcntl
import os
import select
import signal
import socket
import sys
import time
from types import FrameType

from fwid_agent.capture.ring import PacketRing
from fwid_agent.errors import CaptureError, FwidError
from fwid_agent.service.privileges import CAP_NET_RAW, find_user, keep_only
from fwid_agent.service.records import pack_frames, pack_text

_POLL_S = 0.5
_RETRY_S = 1.0
_CHECK_S = 1.0
_PIPE_BYTES = 1 << 20
_LAST_S = 0.2  # by then the kernel has handed over its last block


def main() -> None:
    """Capture until nobody listens any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("interface")
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--user")
    arguments = parser.parse_args()
    out = socket.socket(fileno=arguments.fd)
    try:
        keep_only(CAP_NET_RAW, find_user(arguments.user) if arguments.user else None)
    except FwidError as error:
        out.send(pack_text(str(error), 0))
        sys.exit(error.exit_code)
    # Whoever started us decides when we end: Ctrl-C is theirs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _supervise(arguments.interface, out)


def _supervise(interface: str, out: socket.socket) -> None:
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
            _capture(interface, out)
        _, status = os.waitpid(worker, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return  # nobody listens any more
        try:
            out.send(pack_text(f"the capture process ended ({code}); it is started again", 0))
        except OSError:
            return
        time.sleep(_RETRY_S)


def _capture(interface: str, out: socket.socket) -> None:
    """Follow an interface that goes away and comes back; never returns."""
    lost, told = 0, ""
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: stopping.append(number))
    reading, pipe = os.pipe()
    # As much as anybody may have: what a busy analysis does not take at once waits here.
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    socket.send_fds(out, [pack_text("", 0)], [reading])
    os.close(reading)
    while True:
        try:
            with PacketRing(interface) as ring:
                _send(out, pack_text("", lost))
                told = ""
                reason = _pass_on(ring, out, pipe, lost, stopping)
                lost += ring.dropped
        except CaptureError as error:
            reason = str(error)
        if reason != told:
            _send(out, pack_text(reason, lost))
            told = reason
        if stopping:
            os._exit(0)
        time.sleep(_RETRY_S)


def _pass_on(
    ring: PacketRing, out: socket.socket, pipe: int, lost: int, stopping: list[int]
) -> str:
    """Pass blocks on until the interface goes; returns what is to be said of that."""
    checked = time.monotonic()
    while True:
        ready, _, _ = select.select([ring], [], [], _POLL_S)
        if stopping:
            time.sleep(_LAST_S)
        block = ring.read() if ready else None
        came = block is not None
        while block is not None:
            # A reader that is slow blocks us here; then the ring fills, and the kernel counts.
            for message in pack_frames(block, lost + ring.dropped):
                _write(pipe, message)
            block = ring.read()
        if stopping:
            os._exit(0)
        now = time.monotonic()
        if now - checked >= _CHECK_S or (ready and not came):
            checked = now
            try:
                ring.check()
            except CaptureError as error:
                return str(error)
            _send(out, pack_text("", lost + ring.dropped))


def _send(out: socket.socket, message: bytes) -> None:
    try:
        out.send(message)
    except OSError:
        os._exit(0)  # nobody listens; there is nothing to flush either


def _write(pipe: int, message: bytes) -> None:
    view = memoryview(message)
    try:
        while view:
            view = view[os.write(pipe, view) :]
    except OSError:
        os._exit(0)


if __name__ == "__main__":
    main()

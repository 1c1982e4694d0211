"""The capture process: opens the ring, holds only CAP_NET_RAW, passes fixed-size records on.

python -m fwid_agent.service.capturer INTERFACE [--user NAME]: writes messages (service.records) to
standard output until that is closed. It decodes nothing: what a crafted packet could break is in
another process, which has no rights at all.
"""

import argparse
import os
import select
import signal
import sys
import time

from fwid_agent.capture.ring import PacketRing
from fwid_agent.errors import CaptureError
from fwid_agent.service.privileges import CAP_NET_RAW, become, find_user
from fwid_agent.service.records import pack_frames, pack_text

_POLL_S = 0.5
_RETRY_S = 1.0
_CHECK_S = 1.0


def main() -> None:
    """Capture until nobody listens any more."""
    parser = argparse.ArgumentParser()
    parser.add_argument("interface")
    parser.add_argument("--user")
    arguments = parser.parse_args()
    become(find_user(arguments.user) if arguments.user else None, {CAP_NET_RAW})
    # Whoever started us decides when we end: Ctrl-C is theirs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _capture(arguments.interface)
    except BrokenPipeError:
        os._exit(0)  # nobody listens; there is nothing to flush either


def _capture(interface: str) -> None:
    """Follow an interface that goes away and comes back."""
    lost, told = 0, ""
    while True:
        try:
            with PacketRing(interface) as ring:
                _write(pack_text("", lost))
                told = ""
                lost = _pass_on(ring, lost)
        except _InterfaceGoneError as gone:
            lost, reason = gone.lost, str(gone)
        except CaptureError as error:
            reason = str(error)
        if reason != told:
            _write(pack_text(reason, lost))
            told = reason
        time.sleep(_RETRY_S)


class _InterfaceGoneError(Exception):
    """The interface went away; frames lost until then."""

    def __init__(self, reason: str, lost: int) -> None:
        super().__init__(reason)
        self.lost = lost


def _pass_on(ring: PacketRing, lost: int) -> int:
    """Pass blocks on until the interface goes, which is told by an exception."""
    checked = time.monotonic()
    while True:
        ready, _, _ = select.select([ring], [], [sys.stdout], _POLL_S)
        block = ring.read() if ready else None
        while block is not None:
            # A reader that is slow blocks us here; then the ring fills, and the kernel counts.
            _write(pack_frames(block, lost + ring.dropped))
            block = ring.read()
        now = time.monotonic()
        if now - checked >= _CHECK_S or (ready and block is None):
            checked = now
            try:
                ring.check()
            except CaptureError as error:
                raise _InterfaceGoneError(str(error), lost + ring.dropped) from error
            _write(pack_text("", lost + ring.dropped))


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sys.stdout.fileno(), view) :]


if __name__ == "__main__":
    main()

"""The capture process as the analysis sees it: started, read from, started again if it ends."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from fwid_agent.service.records import HEADER_BYTES, Header, read_header, unpack_frames
from fwid_agent.types import FrameBlock

_READ_BYTES = 1 << 20
_PATIENCE_S = (1.0, 2.0, 5.0, 15.0, 60.0)  # before each start of one that ends soon
_SOON_S = 60.0
_END_S = 1.0


@dataclass(slots=True)
class CaptureHealth:
    """What is known of the capture now."""

    trouble: str = "the capture has not begun"  # "" where all is well
    lost: int = 0  # frames that the kernel had no room for, in all runs
    starts: int = 0
    heard_s: float = 0.0  # when the capture process last said anything, by the monotonic clock


class CaptureLink:
    """Starts the capture process of an interface and reads its messages, for years."""

    def __init__(self, interface: str, user: str | None = None) -> None:
        self.health = CaptureHealth()
        self._command = [sys.executable, "-m", "fwid_agent.service.capturer", interface]
        self._command += ["--user", user] if user else []
        self._process: subprocess.Popen[bytes] | None = None
        self._pending = bytearray()
        self._lost_before = 0
        self._tries = 0
        self._started_s = 0.0
        self._next_start_s = 0.0

    def read(self, timeout_s: float) -> Iterator[FrameBlock]:
        """Yield what has come, waiting for it as long as this at the most."""
        process = self._process or self._start(timeout_s)
        if process is None or process.stdout is None:
            return
        ready, _, _ = select.select([process.stdout], [], [], timeout_s)
        if not ready:
            return
        data = os.read(process.stdout.fileno(), _READ_BYTES)
        if not data:
            self._ended(process)
            return
        self._pending += data
        try:
            yield from self._messages()
        except ValueError as error:
            process.kill()
            self.health.trouble = str(error)

    def stop(self) -> Iterator[FrameBlock]:
        """End the capture and yield what was still on its way."""
        process, self._process = self._process, None
        if process is None or process.stdout is None:
            return
        process.terminate()
        os.set_blocking(process.stdout.fileno(), False)
        until = time.monotonic() + _END_S
        while time.monotonic() < until:
            data = process.stdout.read(_READ_BYTES)
            if data:
                self._pending += data
                yield from self._messages()
            elif data == b"":
                break
            else:
                time.sleep(0.01)
        process.kill()
        process.wait()
        process.stdout.close()
        self.health.trouble = "the capture was stopped"

    def _start(self, timeout_s: float) -> subprocess.Popen[bytes] | None:
        now = time.monotonic()
        if now < self._next_start_s:
            time.sleep(min(self._next_start_s - now, timeout_s))
            return None
        self._pending.clear()
        self._started_s = now
        self.health.starts += 1
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, bufsize=0)
        return self._process

    def _ended(self, process: subprocess.Popen[bytes]) -> None:
        """Start it anew after a while that grows if it ends again soon."""
        code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._process = None
        self._lost_before = self.health.lost
        self._tries = self._tries + 1 if time.monotonic() - self._started_s < _SOON_S else 0
        pause = _PATIENCE_S[min(self._tries, len(_PATIENCE_S) - 1)]
        self._next_start_s = time.monotonic() + pause
        self.health.trouble = f"the capture process ended ({code}); it is started again"

    def _messages(self) -> Iterator[FrameBlock]:
        while len(self._pending) >= HEADER_BYTES:
            header = read_header(bytes(self._pending[:HEADER_BYTES]))
            end = HEADER_BYTES + header.length
            if len(self._pending) < end:
                return
            body = bytes(self._pending[HEADER_BYTES:end])
            del self._pending[:end]
            self._note(header, body)
            if header.frames:
                yield unpack_frames(body)

    def _note(self, header: Header, body: bytes) -> None:
        self.health.heard_s = time.monotonic()
        self.health.lost = self._lost_before + header.lost
        if not header.frames:
            self.health.trouble = body.decode("utf-8", "replace")

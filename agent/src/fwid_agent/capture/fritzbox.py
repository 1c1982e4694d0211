"""The frames of a FRITZ!Box: a capture that is kept going, whatever becomes of its sessions."""

import http.client
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from fwid_agent.capture.fritzbox_client import CaptureStream, FritzBoxClient, LoginRefusedError
from fwid_agent.capture.growing import GrowingCapture
from fwid_agent.capture.pieces import PieceReader
from fwid_agent.capture.remote_clock import RemoteClock
from fwid_agent.errors import CaptureError, UnreadableInputError
from fwid_agent.types import FrameBlock

LAN = "1-lan"  # the bridge of all that is at home, on every box
CREDENTIAL = "fritzbox-password"  # of systemd, where no file is named
_MOST_PASSWORD_BYTES = 1024
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_STEADY_S = 60.0  # a capture that lasted as long was a good one
_RENEW_S = 300.0  # sessions end after twenty minutes without a request


@dataclass(frozen=True, slots=True)
class Login:
    """Whom the box lets in; the password is read anew for each login."""

    user: str
    password: Callable[[], str]


@dataclass(slots=True)
class _Running:
    """A capture on its way."""

    stream: CaptureStream
    reader: PieceReader
    capture: GrowingCapture
    since_s: float
    renew_at_s: float


class FritzBox:
    """The frames of one interface of a box; use as a context manager.

    Args:
        client: speaks with the box.
        login: whom it lets in.
        interface: as on its page of captures.

    """

    def __init__(self, client: FritzBoxClient, login: Login, interface: str = LAN) -> None:
        self.notes: list[str] = []  # what is to be said once
        self.trouble = ""  # why nothing comes, "" where all is well
        self.lost = 0  # the box knows, and does not tell
        self._client = client
        self._clock = RemoteClock(client.host)
        self._login = login
        self._interface = interface
        self._running: _Running | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._retry_at_s = 0.0

    @property
    def position(self) -> str:
        """By what another run knows the box: the fingerprint of its certificate."""
        return self._client.fingerprint

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        self._client.log_out()

    def finish(self) -> bool:
        """Say that whoever sends goes on."""
        return False

    def read(self, wait_s: float) -> FrameBlock | None:
        """Return the frames that come, waiting for them as long as this at the most.

        A box that has to be logged in to takes longer, ten seconds a question at the worst.
        """
        try:
            if self._running is None:
                left_s = self._retry_at_s - time.monotonic()
                if left_s > 0:
                    time.sleep(min(left_s, wait_s))
                    return None
                self._running = self._start()
            block = self._take(self._running, wait_s)
            return block and self._clock.correct(block, time.time_ns(), self.notes)
        except LoginRefusedError as error:
            self._fail(str(error), error.retry_s)
        except (CaptureError, UnreadableInputError) as error:
            self._fail(str(error), self._pause_s)
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return None

    def _start(self) -> _Running:
        self._client.log_in(self._login.user, self._login.password())
        known = self._client.interfaces()
        if known and self._interface not in known:
            names = ", ".join(f"{one} ({name})" for one, name in known.items())
            raise CaptureError(f"has no interface {self._interface}; it has {names}")
        stream = self._client.open_capture(self._interface)
        now_s = time.monotonic()
        self.trouble = ""
        return _Running(
            stream,
            PieceReader(stream.read),
            GrowingCapture("the capture"),
            now_s,
            now_s + _RENEW_S,
        )

    def _take(self, running: _Running, wait_s: float) -> FrameBlock | None:
        now_s = time.monotonic()
        if now_s - running.since_s > _STEADY_S:
            self._pause_s = _FIRST_PAUSE_S
        if now_s > running.renew_at_s:
            running.renew_at_s = now_s + _RENEW_S
            if not self._client.is_logged_in():
                raise CaptureError("has ended the session")
        try:
            piece = running.reader.take(wait_s)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise CaptureError("broke off the capture") from error
        if piece is None:
            return None
        if not piece:
            raise CaptureError("has ended the capture")
        try:
            return running.capture.feed(piece)
        except UnreadableInputError as error:
            if error.offset:
                raise
            reason = "sends a page instead of a capture; may this user change the box's settings?"
            raise CaptureError(reason) from error

    def _fail(self, trouble: str, pause_s: float) -> None:
        self._stop()
        self.trouble = f"{self._client.host}: {trouble}"
        self._retry_at_s = time.monotonic() + pause_s

    def _stop(self) -> None:
        if self._running is not None:
            self._running.stream.close()
            self._running.reader.drop()
            self._running = None


def read_password(file: Path | None) -> str:
    """Read the password from a file, or else from systemd's credential.

    Raises:
        CaptureError: there is none, or everybody may read it.

    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if file is None and folder:
        file = Path(folder) / CREDENTIAL
    if file is None:
        raise CaptureError("asks for a password; name its file as `fritzbox_password_file`")
    try:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_mode & 0o007:
                raise CaptureError(f"{file} may be read by everybody; `chmod o= {file}` first")
            text = opened.read(_MOST_PASSWORD_BYTES).decode()
    except OSError as error:
        raise CaptureError(f"{file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CaptureError(f"{file}: no text") from error
    password = text.rstrip("\r\n")
    if not password:
        raise CaptureError(f"{file}: holds no password")
    return password

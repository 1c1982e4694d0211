"""What is asked of a FRITZ!Box: a session, its interfaces, a capture of one of them.

Its certificate is signed by itself, so it is known by its fingerprint alone. Only addresses of the
home are spoken to: a name such as fritz.box leads elsewhere where another resolver answers.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from html import unescape
from ipaddress import ip_address
from urllib.parse import urlencode

from fwid_agent.capture.fritzbox_login import NO_SESSION, answer, read_session
from fwid_agent.errors import CaptureError

SNAP_BYTES = 128
_INTERFACE = re.compile(r"[0-9A-Za-z._-]{1,40}")
_REFUSED_PAUSE_S = 900  # each wrong answer makes a box close for longer, for people too
_TIMEOUT_S = 10.0
_MOST_BYTES = 1 << 20  # of an answer that is no capture
_PIECE_BYTES = 1 << 16
_KEEP_ALIVE = {socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3}
_MOST_INTERFACES = 64
_LOGIN = "/login_sid.lua?version=2"
_CAPTURE = "/cgi-bin/capture_notimeout"


class LoginRefusedError(CaptureError):
    """The box lets nobody in, or not with this password; it is not to be asked before `retry_s`."""

    def __init__(self, reason: str, retry_s: float) -> None:
        self.retry_s = retry_s
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class BoxAddress:
    """Where a box is, and how it is spoken to."""

    host: str
    port: int
    tls: bool
    fingerprint: str  # SHA-256 of its certificate in hex; "" where it is not known yet


class FritzBoxClient:
    """Speaks with one box.

    Raises:
        CaptureError: by every method, where the box cannot be reached or is not what it was.

    """

    def __init__(self, address: BoxAddress) -> None:
        self.host = address.host
        self.fingerprint = address.fingerprint  # learnt from the first connection
        self._address = address
        self._sid = NO_SESSION

    def log_in(self, user: str, password: str) -> None:
        """Begin a session, unless there is one.

        Args:
            user: "" for the one who was in last, where the box names them.
            password: is not sent, and not kept.

        Raises:
            LoginRefusedError: user or password are wrong, or the box takes no answer for a while.

        """
        if self._sid != NO_SESSION and self.is_logged_in():
            return
        info = read_session(self._ask("GET", _LOGIN))
        if info.sid == NO_SESSION:
            if info.block_s:
                reason = f"takes no login for {info.block_s} s, after wrong ones"
                raise LoginRefusedError(reason, info.block_s)
            fields = {"username": user or info.user, "response": answer(info.challenge, password)}
            info = read_session(self._ask("POST", _LOGIN, fields))
        if info.sid == NO_SESSION:
            pause_s = max(_REFUSED_PAUSE_S, info.block_s)
            raise LoginRefusedError("user name or password are wrong", pause_s)
        self._sid = info.sid

    def is_logged_in(self) -> bool:
        """Ask whether the session still holds, which also prolongs it."""
        holds = read_session(self._ask("POST", _LOGIN, {"sid": self._sid})).sid == self._sid
        self._sid = self._sid if holds else NO_SESSION
        return holds

    def log_out(self) -> None:
        """End the session, where there is one and the box still answers."""
        if self._sid != NO_SESSION:
            with suppress(CaptureError):
                self._ask("POST", _LOGIN, {"sid": self._sid, "logout": "1"})
            self._sid = NO_SESSION

    def interfaces(self) -> Mapping[str, str]:
        """Return the interfaces that can be captured from, with their names; {} where unknown."""
        form = {"sid": self._sid, "xhr": "1", "page": "cap", "lang": "en"}
        for method, path, fields in (
            ("POST", "/data.lua", form),
            ("GET", f"/capture.lua?sid={self._sid}", None),  # before FRITZ!OS 7
        ):
            with suppress(CaptureError):
                found = read_interfaces(self._ask(method, path, fields))
                if found:
                    return found
        return {}

    def open_capture(self, interface: str) -> "CaptureStream":
        """Begin to capture; its own connection is left out, or it would feed itself."""
        connection = self._connect()
        transport = connection.sock
        ours, box = transport.getsockname()[0], transport.getpeername()[0]
        query = {
            "ifaceorminor": interface,
            "snaplen": SNAP_BYTES,
            "capture": "Start",
            "filter": f"not (host {ours} and host {box} and tcp port {self._address.port})",
            "sid": self._sid,
        }
        try:
            response = _request(connection, "GET", f"{_CAPTURE}?{urlencode(query)}")
        except CaptureError:
            connection.close()
            raise
        return CaptureStream(connection, transport, response)

    def _ask(self, method: str, path: str, fields: Mapping[str, str] | None = None) -> str:
        """Ask for something short, on a connection of its own."""
        connection = self._connect()
        try:
            response = _request(connection, method, path, fields)
            with _told_clearly():
                return response.read(_MOST_BYTES).decode("utf-8", "replace")
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        """Connect, and make sure that it is the same box as ever, before anything is sent."""
        host, port = self._address.host, self._address.port
        connection = http.client.HTTPConnection(host, port)
        connection.auto_open = 0  # never without the check below
        with _told_clearly():
            transport = socket.create_connection(_find_at_home(host, port), _TIMEOUT_S)
            if self._address.tls:
                transport = self._secure(transport)
        connection.sock = transport
        return connection

    def _secure(self, transport: socket.socket) -> ssl.SSLSocket:
        secured = _tls_context().wrap_socket(transport, server_hostname=self._address.host)
        shown = sha256(secured.getpeercert(binary_form=True) or b"").hexdigest()
        self.fingerprint = self.fingerprint or shown
        if shown != self.fingerprint:
            secured.close()
            raise CaptureError(
                f"shows another certificate than at first ({shown}); if it was reset or updated, "
                "name this one as `fritzbox_certificate` in the configuration"
            )
        return secured


class CaptureStream:
    """A capture on its way, which a box sends until it is closed."""

    def __init__(
        self,
        connection: http.client.HTTPConnection,
        transport: socket.socket,
        response: http.client.HTTPResponse,
    ) -> None:
        self._connection = connection
        self._transport = transport  # which the connection forgets where an answer has no length
        self._response = response
        transport.settimeout(None)
        # A box that has lost its power says nothing any more.
        transport.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE.items():
            transport.setsockopt(socket.IPPROTO_TCP, option, value)

    def read(self) -> bytes:
        """Wait for the next piece; gives nothing at the end.

        Raises:
            OSError, HTTPException: the box breaks off.

        """
        piece = b""
        try:
            piece = self._response.read1(_PIECE_BYTES)
        finally:
            if not piece:
                self._connection.close()
                self._transport.close()
        return piece

    def close(self) -> None:
        """End it; the `read` that waits in another thread lets go of the connection."""
        with suppress(OSError):
            self._transport.shutdown(socket.SHUT_RDWR)


def read_interfaces(page: str) -> dict[str, str]:
    """Find the interfaces on the page of captures: what its start buttons stand for, with names."""
    found: dict[str, str] = {}
    name = ""
    for label, attributes in re.findall(r"<th\b[^>]*>([^<]*)</th>|<button\b([^>]*)>", page):
        if not attributes:
            name = unescape(label).strip()
            continue
        named = dict(re.findall(r"""\b(name|value)\s*=\s*["']([^"']*)["']""", attributes))
        interface = unescape(named.get("value", ""))
        if named.get("name") == "start" and _INTERFACE.fullmatch(interface):
            found[interface] = name
    return dict(list(found.items())[:_MOST_INTERFACES])


def _request(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    fields: Mapping[str, str] | None = None,
) -> http.client.HTTPResponse:
    """Send the one request of a connection; the caller closes it."""
    headers = {"Connection": "close"}
    if fields:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    with _told_clearly():
        connection.request(method, path, urlencode(fields) if fields else None, headers)
        response = connection.getresponse()
    if response.status != http.client.OK:
        raise CaptureError(f"answers {response.status} to {path.partition('?')[0]}")
    return response


def _find_at_home(host: str, port: int) -> tuple[str, int]:
    """Return an address of the host that is of the home; a scope stays part of it."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for address in found:
        if ip_address(address).is_private:
            return address, port
    raise CaptureError(f"is {found[0]}, which is no address of the home; use the box's own")


def _tls_context() -> ssl.SSLContext:
    """TLS without names and authorities: the fingerprint alone counts."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def _told_clearly() -> Iterator[None]:
    """Say what is wrong without the request, which holds the session's id."""
    try:
        yield
    except socket.gaierror as error:
        raise CaptureError("there is no such host") from error
    except TimeoutError as error:
        raise CaptureError("does not answer") from error
    except ssl.SSLError as error:
        raise CaptureError("speaks no TLS; where it cannot, set `fritzbox_tls = false`") from error
    except (OSError, http.client.HTTPException) as error:
        reason = error.strerror if isinstance(error, OSError) else "breaks off"
        raise CaptureError(f"cannot be asked: {reason}") from error

"""A FRITZ!Box for tests: its login as AVM's note describes it, its page and stream of captures.

No real box is at hand, so this is written from what is published, not from the client: it checks
answers by itself, closes for a while after wrong ones, and ends sessions. What it streams is in the
form that boxes write, cut to the length that was asked for.
"""

import hashlib
import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from fwid_agent.api.certificate import load_certificate

from tests.made_captures import modified_pcap

PAGE = """
<h3>Local</h3><table class="zebra">
<tr><th>lan</th><td><button type="submit" name="start" id="uiStart_lan" value="1-lan">Start</button>
<button type="submit" name="stop" id="uiStop_lan" value="1;-1;lan">Stop</button></td></tr>
<tr><th>AP (2.4 GHz, ath0) - Interface 1</th><td>
<button type="submit" name="start" id="uiStart_131" value="4-131">Start</button></td></tr></table>
"""


@dataclass
class StandIn:
    """What the box knows, and what it was asked."""

    password: str = "correct horse"
    user: str = "fritz1234"
    old: bool = False  # before FRITZ!OS 7.24: MD5, and the older page
    chunked: bool = True
    frames: bytes = b""  # the capture that it streams, as pcap
    silent: bool = False  # accepts a capture and sends nothing
    page_instead: bool = False  # of a capture
    port: int = 0
    sessions: set[str] = field(default_factory=set)
    challenges: set[str] = field(default_factory=set)
    block_s: int = 0
    first_block_s: int = 8  # after a wrong answer; each further one doubles it
    requests: list[str] = field(default_factory=list)  # method, path and body of each
    logins: int = 0
    refusals: int = 0
    captures: int = 0
    ending: threading.Event = field(default_factory=threading.Event)  # of all streams

    def expected(self, challenge: str) -> str:
        """What only one who knows the password can answer."""
        if self.old:
            text = f"{challenge}-{self.password}".encode("utf-16-le")
            return f"{challenge}-{hashlib.md5(text).hexdigest()}"
        _, rounds1, salt1, rounds2, salt2 = challenge.split("$")
        key = self.password.encode()
        for rounds, salt in ((rounds1, salt1), (rounds2, salt2)):
            key = hashlib.pbkdf2_hmac("sha256", key, bytes.fromhex(salt), int(rounds))
        return f"{salt2}${key.hex()}"

    def new_challenge(self) -> str:
        salts = secrets.token_hex(16), secrets.token_hex(16)
        new = secrets.token_hex(4) if self.old else f"2$600${salts[0]}$60${salts[1]}"
        self.challenges.add(new)
        return new

    def end_sessions(self) -> None:
        """Log everybody out and end what they have running."""
        self.sessions.clear()
        self.ending.set()
        self.ending = threading.Event()

    def session_info(self, sid: str) -> str:
        users = f'<User last="1">{self.user}</User>' if self.user else ""
        return (
            f'<?xml version="1.0" encoding="utf-8"?><SessionInfo><SID>{sid}</SID>'
            f"<Challenge>{self.new_challenge()}</Challenge><BlockTime>{self.block_s}</BlockTime>"
            f"<Rights></Rights><Users>{users}</Users></SessionInfo>"
        )

    def log_in(self, fields: dict[str, str]) -> str:
        """Answer login_sid.lua; the session's id, zeros where there is none."""
        if "logout" in fields:
            self.sessions.discard(fields.get("sid", ""))
            return "0" * 16
        if "sid" in fields:
            return fields["sid"] if fields["sid"] in self.sessions else "0" * 16
        if "response" not in fields:
            return "0" * 16
        separator = "-" if self.old else "$"
        asked = [
            challenge
            for challenge in self.challenges
            if fields["response"].split(separator)[0]
            == (challenge if self.old else challenge.split("$")[4])
        ]
        right = [challenge for challenge in asked if fields["response"] == self.expected(challenge)]
        self.challenges -= set(asked)  # each is good for one answer
        if not right or fields.get("username", "") != self.user or self.block_s:
            self.refusals += 1
            self.block_s = max(2 * self.block_s, self.first_block_s)
            return "0" * 16
        self.logins += 1
        sid = secrets.token_hex(8)
        self.sessions.add(sid)
        return sid


def _handler(box: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, body: str) -> None:
            box.requests.append(f"{self.command} {self.path} {body}")
            url = urlsplit(self.path)
            fields = {k: v[0] for k, v in parse_qs(f"{url.query}&{body}").items()}
            known = fields.get("sid") in box.sessions
            if url.path == "/login_sid.lua":
                self._send(box.session_info(box.log_in(fields)), "text/xml")
            elif url.path == ("/capture.lua" if box.old else "/data.lua") and known:
                self._send(PAGE, "text/html")
            elif url.path == "/cgi-bin/capture_notimeout" and known and not box.page_instead:
                self._stream(int(fields["snaplen"]))
            elif url.path == "/cgi-bin/capture_notimeout":
                self._send("<html>Please log in</html>", "text/html")
            else:
                self.send_error(404)

        def _send(self, text: str, kind: str) -> None:
            data = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _stream(self, snap_bytes: int) -> None:
            ending = box.ending
            box.captures += 1
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            if box.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            data = b"" if box.silent else modified_pcap(box.frames, snap_bytes)
            for at in range(0, len(data), 1000):
                self._piece(data[at : at + 1000])
            ending.wait(30)
            if box.chunked:
                self._piece(b"")
            self.close_connection = True

        def _piece(self, piece: bytes) -> None:
            head, tail = (b"%x\r\n" % len(piece), b"\r\n") if box.chunked else (b"", b"")
            self.wfile.write(head + piece + tail)

    return Handler


def make_certificate(folder: Path) -> Path:
    """A key and a certificate that nobody but itself has signed."""
    path = folder / f"box-{secrets.token_hex(4)}.pem"
    load_certificate(path, ["fritz.box"], datetime.now(UTC))
    return path


@contextmanager
def running(box: StandIn, certificate: Path | None) -> Iterator[StandIn]:
    """Serve the box on its port, one of its choice at first."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_: object) -> None:
            pass  # clients go away in the middle of a stream

    server = Server(("127.0.0.1", box.port), _handler(box))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    box.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield box
    finally:
        box.end_sessions()
        server.shutdown()
        server.server_close()
        thread.join()

"""A FRITZ!Box's capture: logged in to, read, and kept going; nothing secret leaves."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard
from fwid_agent.capture import fritzbox, fritzbox_client
from fwid_agent.capture.fritzbox import FritzBox, Login, read_password
from fwid_agent.capture.fritzbox_client import (
    SNAP_BYTES,
    BoxAddress,
    FritzBoxClient,
    read_interfaces,
)
from fwid_agent.errors import CaptureError
from hypothesis import given
from hypothesis import strategies as st

from tests.fritzbox_stand_in import PAGE, StandIn, make_certificate, running
from tests.made_captures import Frame, frames_of, read_capture

EXCERPT = Path(__file__).parents[2] / "data" / "iot-sentinel" / "Aria" / "Setup-A-1-STA.pcap.zst"
PASSWORD = StandIn().password


@pytest.fixture(scope="module")
def capture() -> bytes:
    """A real device's traffic."""
    return zstandard.ZstdDecompressor().decompressobj().decompress(EXCERPT.read_bytes())


@pytest.fixture(scope="module")
def expected() -> list[Frame]:
    """Its frames as a box shows them: cut to the headers, with their lengths on the wire."""
    return [
        Frame(frame.data[:SNAP_BYTES], frame.ts_ns, frame.wire)
        for frame in read_capture(EXCERPT).frames
    ]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch, expected: list[Frame]) -> None:
    """Pauses are short, and it is the time of the capture."""
    monkeypatch.setattr(time, "time_ns", lambda: expected[-1].ts_ns)
    monkeypatch.setattr(fritzbox, "_FIRST_PAUSE_S", 0.02)


@contextmanager
def source(
    box: StandIn,
    tls: bool = False,
    password: str = PASSWORD,
    user: str = "",
    interface: str = fritzbox.LAN,
    fingerprint: str = "",
) -> Iterator[tuple[FritzBox, FritzBoxClient]]:
    client = FritzBoxClient(BoxAddress("127.0.0.1", box.port, tls, fingerprint))
    with FritzBox(client, Login(user, lambda: password), interface) as opened:
        yield opened, client


def read(box: FritzBox, count: int, within_s: float = 10) -> list[Frame]:
    """Read so many frames, or fail."""
    frames: list[Frame] = []
    until = time.monotonic() + within_s
    while len(frames) < count and time.monotonic() < until:
        block = box.read(0.1)
        frames += frames_of(block) if block else []
    assert len(frames) >= count, box.trouble
    return frames


def read_nothing(box: FritzBox, for_s: float = 0.3) -> str:
    """Read for a while; returns why nothing came."""
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        assert box.read(0.05) is None
    assert box.trouble.startswith(("", "127.0.0.1: ", "fritz.box: "))
    return box.trouble.partition(": ")[2]


@pytest.mark.parametrize("old", [False, True], ids=["PBKDF2", "MD5"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_every_frame_is_read(
    tmp_path: Path, capture: bytes, expected: list[Frame], old: bool, tls: bool
) -> None:
    """By both logins, with and without TLS, with and without chunks; without a user's name."""
    certificate = make_certificate(tmp_path) if tls else None
    stand_in = StandIn(frames=capture, old=old, chunked=not old)
    with running(stand_in, certificate) as box, source(box, tls) as (opened, client):
        assert read(opened, len(expected)) == expected
        assert opened.trouble == ""
        assert box.logins == box.captures == 1
        assert len(client.fingerprint) == (64 if tls else 0)
        assert client.interfaces() == {"1-lan": "lan", "4-131": "AP (2.4 GHz, ath0) - Interface 1"}
    assert box.sessions == set()


def test_the_end_logs_out(capture: bytes) -> None:
    """Boxes have room for few sessions."""
    with running(StandIn(frames=capture), None) as box:
        with source(box) as (opened, _):
            read(opened, 1)
            assert len(box.sessions) == 1
        assert box.sessions == set()


def test_nothing_secret_is_sent_or_told(capture: bytes) -> None:
    """The password is in no request, and neither it nor the session's id in what is told."""
    with running(StandIn(frames=capture), None) as box, source(box) as (opened, _):
        read(opened, 1)
        sid = next(iter(box.sessions))
        box.end_sessions()
        box.page_instead = True
        told = read_nothing(opened)
    assert told
    assert sid not in told
    assert PASSWORD not in told
    assert all(PASSWORD not in asked and "horse" not in asked for asked in box.requests)


def test_its_own_stream_is_left_out(capture: bytes) -> None:
    """The stream crosses the interface that it shows: without a filter it would feed itself."""
    with running(StandIn(frames=capture), None) as box, source(box) as (opened, _):
        read(opened, 1)
    (asked,) = [asked for asked in box.requests if "capture_notimeout" in asked]
    both = "host+127.0.0.1+and+host+127.0.0.1"
    assert f"filter=not+%28{both}+and+tcp+port+{box.port}%29" in asked


def test_a_wrong_password_is_tried_once() -> None:
    """Each wrong answer closes the box for longer, for the people at home too."""
    with running(StandIn(), None) as box, source(box, password="wrong") as (opened, _):
        assert read_nothing(opened, 0.5) == "user name or password are wrong"
        assert box.refusals == 1


def test_a_password_that_was_put_right_is_taken(
    monkeypatch: pytest.MonkeyPatch, capture: bytes
) -> None:
    """It is read anew for each login; nobody has to start the agent again."""
    monkeypatch.setattr(fritzbox_client, "_REFUSED_PAUSE_S", 0.1)
    passwords = iter(["wrong", PASSWORD])
    with running(StandIn(frames=capture, first_block_s=0), None) as box:
        client = FritzBoxClient(BoxAddress("127.0.0.1", box.port, False, ""))
        with FritzBox(client, Login("", lambda: next(passwords))) as opened:
            assert read_nothing(opened, 0.05) == "user name or password are wrong"
            read(opened, 1)


def test_a_box_that_is_closed_is_waited_for(capture: bytes) -> None:
    """Somebody else typed wrong passwords: no answer is sent while the box takes none."""
    with running(StandIn(frames=capture, block_s=1), None) as box, source(box) as (opened, _):
        assert read_nothing(opened) == "takes no login for 1 s, after wrong ones"
        box.block_s = 0
        read(opened, 1)
        assert box.refusals == 0


def test_a_session_that_ends_is_begun_anew(capture: bytes, expected: list[Frame]) -> None:
    """In the middle of a stream: a new login, and frames come again."""
    with running(StandIn(frames=capture), None) as box, source(box) as (opened, _):
        read(opened, len(expected))
        for number in (2, 3):
            box.end_sessions()
            assert read(opened, len(expected)) == expected
            assert box.logins == box.captures == number
        assert opened.trouble == ""


def test_a_session_is_prolonged(monkeypatch: pytest.MonkeyPatch, capture: bytes) -> None:
    """The box is asked now and then; where the session has gone, a new one is begun."""
    monkeypatch.setattr(fritzbox, "_RENEW_S", 0.05)
    with running(StandIn(frames=capture), None) as box, source(box) as (opened, _):
        read(opened, 1)
        time.sleep(0.06)
        opened.read(0)
        sid = next(iter(box.sessions))
        assert f"POST /login_sid.lua?version=2 sid={sid}" in box.requests
        box.sessions.clear()
        time.sleep(0.06)
        read(opened, 1)
        assert box.logins == 2


def test_a_box_that_restarts_is_waited_for(capture: bytes, expected: list[Frame]) -> None:
    """It answers nothing for a while, longer and longer pauses are made, and all goes on."""
    stand_in = StandIn(frames=capture)
    with running(stand_in, None):
        pass  # it has its port now
    with source(stand_in) as (opened, _):
        with running(stand_in, None):
            read(opened, len(expected))
        assert read_nothing(opened) == "cannot be asked: Connection refused"
        with running(stand_in, None):
            assert read(opened, len(expected)) == expected
            assert opened.trouble == ""


def test_another_certificate_is_not_spoken_to(tmp_path: Path, capture: bytes) -> None:
    """Whoever stands in for the box learns nothing, not even that somebody would log in."""
    stand_in = StandIn(frames=capture)
    with (
        running(stand_in, make_certificate(tmp_path)) as box,
        source(box, True) as (opened, client),
    ):
        read(opened, 1)
        pinned = client.fingerprint
    stand_in.requests.clear()
    with (
        running(stand_in, make_certificate(tmp_path)) as box,
        source(box, True, fingerprint=pinned) as (opened, client),
    ):
        assert read_nothing(opened).startswith("shows another certificate than at first (")
        assert box.requests == []
        assert client.fingerprint == pinned


def test_a_box_without_tls_says_what_to_do() -> None:
    """Nothing falls back to plain HTTP by itself."""
    with running(StandIn(), None) as box, source(box, tls=True) as (opened, _):
        assert read_nothing(opened) == "speaks no TLS; where it cannot, set `fritzbox_tls = false`"
        assert all("login" not in asked for asked in box.requests)


def test_an_address_of_the_internet_is_not_spoken_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """fritz.box is a name on the internet too: who asks another resolver would log in there."""
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("45.76.93.104", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: public)
    client = FritzBoxClient(BoxAddress("fritz.box", 80, False, ""))
    with FritzBox(client, Login("", lambda: PASSWORD)) as opened:
        assert read_nothing(opened, 0.1).startswith("is 45.76.93.104, which is no address of")


def test_an_interface_that_is_not_there_is_told_with_those_that_are() -> None:
    """The way to find out what a box calls its interfaces."""
    with running(StandIn(), None) as box, source(box, interface="list") as (opened, _):
        assert read_nothing(opened) == (
            "has no interface list; it has 1-lan (lan), 4-131 (AP (2.4 GHz, ath0) - Interface 1)"
        )


def test_a_page_instead_of_a_capture_is_told() -> None:
    """A user who may not change the box's settings gets a page, not a capture."""
    with running(StandIn(page_instead=True), None) as box, source(box) as (opened, _):
        assert "may this user change the box's settings?" in read_nothing(opened)


def test_a_silent_capture_holds_nobody_up() -> None:
    """Nobody at home, nothing to see: whoever wants to stop does not wait for a frame."""
    with running(StandIn(silent=True), None) as box, source(box) as (opened, _):
        read_nothing(opened)
        began = time.monotonic()
        assert opened.read(0.05) is None
        assert time.monotonic() - began < 5
        assert (opened.trouble, box.captures) == ("", 1)


def test_another_web_server_is_told() -> None:
    """A wrong address leads to something that answers, but is no box."""
    stand_in = StandIn()
    stand_in.session_info = lambda sid: "<html>It works!</html>"  # type: ignore[method-assign]
    with running(stand_in, None) as box, source(box) as (opened, _):
        assert "like no FRITZ!Box" in read_nothing(opened)


# --- the password's file -------------------------------------------------------------------------


def test_the_password_is_read_from_a_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that is named, else the credential; the line's end is no part of it."""
    file, credential = tmp_path / "named", tmp_path / "fritzbox-password"
    file.write_text(" päss word \n")
    credential.write_text("credential")
    for path in (file, credential):
        path.chmod(0o600)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_password(file) == " päss word "
    assert read_password(None) == "credential"


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [
        (b"", 0o600, "holds no password"),
        (b"\n", 0o600, "holds no password"),
        (b"\xff\xfe", 0o600, "no text"),
        (b"secret", 0o604, "may be read by everybody"),
        (None, 0, "No such file"),
    ],
)
def test_a_file_without_a_password_is_told(
    tmp_path: Path, content: bytes | None, mode: int, reason: str
) -> None:
    """One line that names the file, and never what is in it."""
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
        path.chmod(mode)
    with pytest.raises(CaptureError, match=reason) as caught:
        read_password(path)
    assert str(path) in str(caught.value)
    assert "secret" not in str(caught.value)


def test_no_password_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file nor a credential."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(CaptureError, match="name its file as `fritzbox_password_file`"):
        read_password(None)


@given(st.text(max_size=300) | st.integers(0, len(PAGE)).map(lambda cut: PAGE[cut:]))
def test_no_page_breaks_it(page: str) -> None:
    """What is found is what could be asked for, and nothing else."""
    assert all(name.isprintable() and " " not in name for name in read_interfaces(page))

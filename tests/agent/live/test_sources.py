"""The agent on sources other than an interface, and on several at once: every frame counts once."""

import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard

from tests.agent.live.conftest import Lan, agent, packets, run, stop, wait_said
from tests.fritzbox_stand_in import StandIn, make_certificate, running
from tests.made_captures import read_capture

pytestmark = pytest.mark.slow
DEVICE = 0x0A0000000002
EXCERPT = Path(__file__).parents[2] / "data" / "iot-sentinel" / "Aria" / "Setup-A-1-STA.pcap.zst"
CONFIG = "window_s = 1\nunit_s = 3600\ndiscovery = false\n"
# Frames that differ in their bytes, and between them some that do not, as devices send them.
_SENDER = """
import socket, sys, time
interface, (first, count), pause_s = sys.argv[1], map(int, sys.argv[2:4]), float(sys.argv[4])
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind((interface, 0))
head = bytes.fromhex("020000000001" + "0a0000000002" + "88b5")
for number in range(first, first + count):
    out.send(head + (number // 2 if number % 3 else 7).to_bytes(4, "big") + bytes(50))
    time.sleep(pause_s)
"""
# Captures on an interface and sends what it sees by TZSP, as a router's sniffer does.
_SNIFFER = """
import socket, sys
tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
tap.bind((sys.argv[1], 0))
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.bind((sys.argv[2], 0))
print("listening", flush=True)
while True:
    out.sendto(b"\\1\\0\\0\\1\\1" + tap.recv(65535), ("127.0.0.1", int(sys.argv[3])))
"""


def send(lan: Lan, first: int, count: int, pause_s: float = 0.001) -> None:
    """Let the device send so many frames."""
    options = [lan.far, str(first), str(count), str(pause_s)]
    run(*lan.inside(sys.executable, "-c", _SENDER, *options))


# --- standard input ------------------------------------------------------------------------------


@pytest.fixture
def remote_shell(tmp_path: Path) -> Iterator[list[str]]:
    """Return what runs a command elsewhere: ssh to this machine where it has sshd, else a shell."""
    if shutil.which("sshd") is None or shutil.which("ssh") is None:
        yield ["sh", "-c"]
        return
    host, own, port = tmp_path / "host", tmp_path / "own", str(random.randrange(20_000, 30_000))
    for key in (host, own):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    Path("/run/sshd").mkdir(exist_ok=True)
    options = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": str(host),
        "AuthorizedKeysFile": f"{own}.pub",
        "StrictModes": "no",
        "PidFile": "none",
        "UsePAM": "no",
    }
    config = tmp_path / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    sshd = [str(shutil.which("sshd")), "-D", "-e", "-f", str(config)]
    with subprocess.Popen(sshd, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None
        assert "listening" in daemon.stderr.readline()
        ssh = ["ssh", "-p", port, "-i", str(own), "-o", "StrictHostKeyChecking=no"]
        yield [*ssh, "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "127.0.0.1"]
        daemon.terminate()


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="needs tcpdump")
def test_a_capture_over_a_shell(lan: Lan, tmp_path: Path, remote_shell: list[str]) -> None:
    """`ssh router tcpdump -U -w - | fwid run -`: live, and all is stored when it ends."""
    tcpdump = f"exec tcpdump -i {lan.near} -U -s 128 -w - 'ether proto 0x88b5'"
    with subprocess.Popen(
        [*remote_shell, tcpdump], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as router:
        assert router.stdout is not None
        assert router.stderr is not None
        with agent(tmp_path, ["-"], config=CONFIG, stdin=router.stdout.fileno()) as process:
            assert "listening on" in router.stderr.readline()
            wait_said(process, "capturing")
            send(lan, 0, 300)
            until = time.monotonic() + 20
            while packets(tmp_path) < 300 and time.monotonic() < until:
                send(lan, 0, 0)
                time.sleep(0.5)
            assert packets(tmp_path) == 300  # while the stream goes on
            send(lan, 300, 200)
            time.sleep(1)
            router.terminate()
            assert wait_said(process, "the capture has ended")
            assert process.wait(20) == 3
    assert packets(tmp_path) == 500


def test_what_is_no_capture_is_told(tmp_path: Path) -> None:
    """The router's error instead of a capture: one line, and the exit code of unreadable input."""
    reading = subprocess.Popen(["echo", "tcpdump: permission denied"], stdout=subprocess.PIPE)
    assert reading.stdout is not None
    with reading, agent(tmp_path, ["-"], config=CONFIG, stdin=reading.stdout.fileno()) as process:
        assert wait_said(process, "-: byte 0: is no pcap or pcapng capture")
        assert process.wait(20) == 3


# --- rotating files ------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="needs tcpdump")
def test_no_frame_of_a_folder_counts_twice_or_never(lan: Lan, tmp_path: Path) -> None:
    """The agent is killed at any moment, and files are rotated meanwhile: every frame once."""
    captures = tmp_path / "captures"
    captures.mkdir()
    name = f"{captures}/%H%M%S.pcap"
    command = ["tcpdump", "-i", lan.near, "-U", "-Z", "root", "-G", "2", "-w", name]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tcpdump:
        assert tcpdump.stderr is not None
        assert "listening on" in tcpdump.stderr.readline()
        sent = 0
        for seconds in (1.3, 2.1, 0.4, 3.0):
            with agent(tmp_path, [f"{captures}/"], config=CONFIG) as process:
                wait_said(process, "capturing")
                send(lan, sent, 400, seconds / 400)
                sent += 400
                process.kill()
            send(lan, sent, 100)  # nobody reads
            sent += 100
        with agent(tmp_path, [f"{captures}/"], config=CONFIG) as process:
            wait_said(process, "capturing")
            time.sleep(3)
            stop(process)
        tcpdump.terminate()
    assert len(list(captures.iterdir())) > 3
    assert packets(tmp_path) == sent


# --- several at once -----------------------------------------------------------------------------


@contextmanager
def sniffer(lan: Lan, router: str, port: int) -> Iterator[None]:
    """A router that sends what passes the cable by TZSP."""
    command = [sys.executable, "-c", _SNIFFER, lan.near, router, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sending:
        assert sending.stdout is not None
        assert sending.stdout.readline() == "listening\n"
        yield
        sending.kill()


def test_what_two_sources_show_counts_once(lan: Lan, tmp_path: Path) -> None:
    """An interface and a router's stream of the same frames: true counts, and as many copies."""
    port = random.randrange(30_000, 40_000)
    with agent(tmp_path, [lan.near, f"tzsp://127.0.0.9:{port}"], config=CONFIG) as process:
        wait_said(process, "capturing")
        wait_said(process, "capturing")
        with sniffer(lan, "127.0.0.9", port):
            send(lan, 0, 600)
            time.sleep(1)
        counts = dict(re.findall(r"(\w+)=(\d+)", stop(process)))
    assert packets(tmp_path) == 600
    assert int(counts["copies"]) >= 600
    # What passed while both watched was shown twice, and a few frames before and after once.
    assert 0 <= int(counts["frames"]) - 2 * int(counts["copies"]) < 60
    assert counts["lost"] == "0"


def test_frames_of_a_stranger_are_not_taken(lan: Lan, tmp_path: Path) -> None:
    """Only the named router's datagrams count."""
    port = random.randrange(30_000, 40_000)
    with agent(tmp_path, [f"tzsp://127.0.0.9:{port}"], config=CONFIG) as process:
        wait_said(process, "capturing")
        with sniffer(lan, "127.0.0.8", port):
            send(lan, 0, 50)
        with sniffer(lan, "127.0.0.9", port):
            send(lan, 50, 20)
            time.sleep(0.5)
        stop(process)
    assert packets(tmp_path) == 20


# --- FRITZ!Box -----------------------------------------------------------------------------------


def test_a_fritzbox_is_watched(tmp_path: Path) -> None:
    """Settings, login, TLS, capture and store; its certificate is known again after a restart."""
    capture = zstandard.ZstdDecompressor().decompressobj().decompress(EXCERPT.read_bytes())
    senders = [frame.data[6:12] for frame in read_capture(EXCERPT).frames]
    device = max(set(senders), key=senders.count)
    (tmp_path / "password").write_text(StandIn().password)
    (tmp_path / "password").chmod(0o600)
    config = f'{CONFIG}fritzbox_password_file = "{tmp_path}/password"\n'
    box = StandIn(frames=capture)
    with running(box, make_certificate(tmp_path)):
        source = f"fritzbox://127.0.0.1:{box.port}"
        with agent(tmp_path, [source], config=config) as process:
            assert StandIn().password not in wait_said(process, "capturing")
            time.sleep(2)
            stop(process)
    assert packets(tmp_path, int.from_bytes(device, "big")) == senders.count(device)
    box.requests.clear()
    with (
        running(box, make_certificate(tmp_path)),
        agent(tmp_path, [source], config=config) as process,
    ):
        assert wait_said(process, "shows another certificate than at first")
        assert box.requests == []

"""Several sources at once: a frame counts once, and one that is away does not stop the others."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fwid_agent.store import Store

from tests.agent.live.conftest import Lan, run, wait_said

_FRAME = "020000000001" + "0a0000000002" + "88b5"
_SEND = (
    "import socket,sys\n"
    "s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW)\ns.bind((sys.argv[1],0))\n"
    "[s.send(bytes.fromhex(sys.argv[2]) + n.to_bytes(4,'big') + bytes(50)) for n in range(500)]"
)


@contextmanager
def watching(folder: Path, *sources: str, config: str = "") -> Iterator[subprocess.Popen[str]]:
    """An agent on these sources, which lie in its configuration."""
    listed = json.dumps(list(sources))
    (folder / "fwid.toml").write_text(f"sources = {listed}\nwindow_s = 60\n{config}")
    command = [sys.executable, "-m", "fwid_agent.cli.main", "run", "--port", "0"]
    command += ["--store", str(folder / "fwid.db"), "--config", str(folder / "fwid.toml")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
        if process.stderr:
            process.stderr.close()


@pytest.fixture
def bridge(lan: Lan) -> Iterator[str]:
    """A bridge over the cable's near end: it shows what the cable shows, once more."""
    name = f"fb{lan.near[2:]}"
    run("ip", "link", "add", name, "type", "bridge")
    try:
        run("ip", "link", "set", lan.near, "master", name)
        run("ip", "link", "set", name, "up")
        yield name
    finally:
        subprocess.run(["ip", "link", "del", name], check=False, capture_output=True)


def sent(folder: Path) -> int:
    with Store.open(folder / "fwid.db") as store:
        return {row.device: row.packets_sent for row in store.devices()}.get(0x0A0000000002, 0)


def test_what_two_sources_show_counts_once(lan: Lan, bridge: str, tmp_path: Path) -> None:
    """Also where a third one is named that is not there; a stop loses nothing of any."""
    with watching(tmp_path, lan.near, bridge, "not-here0") as process:
        wait_said(process, f"capturing source={bridge}")
        run(*lan.inside(sys.executable, "-c", _SEND, lan.far, _FRAME))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr is not None
        ended = process.stderr.read()
    assert "Traceback" not in ended
    assert sent(tmp_path) == 500
    frames = int(ended.partition("frames=")[2].partition(" ")[0])
    assert frames >= 1000  # both have shown them


def test_a_mirror_port_that_shows_frames_twice(lan: Lan, tmp_path: Path) -> None:
    """Once with the VLAN tag that a switch port has, once without; each counts once."""
    tagged = _FRAME[:24] + "8100002a" + _FRAME[24:]
    both = _SEND.replace("[s.send(", "[s.send(x) for n in range(500) for x in (").replace(
        " + bytes(50)) for n in range(500)]",
        " + bytes(50), bytes.fromhex(sys.argv[3]) + n.to_bytes(4,'big') + bytes(50))]",
    )
    with watching(tmp_path, lan.near, config="dedup = true\n") as process:
        wait_said(process, "capturing")
        run(*lan.inside(sys.executable, "-c", both, lan.far, _FRAME, tagged))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert sent(tmp_path) == 500


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([], "nothing to watch: name a source"),
        (["lo", "lo"], "a source is named twice"),
        (["ftp://box"], "'ftp://box' is no source; a source is an interface such as eth0"),
    ],
)
def test_what_is_no_source_is_named(tmp_path: Path, sources: list[str], said: str) -> None:
    """One line, before anything is started."""
    with watching(tmp_path, *sources) as process:
        assert process.wait(60) == 2
        assert process.stderr is not None
        assert said in process.stderr.read()

"""What goes wrong in years: it goes on, loses no more than the current window, and says so."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fwid_agent.store import Store

from tests.agent.live.conftest import Lan, agent, capturers, packets, run, wait_said

_PROBE = bytes.fromhex("020000000001" + "0a0000000002" + "88b5") + bytes(50)
_CONFIG = "window_s = 1\nunit_s = 4\ndiscovery = false\n"
_REPEAT = """
import socket, sys, time
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((sys.argv[1], 0))
while True:
    try:
        sender.send(bytes.fromhex(sys.argv[2]))
    except OSError:
        pass
    time.sleep(0.02)
"""


def send_all(lan: Lan, code: str) -> None:
    """Run code on the far host that has `send(frame)`."""
    head = (
        "import socket,sys,random\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW)\n"
        "s.bind((sys.argv[1],0))\nsend=s.send\n"
    )
    run(*lan.inside(sys.executable, "-c", head + code, lan.far))


def test_an_interface_that_comes_back_is_watched_again(lan: Lan, tmp_path: Path) -> None:
    """Down and up again: said once each, and frames count from then on."""
    with agent(tmp_path, [lan.near], config=_CONFIG) as process:
        wait_said(process, "capturing")
        run("ip", "link", "set", lan.near, "down")
        wait_said(process, "the interface has gone or was taken down")
        run("ip", "link", "set", lan.near, "up")
        wait_said(process, "capturing")
        send_all(lan, f"[send(bytes.fromhex('{_PROBE.hex()}')) for _ in range(50)]")
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    assert packets(tmp_path) == 50


def test_a_newer_store_is_refused_before_anybody_is_served(lan: Lan, tmp_path: Path) -> None:
    """After a downgrade: one line, the exit code of the store, and not a byte of it changed."""
    with Store.open(tmp_path / "fwid.db"):
        pass
    connection = sqlite3.connect(tmp_path / "fwid.db")
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = (tmp_path / "fwid.db").read_bytes()
    with agent(tmp_path, [lan.near], "--port", "8190", config=_CONFIG) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(60) == 4
    assert "serving" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("fwid: ")]
    assert "version 999" in line
    assert (tmp_path / "fwid.db").read_bytes() == before


def test_made_up_addresses_are_bounded(lan: Lan, tmp_path: Path) -> None:
    """26 000 of them grow neither memory nor store without end; a known device is still counted."""
    probe = _PROBE.hex()
    flood = (
        f"send(bytes.fromhex('{probe}'))\n"
        "for n in range(26000): send(b'\\x02\\0\\0\\0\\0\\1' + b'\\x0e' + n.to_bytes(5,'big') "
        "+ b'\\x88\\xb5' + bytes(50))\n"
        f"for n in range(100): send(bytes.fromhex('{probe}'))\n"
    )
    with agent(tmp_path, [lan.near], config="window_s = 60\nunit_s = 3600\n") as process:
        wait_said(process, "capturing")
        send_all(lan, flood)
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert packets(tmp_path) == 101
    with Store.open(tmp_path / "fwid.db") as store:
        assert len(store.devices()) <= 1024


def test_after_made_up_addresses_a_new_device_finds_room(lan: Lan, tmp_path: Path) -> None:
    """Once they are silent they are forgotten, in the store too, and it is said how many."""
    new = "020000000001" + "90000000000b" + "88b5"
    flood = (
        "for n in range(5000): send(b'\\x02\\0\\0\\0\\0\\1' + b'\\x0e' + n.to_bytes(5,'big') "
        "+ b'\\x88\\xb5' + bytes(50))\n"
    )
    with agent(tmp_path, [lan.near], config="window_s = 2\nunit_s = 600\n") as process:
        wait_said(process, "capturing")
        send_all(lan, flood)
        wait_said(process, "forgot ")
        send_all(lan, f"[send(bytes.fromhex('{new}') + bytes(50)) for _ in range(7)]")
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert packets(tmp_path, 0x90000000000B) == 7
    with Store.open(tmp_path / "fwid.db") as store:
        assert len(store.devices()) < 100


def test_malformed_frames_are_counted_and_nothing_else(lan: Lan, tmp_path: Path) -> None:
    """A fuzzer on the wire: broken headers of every layer."""
    code = (
        "rng = random.Random(4)\n"
        "for n in range(4000):\n"
        "    kind = bytes.fromhex(rng.choice(['0800', '86dd', '8100', '0806', '888e']))\n"
        "    body = bytearray(rng.randbytes(rng.randrange(0, 200)))\n"
        "    if body: body[0] = rng.choice([0x45, 0x4f, 0x60, body[0]])\n"
        "    send(b'\\x02\\0\\0\\0\\0\\1' + b'\\x0a\\0\\0\\0\\0\\2' + kind + body)\n"
        f"send(bytes.fromhex('{_PROBE.hex()}'))\n"
    )
    with agent(tmp_path, [lan.near], config=_CONFIG) as process:
        wait_said(process, "capturing")
        send_all(lan, code)
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr is not None
        rest = process.stderr.read()
    assert "Traceback" not in rest
    assert packets(tmp_path) > 0


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(lan: Lan, tmp_path: Path) -> None:
    """SIGKILL, again and again: the store opens, is whole, and what was stored stays."""
    rng = random.Random(2)
    device = subprocess.Popen(lan.inside(sys.executable, "-c", _REPEAT, lan.far, _PROBE.hex()))
    before = 0
    try:
        for _ in range(8):
            with agent(tmp_path, [lan.near], config=_CONFIG) as process:
                wait_said(process, "capturing")
                time.sleep(rng.uniform(0, 3))
                process.kill()
                process.wait()
            # The capture process ends by itself, for nobody listens.
            connection = sqlite3.connect(tmp_path / "fwid.db")
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            connection.close()
            counted = packets(tmp_path)
            assert counted >= before
            before = counted
    finally:
        device.kill()
        device.wait()
    assert before > 0
    time.sleep(1.5)
    assert not capturers(lan.near)

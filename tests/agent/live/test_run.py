"""The agent on a real network: a client is swapped for another version, and the agent says so."""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fwid_agent.store import Store
from fwid_agent.types import EventType, parse_mac

from tests.agent.live.conftest import Lan, agent, capturers, run, wait_said

# Laboratory time: a window is a second, a day four, and as many alarms a unit as at home.
_CONFIG = """
window_s = 1
unit_s = 4
learning_units = 4
settle_units = 3
alarms_per_device_year = 2160
discovery = false
"""
_CLIENT = """
import socket, sys, time
lines = ["GET /state HTTP/1.1", "Host: hub", "User-Agent: " + sys.argv[2], "", ""]
request = "\\r\\n".join(lines).encode()
while True:
    with socket.create_connection((sys.argv[1], 8080), 2) as connection:
        connection.sendall(request)
        connection.recv(4096)
    time.sleep(0.2)
"""


class _Hub(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(lan: Lan) -> Iterator[None]:
    """What the device on the far host talks to."""
    server = http.server.ThreadingHTTPServer((lan.near_ip, 8080), _Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def device(lan: Lan, version: str) -> Iterator[None]:
    """A device that asks the hub for its state, in one version of its software."""
    command = lan.inside(sys.executable, "-c", _CLIENT, lan.near_ip, version)
    client = subprocess.Popen(command)
    try:
        yield
    finally:
        client.kill()
        client.wait()


def far_mac(lan: Lan) -> int:
    command = ["ip", "-j", "-n", lan.namespace, "link", "show", lan.far]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    return parse_mac(json.loads(out)[0]["address"])


def wait_for(folder: Path, mac: int, what: EventType, seconds: float) -> dict[str, object]:
    """Wait until the store holds an event of the device; returns it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (folder / "fwid.db").exists():
            with Store.open(folder / "fwid.db") as store:
                for event in store.events().events:
                    if event.type is what and parse_mac(event.device) == mac:
                        return {"to": event.to_version, "reasons": event.reasons}
        time.sleep(0.5)
    pytest.fail(f"no {what} within {seconds} s")


@pytest.mark.slow
def test_a_swapped_client_is_a_new_version(lan: Lan, hub: None, tmp_path: Path) -> None:
    """From frames on a cable to an event in the store, while the agent runs."""
    mac = far_mac(lan)
    with agent(tmp_path, [lan.near], config=_CONFIG) as process:
        with device(lan, "thing/1.0"):
            wait_for(tmp_path, mac, EventType.NEW_DEVICE, 60)
            time.sleep(4 * 9)
        with device(lan, "thing/1.0.1"):
            changed = wait_for(tmp_path, mac, EventType.VERSION_CHANGED, 40)
        assert changed["to"] == 2
        assert "size_replaced" in str(changed["reasons"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_stop_loses_nothing(lan: Lan, tmp_path: Path) -> None:
    """Every frame until the signal is in the store, and the capture process is gone."""
    probe = bytes.fromhex("020000000001" + "0a0000000002" + "88b5") + bytes(50)
    flood = (
        "import socket,sys; s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); "
        f"s.bind((sys.argv[1],0)); [s.send(bytes.fromhex('{probe.hex()}')) for _ in range(500)]"
    )
    with agent(tmp_path, [lan.near], config=_CONFIG) as process:
        wait_said(process, "capturing")
        run(*lan.inside(sys.executable, "-c", flood, lan.far))
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    with Store.open(tmp_path / "fwid.db") as store:
        counted = {row.device: row.packets_sent for row in store.devices()}
    assert counted[0x0A0000000002] == 500
    assert not capturers(lan.near)


def test_commands_reach_the_running_agent(lan: Lan, tmp_path: Path) -> None:
    """What is said to a device's watch changes the one in the agent's memory."""
    store = ["--store", str(tmp_path / "fwid.db")]
    fwid = [sys.executable, "-m", "fwid_agent.cli.main"]
    probe = bytes.fromhex("020000000001" + "0a0000000002" + "88b5") + bytes(50)
    say = (
        "import socket,sys,time; s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW); "
        f"s.bind((sys.argv[1],0)); probe=bytes.fromhex('{probe.hex()}')\n"
        "while True: s.send(probe); time.sleep(.1)"
    )
    # A unit that does not end in the test: only what is asked changes a state.
    with agent(tmp_path, [lan.near], config="window_s = 1\nunit_s = 3600\n"):
        device = subprocess.Popen(lan.inside(sys.executable, "-c", say, lan.far))
        try:
            wait_for(tmp_path, 0x0A0000000002, EventType.NEW_DEVICE, 60)
            time.sleep(5)
            mac = "0a:00:00:00:00:02"
            answer = subprocess.run(
                [*fwid, "relearn", mac, *store, "--json"], capture_output=True, check=True
            )
            assert json.loads(answer.stdout)["state"] == "learning"
            # Had the agent not been told, its next commit would bring the old state back.
            time.sleep(2.5)
            shown = subprocess.run(
                [*fwid, "show", mac, *store, "--json"], capture_output=True, check=True
            )
            record = json.loads(shown.stdout)
            assert record["state"] == "learning"
            copy = str(tmp_path / "copy.db")
            subprocess.run([*fwid, "backup", copy, *store], check=True, capture_output=True)
            with Store.open(Path(copy), create=False) as copied:
                assert 0x0A0000000002 in copied.states()
            for command in (["restore", copy], ["run", lan.near]):
                refused = subprocess.run(
                    [*fwid, *command, *store], capture_output=True, text=True, check=False
                )
                assert refused.returncode in (2, 4)
                assert "is running on this store" in refused.stderr
        finally:
            device.kill()
            device.wait()


def test_each_process_holds_only_the_right_that_it_needs(lan: Lan, tmp_path: Path) -> None:
    """The capture CAP_NET_RAW, the analysis nothing, in every thread; none can get more."""
    with agent(tmp_path, [lan.near], config=_CONFIG) as process:
        wait_said(process, "runs as root")  # the folder is root's, and nobody else may enter it
        wait_said(process, "capturing")
        for capturer in capturers(lan.near):
            assert _rights(Path(f"/proc/{capturer}/status")) == {f"{1 << 13:016x}"}
        tasks = list(Path(f"/proc/{process.pid}/task").glob("*/status"))
        assert len(tasks) > 1
        for task in tasks:
            assert _rights(task) == {f"{0:016x}"}, task.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_user_who_cannot_run_it_is_told(lan: Lan, tmp_path: Path) -> None:
    """One line, and nothing has been started."""
    with agent(tmp_path, [lan.near], "--user", "no-such-user", config=_CONFIG) as process:
        assert process.wait(20) == 2
        assert process.stderr is not None
        assert "there is no user 'no-such-user'" in process.stderr.read()


def test_a_capture_that_is_killed_is_started_again(lan: Lan, tmp_path: Path) -> None:
    """Once it is said, and the agent goes on."""
    with agent(tmp_path, [lan.near], config=_CONFIG) as process:
        wait_said(process, "capturing")
        watching, capturing = capturers(lan.near)
        os.kill(capturing, signal.SIGKILL)
        wait_said(process, "ended (-9)")
        wait_said(process, "capturing")
        still, anew = capturers(lan.near)
        assert still == watching
        assert anew != capturing


def _rights(status: Path) -> set[str]:
    """Capabilities that may be used, or be had by executing another program."""
    rows = dict(line.split(":", 1) for line in status.read_text().splitlines())
    assert rows["NoNewPrivs"].strip() == "1"
    return {rows[name].strip() for name in ("CapEff", "CapPrm", "CapBnd")}

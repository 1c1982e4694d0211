"""Real hosts on a real network: namespaces joined by virtual cables, made and removed by tests."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fwid_agent.store import Store


@dataclass(frozen=True)
class Lan:
    """A cable with a host at its far end; the near end is here."""

    near: str  # interface
    far: str
    namespace: str
    near_ip: str
    far_ip: str

    def inside(self, *command: str) -> list[str]:
        """Return the command as it is run on the far host."""
        return ["ip", "netns", "exec", self.namespace, *command]


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)


def can_make_hosts() -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"fwid-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode:
        return False
    run("ip", "netns", "del", name)
    return True


def _take_number() -> int:
    """Return the number of a network that is this test's alone, by making its namespace.

    Tests run side by side: with a network that two have, each would reach the other's host.
    """
    for number in random.sample(range(256), 256):
        try:
            run("ip", "netns", "add", f"fwid-lan-{number}")
        except subprocess.CalledProcessError:  # somebody has it
            continue
        return number
    raise AssertionError("all 256 networks are taken: `ip netns list`, `ip netns del fwid-lan-…`")


@pytest.fixture
def lan() -> Iterator[Lan]:
    """Two ends of a cable, with addresses."""
    if not can_make_hosts():
        pytest.skip("needs root and iproute2, to make hosts of its own")
    number = _take_number()
    name, network = f"{os.getpid()}-{number}", f"10.78.{number}"
    made = Lan(f"fn{name}", f"ff{name}", f"fwid-lan-{number}", f"{network}.1", f"{network}.2")
    try:
        run("ip", "link", "add", made.near, "type", "veth", "peer", "name", made.far)
        run("ip", "link", "set", made.far, "netns", made.namespace)
        run("ip", "addr", "add", f"{made.near_ip}/24", "dev", made.near)
        run("ip", "-n", made.namespace, "addr", "add", f"{made.far_ip}/24", "dev", made.far)
        run("ip", "link", "set", made.near, "up")
        run("ip", "-n", made.namespace, "link", "set", made.far, "up")
        run("ip", "-n", made.namespace, "link", "set", "lo", "up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.namespace], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", made.near], check=False, capture_output=True)


@contextmanager
def agent(
    folder: Path, sources: Sequence[str], *more: str, config: str, stdin: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A running agent without an API unless a port is named; stopped, if the test has not."""
    (folder / "fwid.toml").write_text(config)
    command = [sys.executable, "-m", "fwid_agent.cli.main", "run"]
    command += ["--store", str(folder / "fwid.db"), "--config", str(folder / "fwid.toml")]
    command += [] if "--port" in more else ["--port", "0"]
    process = subprocess.Popen(
        [*command, *more, "--", *sources],
        stdin=stdin,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)
        if process.stderr:
            process.stderr.close()


def wait_said(process: subprocess.Popen[str], text: str) -> str:
    """Read what the agent says until a line holds this; returns the line."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return line
    pytest.fail(f"it ended without saying {text!r}")


def stop(process: subprocess.Popen[str]) -> str:
    """End it as systemd does; returns its last line."""
    process.send_signal(signal.SIGTERM)
    last = wait_said(process, "stopped")
    assert process.wait(20) == 0
    return last


def packets(folder: Path, mac: int = 0x0A0000000002) -> int:
    """How many packets a device has sent, as far as the agent has stored it."""
    with Store.open(folder / "fwid.db") as store:
        return {row.device: row.packets_sent for row in store.devices()}.get(mac, 0)


def capturers(interface: str) -> list[int]:
    """Return the processes that capture from an interface, whoever started the other first."""
    found = pgrep("-f", f"capturer .*-- {interface}")
    # Numbers begin anew where they have reached their end, so they tell no order.
    return sorted(found, key=lambda pid: not set(pgrep("-P", str(pid))) & set(found))


def pgrep(*words: str) -> list[int]:
    """Find processes."""
    done = subprocess.run(["pgrep", *words], capture_output=True, text=True, check=False)
    return [int(pid) for pid in done.stdout.split()]

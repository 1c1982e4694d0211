"""Real hosts on a real network: namespaces joined by virtual cables, made and removed by tests."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest


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
    made = subprocess.run(["ip", "netns", "add", "fwid-try"], capture_output=True, check=False)
    if made.returncode:
        return False
    run("ip", "netns", "del", "fwid-try")
    return True


@pytest.fixture
def lan() -> Iterator[Lan]:
    """Two ends of a cable, with addresses."""
    if not can_make_hosts():
        pytest.skip("needs root and iproute2, to make hosts of its own")
    name = uuid4().hex[:8]
    network = f"10.78.{int(name[:2], 16)}"  # other tests may run beside these
    made = Lan(f"fn{name}", f"ff{name}", f"fwid-{name}", f"{network}.1", f"{network}.2")
    run("ip", "netns", "add", made.namespace)
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

"""What the agent sees from a switch's port: only multicast, then one direction, then all."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from fwid_agent.config import Config
from fwid_agent.service.device_records import device_record
from fwid_agent.store import Store
from fwid_agent.types import parse_mac

from tests.agent.live.conftest import can_make_hosts, run

MAC = "0a:00:00:00:00:0d"
_ROUTER = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("10.77.0.1", 4000))
while True:
    data, sender = server.recvfrom(100)
    server.sendto(data, sender)
"""
_DEVICE = """
import socket, time
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
while True:
    one.sendto(b"reading", ("10.77.0.1", 4000))
    one.sendto(b"here I am", ("10.77.0.255", 4001))
    time.sleep(0.05)
"""


@dataclass(frozen=True)
class Switch:
    """A switch with a device, a router, and a port for the agent, whose other end is here."""

    name: str
    near: str

    def mirror(self, direction: str) -> None:
        """Copy what the device sends ("ingress") or gets ("egress") to the agent's port."""
        command = ["tc", "filter", "add", "dev", "device", direction, "protocol", "all"]
        command += ["u32", "match", "u32", "0", "0"]  # all of it
        command += ["action", "mirred", "egress", "mirror", "dev", "agent"]
        run("ip", "netns", "exec", self.name, *command)


@pytest.fixture
def switch() -> Iterator[Switch]:
    if not can_make_hosts():
        pytest.skip("needs root and iproute2, to make hosts of its own")
    key = uuid4().hex[:8]
    made = Switch(f"fwid-{key}-switch", f"fn{key}")
    hosts = {name: f"fwid-{key}-{name}" for name in ("device", "router")}
    talking = []
    try:
        run("ip", "netns", "add", made.name)
        run("ip", "-n", made.name, "link", "add", "switch", "type", "bridge", "stp_state", "0")
        run("ip", "-n", made.name, "link", "set", "switch", "up")
        run("ip", "link", "add", made.near, "type", "veth", "peer", "agent", "netns", made.name)
        run("ip", "link", "set", made.near, "up")
        for number, (port, host) in enumerate(hosts.items()):
            run("ip", "netns", "add", host)
            run("ip", "link", "add", port, "netns", made.name, "type", "veth",
                "peer", "name", "lan0", "netns", host)  # fmt: skip
            run(
                "ip",
                "-n",
                host,
                "link",
                "set",
                "lan0",
                "address",
                f"0a:00:00:00:00:0{13 + number:x}",
            )
            run("ip", "-n", host, "addr", "add", f"10.77.0.{2 - number}/24",
                "broadcast", "10.77.0.255", "dev", "lan0")  # fmt: skip
            run("ip", "-n", host, "link", "set", "lan0", "up")
        for port in ("agent", *hosts):
            run("ip", "-n", made.name, "link", "set", port, "master", "switch", "up")
        run("ip", "netns", "exec", made.name, "tc", "qdisc", "add", "dev", "device", "clsact")
        for host, code in ((hosts["router"], _ROUTER), (hosts["device"], _DEVICE)):
            command = ["ip", "netns", "exec", host, sys.executable, "-c", code]
            talking.append(subprocess.Popen(command))
        yield made
    finally:
        for process in talking:
            process.kill()
            process.wait()
        for host in (made.name, *hosts.values()):
            subprocess.run(["ip", "netns", "del", host], check=False, capture_output=True)


def wait_for(store: Path, fits: Callable[[dict[str, object]], bool]) -> dict[str, object]:
    """Give the device once the agent tells of it what is waited for, or as it is at last."""
    record: dict[str, object] = {}
    until = time.monotonic() + 40
    while time.monotonic() < until and not (record and fits(record)):
        time.sleep(1)
        if store.exists():
            with Store.open(store, create=False) as opened:
                now_ns = time.time_ns()
                record = device_record(opened, Config(), now_ns, parse_mac(MAC)) or {}
    return record


def test_from_a_switch_first_little_then_one_side_then_all_is_seen(
    switch: Switch, tmp_path: Path
) -> None:
    """Nothing is judged while only multicast comes; the device is learnt once it is seen."""
    config = tmp_path / "fwid.toml"
    config.write_text("window_s = 2\nunit_s = 4\nlearning_units = 2\n")
    store = tmp_path / "fwid.db"
    command = [sys.executable, "-m", "fwid_agent.cli.main", "run", switch.near, "--port", "0"]
    command += ["--store", str(store), "--config", str(config)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as agent:
        try:
            hardly = wait_for(store, lambda one: one["state"] == "quiet")
            assert (hardly["state"], hardly["vantage"]) == ("quiet", "multicast")
            switch.mirror("ingress")
            assert wait_for(store, lambda one: one["vantage"] == "sent")["vantage"] == "sent"
            switch.mirror("egress")
            whole = wait_for(store, lambda one: (one["vantage"], one["state"]) == ("all", "stable"))
            assert (whole["vantage"], whole["state"]) == ("all", "stable")
        finally:
            agent.terminate()

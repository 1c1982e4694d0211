"""A home in network namespaces: hosts on a bridge, a cloud behind it, no way to anywhere else.

Each host is a namespace with a network card and a MAC address of its own, and the agent stands
where the bridge is, as on an access point. Nothing leaves the namespaces; all go with the home.
"""

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

BRIDGE = "br0"
HOUSE_IP = "10.77.0.1"  # of the bridge, which is the way to the cloud too
CLOUD_IP = "203.0.113.10"  # of a network for documentation (RFC 5737)
_CLOUD_GATE = "203.0.113.1"
_MAKER = "00:00:5e:00:53"  # MAC addresses for documentation (RFC 7042)


def run(*command: str) -> str:
    """Run a command to its end; gives what it printed."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def can_make_homes() -> bool:
    """Whether this user may make namespaces here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"fwid-{uuid4().hex[:6]}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode:
        return False
    run("ip", "netns", "del", name)
    return True


@dataclass(frozen=True)
class Host:
    """A machine of the home."""

    name: str
    namespace: str
    mac: str  # as the agent writes it
    ip: str

    def inside(self, *command: str) -> list[str]:
        """Return the command as it is run on this host."""
        return ["ip", "netns", "exec", self.namespace, *command]


@dataclass
class Home:
    """Use as a context manager: whatever was started in it ends with it."""

    ethtool: list[str]  # how to run it
    hosts: dict[str, Host] = field(default_factory=dict)
    _mark: str = field(default_factory=lambda: uuid4().hex[:6])
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self._unmake()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unmake()

    @property
    def house(self) -> Host:
        """Where the bridge is, and the agent."""
        return self.hosts["house"]

    @property
    def cloud(self) -> Host:
        """Servers on the other side of the bridge's machine."""
        return self.hosts["cloud"]

    def add(self, name: str, number: int) -> Host:
        """Plug a host into the bridge; its number is in its MAC and IP."""
        host = Host(name, self._namespace(name), f"{_MAKER}:{number:02x}", f"10.77.0.{number}")
        self.hosts[name] = host
        run("ip", "netns", "add", host.namespace)
        self.plug(host)
        return host

    def plug(self, host: Host) -> None:
        """Lay a host's cable to the bridge."""
        port = f"to-{host.name}"
        run(
            *("ip", "-n", self.house.namespace, "link", "add", port, "type", "veth"),
            *("peer", "name", "eth0", "address", host.mac, "netns", host.namespace),
        )
        self._set_up(self.house, port)
        run("ip", "-n", self.house.namespace, "link", "set", port, "master", BRIDGE)
        self._set_up(host, "eth0")
        self.give_address(host, host.ip)

    def unplug(self, host: Host) -> None:
        """Take the cable away, with the cards at both ends."""
        run("ip", "-n", self.house.namespace, "link", "del", f"to-{host.name}")

    def give_address(self, host: Host, ip: str) -> None:
        """Replace a host's address."""
        run("ip", "-n", host.namespace, "-4", "addr", "flush", "dev", "eth0")
        run("ip", "-n", host.namespace, "addr", "add", f"{ip}/24", "dev", "eth0")
        run("ip", "-n", host.namespace, "route", "replace", "default", "via", HOUSE_IP)

    def start(self, host: Host, *command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """Start something on a host; it ends with the home at the latest."""
        out = log.open("ab") if log else None
        process = subprocess.Popen(
            host.inside(*command),
            stdin=subprocess.DEVNULL,
            stdout=out or subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if out:
            out.close()
        self._running.append(process)
        return process

    def _make(self) -> None:
        house = Host("house", self._namespace("house"), f"{_MAKER}:01", HOUSE_IP)
        cloud = Host("cloud", self._namespace("cloud"), f"{_MAKER}:fe", CLOUD_IP)
        self.hosts |= {"house": house, "cloud": cloud}
        for host in (house, cloud):
            run("ip", "netns", "add", host.namespace)
        inside = ("ip", "-n", house.namespace)
        run(*inside, "link", "add", BRIDGE, "address", house.mac, "type", "bridge")
        run(*inside, "addr", "add", f"{HOUSE_IP}/24", "dev", BRIDGE)
        run(
            *(*inside, "link", "add", "wan", "type", "veth", "peer", "name", "eth0"),
            *("address", cloud.mac, "netns", cloud.namespace),
        )
        run(*inside, "addr", "add", f"{_CLOUD_GATE}/24", "dev", "wan")
        run("ip", "-n", cloud.namespace, "addr", "add", f"{CLOUD_IP}/24", "dev", "eth0")
        for host, card in ((house, BRIDGE), (house, "wan"), (cloud, "eth0")):
            self._set_up(host, card)
        run("ip", "-n", cloud.namespace, "route", "add", "default", "via", _CLOUD_GATE)
        run(*house.inside("sysctl", "-q", "-w", "net.ipv4.ip_forward=1"))

    def _set_up(self, host: Host, card: str) -> None:
        """Switch a card on, without anything that would merge or finish packets behind our back."""
        offloads = [f"{name} off" for name in ("tx", "rx", "tso", "gso", "gro")]
        run(*host.inside(*self.ethtool, "-K", card, *" ".join(offloads).split()))
        run("ip", "-n", host.namespace, "link", "set", "lo", "up")
        run("ip", "-n", host.namespace, "link", "set", card, "up")

    def _unmake(self) -> None:
        for process in self._running:
            stop(process)
        for host in self.hosts.values():
            subprocess.run(["ip", "netns", "del", host.namespace], check=False, capture_output=True)

    def _namespace(self, name: str) -> str:
        return f"fwid-{self._mark}-{name}"


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a program that `Home.start` has started, and all that it has started itself."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                continue

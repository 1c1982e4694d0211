"""A home of network namespaces: hosts on a bridge, a cloud behind it, no way to anywhere else.

Every host is a namespace with a network card and a MAC address of its own. Offloads are off on
every card, so that what is captured is what would be on the air.
"""

import os
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from fwid_agent.lab.corpus.debian import call
from fwid_agent.lab.corpus.model import CorpusError

BRIDGE = "br0"
HOUSE_IP = "10.77.0.1"  # of the bridge: router, names and addresses
CLOUD_NUMBERS = range(10, 90)  # last bytes of the cloud's addresses
_CLOUD_NET = "203.0.113"  # for documentation (RFC 5737)
_MAKER = "00:00:5e:00:53"  # MAC addresses for documentation (RFC 7042)
_PROGRAMS = (
    *(("ip", "iproute2"), ("tc", "iproute2"), ("unshare", "util-linux")),
    *(("setpriv", "util-linux"), ("chroot", "coreutils")),
)
_WAN_RATE = ("rate", "40mbit", "burst", "64kb", "latency", "200ms")


def cloud_ip(number: int) -> str:
    """Return one of the cloud's addresses."""
    return f"{_CLOUD_NET}.{number}"


def check_rights() -> None:
    """Raise CorpusError where this user may make no namespaces here."""
    if os.geteuid() != 0:
        raise CorpusError("only root may make the network namespaces that the devices live in")
    for program, package in _PROGRAMS:
        if shutil.which(program) is None:
            raise CorpusError(f"needs {program}: install {package}")
    name = f"corpus-{uuid4().hex[:6]}"
    try:
        call("ip", "netns", "add", name)
    except CorpusError as error:
        raise CorpusError(f"no network namespaces can be made here: {error}") from error
    call("ip", "netns", "del", name)


@dataclass(frozen=True, slots=True)
class Host:
    """A machine of the home."""

    name: str
    namespace: str
    mac: str


@dataclass
class Home:
    """Use as a context manager: all namespaces go with it."""

    tools: Path  # a root with ethtool
    hosts: dict[str, Host] = field(default_factory=dict)
    _mark: str = field(default_factory=lambda: uuid4().hex[:6])

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
        """Where the bridge is, and the router."""
        return self.hosts["house"]

    def add(self, name: str, number: int, *, ip: str = "", relayed: bool = False) -> Host:
        """Plug a host into the bridge; a relayed one hears nothing until a relay runs.

        The relay's two cards, near and far, are in a namespace that has no address: nobody but the
        relay answers there.
        """
        host = self._namespace(name, number)
        port = f"to-{name}"
        if relayed:
            air = self._namespace(f"air-{name}", number)
            silent = ("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6")
            call("ip", "netns", "exec", air.namespace, *silent)
            self._pair((self.house, port), (air, "far"))
            self._pair((air, "near"), (host, "eth0"), host.mac)
        else:
            self._pair((self.house, port), (host, "eth0"), host.mac)
        call("ip", "-n", self.house.namespace, "link", "set", port, "master", BRIDGE)
        if ip:
            call("ip", "-n", host.namespace, "addr", "add", f"{ip}/24", "dev", "eth0")
            call("ip", "-n", host.namespace, "route", "add", "default", "via", HOUSE_IP)
        return host

    def cut(self, name: str, *, off: bool) -> None:
        """Take a host's card down, or up again."""
        state = "down" if off else "up"
        call("ip", "-n", self.hosts[name].namespace, "link", "set", "eth0", state)

    def forget_address(self, name: str) -> None:
        """Leave a host without an address, as after a start."""
        flush = ("-4", "addr", "flush", "dev", "eth0")
        call("ip", "-n", self.hosts[name].namespace, *flush)

    def start(self, host: Host, *command: str) -> subprocess.Popen[bytes]:
        """Start a program of this machine in a host's namespace; its input ends with this one."""
        words = ("ip", "netns", "exec", host.namespace, *command)
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    def _make(self) -> None:
        house = self._namespace("house", 1)
        cloud = self._namespace("cloud", 0xFE)
        inside = ("ip", "-n", house.namespace)
        call(*inside, "link", "add", BRIDGE, "address", house.mac, "type", "bridge")
        call(*inside, "addr", "add", f"{HOUSE_IP}/24", "dev", BRIDGE)
        self._set_up(house, BRIDGE)
        self._pair((house, "wan"), (cloud, "eth0"), cloud.mac)
        call(*inside, "addr", "add", f"{cloud_ip(1)}/24", "dev", "wan")
        for number in CLOUD_NUMBERS:
            where = ("addr", "add", f"{cloud_ip(number)}/24", "dev", "eth0")
            call("ip", "-n", cloud.namespace, *where)
        call("ip", "-n", cloud.namespace, "route", "add", "default", "via", cloud_ip(1))
        limit = ("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", *_WAN_RATE)
        call("ip", "netns", "exec", cloud.namespace, *limit)
        forward = ("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")
        call("ip", "netns", "exec", house.namespace, *forward)

    def _namespace(self, name: str, number: int) -> Host:
        host = Host(name, f"corpus-{self._mark}-{name}", f"{_MAKER}:{number:02x}")
        self.hosts[name] = host
        call("ip", "netns", "add", host.namespace)
        call("ip", "-n", host.namespace, "link", "set", "lo", "up")
        return host

    def _pair(self, one: tuple[Host, str], other: tuple[Host, str], mac: str = "") -> None:
        """Lay a cable between two cards, the other one with this MAC address."""
        (near, port), (far, card) = one, other
        call(
            *("ip", "-n", near.namespace, "link", "add", port, "type", "veth"),
            *("peer", "name", card, *(("address", mac) if mac else ())),
            *("netns", far.namespace),
        )
        self._set_up(near, port)
        self._set_up(far, card)

    def _set_up(self, host: Host, card: str) -> None:
        """Switch a card on, without anything that would merge or finish packets behind our back."""
        offloads = [f"{name} off" for name in ("tx", "rx", "tso", "gso", "gro")]
        ethtool = ("chroot", str(self.tools), "ethtool", "-K", card, *" ".join(offloads).split())
        call("ip", "netns", "exec", host.namespace, *ethtool)
        call("ip", "-n", host.namespace, "link", "set", card, "up")

    def _unmake(self) -> None:
        for host in self.hosts.values():
            with suppress(CorpusError):  # it was never made
                call("ip", "netns", "del", host.namespace)

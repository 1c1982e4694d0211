"""Everybody in the home for one day: servers, counterparts, phone and devices, each in its root."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from fwid_agent.lab.corpus.fetch import Stacks
from fwid_agent.lab.corpus.inside import Root, Shell
from fwid_agent.lab.corpus.model import CorpusError, DayPlan, Device, Hard, Layer, Peer, Update
from fwid_agent.lab.corpus.network import Home, Host, cloud_ip
from fwid_agent.lab.corpus.servers import (
    SERVER_LAYER,
    Seat,
    environment,
    make_programs,
    restart_router,
    start_cloud,
    start_router,
)

_HUB, _PHONE, _GUEST, _FIRST_DEVICE = 2, 3, 4, 16  # last bytes of addresses
_OTHER_ADDRESS, _OTHER_CLOUD = 80, 40  # added to a last byte
_FIRST_CLOUD = 11


@dataclass(frozen=True, slots=True)
class Guests:
    """Who lives here on a day."""

    devices: Sequence[Device]
    plans: Mapping[str, DayPlan]
    numbers: Mapping[str, int]  # of devices, the same on all days: their MAC addresses
    seed: int


class Household:
    """A running home; ends with the stack that it was given."""

    def __init__(self, stacks: Stacks, guests: Guests, work: Path, ending: ExitStack) -> None:
        self._stacks = stacks
        self._devices = {device.name: device for device in guests.devices}
        self._plans = guests.plans
        self._numbers = guests.numbers
        self._seed = guests.seed
        self._work = work
        self.share = work / "share"
        self._programs = work / "programs"
        self._ending = ending
        self._boots = 0
        self.share.mkdir(parents=True)
        make_programs(self._programs, list(self._devices))
        self._home = ending.enter_context(Home(stacks.paths([SERVER_LAYER])[0]))
        self._device_shells: dict[str, Shell] = {}
        self._visitors: dict[str, list[Shell]] = {}
        self.peers: dict[Peer, Shell] = {}

    def furnish(self) -> None:
        """Start servers, then counterparts, then devices."""
        hub = self._home.add("hub", _HUB, ip=f"10.77.0.{_HUB}")
        self._phone = self._home.add("phone", _PHONE, ip=f"10.77.0.{_PHONE}")
        self._guest = self._home.add("guest", _GUEST, ip=f"10.77.0.{_GUEST}")
        cloud = self._home.hosts["cloud"]
        self._router = self._open(self._home.house, "router", [SERVER_LAYER])
        self._cloud = self._open(cloud, "cloud", [SERVER_LAYER])
        start_router(self._router, self.share, [self._seat(name) for name in self._devices])
        start_cloud(self._cloud, self.share)
        places = {"hub": hub, "phone": self._phone, "cloud": cloud}
        for peer in dict.fromkeys(peer for one in self._devices.values() for peer in one.peers):
            name = f"{peer.where}-{len(self.peers)}"
            self.peers[peer] = self._open(places[peer.where], name, peer.layers)
            self.peers[peer].do(f"{{ {peer.start}\n}} &")
        for name in self._devices:
            self._invite(name, self._phone)
            plan = self._plans[name]
            self.boot(name, plan.before if plan.update is Update.EPISODE else plan.version)

    def boot(self, name: str, version: int) -> None:
        """Start a device in a version."""
        device = self._devices[name]
        self._boots += 1
        place = f"{name}-{self._boots}"
        layers = device.versions[version].layers
        shell = self._open(self._home.hosts[name], place, layers, self._env(name), called=name)
        self._device_shells[name] = shell
        shell.do(f"network {device.dhcp}\n{{ {device.start}\n}} &")

    def switch_off(self, name: str) -> None:
        """Take a device from its power."""
        self._device_shells[name].stop()
        self._home.cut(name, off=True)
        self._home.forget_address(name)

    def switch_on(self, name: str, version: int) -> None:
        """Give a device its power back."""
        self._home.cut(name, off=False)
        self.boot(name, version)

    def renew_address(self, name: str) -> None:
        """Let a device find its network again."""
        self._home.cut(name, off=False)
        self._device_shells[name].do(f"renew {self._devices[name].dhcp}")

    def lose_network(self, name: str) -> None:
        """Take the radio from a device."""
        self._home.cut(name, off=True)

    def restart_router(self) -> None:
        """Let the router forget whom it knew."""
        restart_router(self._router)

    def use(self, name: str) -> None:
        """Let somebody use a device."""
        if self._devices[name].use:
            self._device_shells[name].do(f"( {self._devices[name].use}\n) &")

    def visit(self, name: str) -> None:
        """Let everybody's phone talk to a device."""
        for shell in self._visitors.get(name, []):
            shell.do(f"( {self._devices[name].visit}\n) &")

    def fetch_image(self, name: str) -> None:
        """Let a device fetch its new firmware."""
        fetch = "timeout 30 busybox wget -q -O /dev/null http://$CLOUD/image &"
        self._device_shells[name].do(fetch)

    def add_phone(self, names: Sequence[str]) -> None:
        """Let somebody come with a phone of his own and look round."""
        looking = self._open(self._guest, "guest", [SERVER_LAYER])
        for name in names:
            looking.do(f"busybox ping -c 3 {name}.home &")
            self._invite(name, self._guest)
            self.visit(name)

    def download(self) -> None:
        """Let somebody else fetch something large."""
        shell = self._open(self._guest, f"laptop-{self._boots}", [SERVER_LAYER])
        self._boots += 1
        shell.do(f"curl -s -o /dev/null http://{cloud_ip(10)}/download &")

    def renew_peer(self, peer: Peer) -> None:
        """Start a counterpart anew."""
        self.peers[peer].do(f"kill -9 -1; sleep .5; {{ {peer.start}\n}} &")

    def capture(self) -> None:
        """Begin to capture every device on its way to the bridge."""
        for name in self._devices:
            words = f"-Z root -U -B 4096 -i to-{name} -w /share/{name}.pcap"
            self._router.do(f"tcpdump {words} ether host {self._home.hosts[name].mac} &")

    def end_capture(self) -> None:
        """End all captures; they are whole a moment later."""
        self._router.do("pkill -INT tcpdump")

    def check(self) -> None:
        """Raise CorpusError where a shell has ended, which only a fault of ours can do."""
        standing = {"the router": self._router, "the cloud": self._cloud, **self._device_shells}
        standing |= {f"a counterpart in the {peer.where}": one for peer, one in self.peers.items()}
        for name, shell in standing.items():
            if not shell.alive:
                raise CorpusError(f"{name} could not be started: {shell.log.read_text()[-300:]}")

    def mac(self, name: str) -> str:
        """Return a device's MAC address."""
        return self._home.hosts[name].mac

    def _seat(self, name: str) -> Seat:
        plan, number = self._plans[name], self._numbers[name]
        relayed = plan.hard is Hard.LOSSY
        host = self._home.add(name, _FIRST_DEVICE + number, relayed=relayed)
        if relayed:
            words = (sys.executable, "-m", "fwid_agent.lab.corpus.relay", "near", "far")
            air = self._home.hosts[f"air-{name}"]
            relay = self._home.start(air, *words, f"{self._seed}:{name}:{plan.day}")
            self._ending.callback(_end, relay)
        moved = _OTHER_CLOUD if plan.hard is Hard.CLOUD_MOVED else 0
        last = _FIRST_DEVICE + number + _OTHER_ADDRESS * plan.address
        return Seat(name, host.mac, f"10.77.0.{last}", cloud_ip(_FIRST_CLOUD + number + moved))

    def _invite(self, name: str, host: Host) -> None:
        device = self._devices[name]
        if device.visit:
            layers = device.visitor or (SERVER_LAYER,)
            shell = self._open(host, f"{host.name}-{name}", layers, self._env(name))
            self._visitors.setdefault(name, []).append(shell)

    def _env(self, name: str) -> dict[str, str]:
        return environment(name, self._devices[name].settings[self._plans[name].settings])

    def _open(
        self,
        host: Host,
        place: str,
        layers: Sequence[Layer],
        env: Mapping[str, str] | None = None,
        called: str = "",
    ) -> Shell:
        paths = self._stacks.paths(layers)
        root = Root(paths, self._work / "hosts" / place, self._programs, self.share)
        name = called or host.name
        shell = Shell(host.namespace, name, root, env or environment(name, {}))
        self._ending.callback(shell.stop)
        return shell


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()

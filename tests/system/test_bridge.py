"""The set-up script makes a bridge, the home's traffic passes it, and the agent sees all of it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fwid_agent.store import Store
from fwid_agent.types import SEEN, parse_mac

from tests.system.agent import agent_on, wait_for
from tests.system.home import BRIDGE, Home, Host, can_make_homes, run

_SCRIPT = Path(__file__).parents[2] / "scripts/access-point"
_CARDS = ("fwid-a", "fwid-b")  # no name that this machine's own NetworkManager may look after
_ROUTER_IP, _HOUSE_IP = "10.77.0.2", "10.77.0.1"


class _Cables(Home):
    """A machine with two network cards and no bridge yet: a router at one, a lamp at the other."""

    def _make(self) -> None:
        for number, name in enumerate(("house", "router", "lamp"), start=1):
            mac = f"00:00:5e:00:53:{number:02x}"
            self.hosts[name] = Host(name, self._namespace(name), mac, f"10.77.0.{number}")
            run("ip", "netns", "add", self.hosts[name].namespace)
        for card, name in zip(_CARDS, ("router", "lamp"), strict=True):
            host = self.hosts[name]
            run(
                *("ip", "-n", self.house.namespace, "link", "add", card, "type", "veth"),
                *("peer", "name", "eth0", "address", host.mac, "netns", host.namespace),
            )
            run("ip", "-n", self.house.namespace, "link", "set", card, "up")
            run("ip", "-n", host.namespace, "link", "set", "eth0", "up")
            run("ip", "-n", host.namespace, "addr", "add", f"{host.ip}/24", "dev", "eth0")
        inside = ("ip", "-n", self.house.namespace)
        run(*inside, "addr", "add", f"{_HOUSE_IP}/24", "dev", _CARDS[0])
        run(*inside, "route", "add", "default", "via", _ROUTER_IP)
        run(*inside, "link", "set", "lo", "up")


@pytest.fixture
def cables() -> Iterator[Home]:
    """Three hosts, two cables."""
    if not can_make_homes():
        pytest.skip("needs root and iproute2, to make hosts of its own")
    if subprocess.run(["nft", "--version"], check=False, capture_output=True).returncode:
        pytest.skip("needs nftables")
    with _Cables([]) as made:
        yield made


@pytest.mark.slow
def test_the_agent_on_the_bridge_sees_both_directions(cables: Home, tmp_path: Path) -> None:
    """A lamp and its router talk through it; everything is as before once it is removed."""
    house, lamp = cables.house, cables.hosts["lamp"]
    before = _network(house)
    _script(house, "--dry-run", "bridge", *_CARDS)
    assert _network(house) == before
    _script(house, "bridge", *_CARDS)
    made = _network(house)
    assert f"default via {_ROUTER_IP} dev {BRIDGE}" in made
    _script(house, "bridge", *_CARDS)
    assert _network(house) == made  # a second time, as after a restart, changes nothing
    server = [sys.executable, "-m", "http.server", "80", "--directory", str(tmp_path)]
    cables.start(cables.hosts["router"], *server)
    with agent_on(cables, tmp_path, port=0) as agent:
        wait_for(lambda: _fetches(lamp), 20, "the lamp reaches the router through the bridge")
        for _ in range(4):
            assert _fetches(lamp)
        time.sleep(1)
        assert agent.stop() == 0
        with Store.open(agent.store, create=False) as store:
            seen = store.seen(10**18)[parse_mac(lamp.mac)]
    counts = dict(zip(SEEN, seen, strict=True))
    assert min(counts["sent"], counts["received"]) >= 5 * 4  # packets of a connection, each way
    _script(house, "--remove")
    assert _network(house) == before
    assert not _fetches(lamp)


def test_it_names_what_is_wrong(cables: Home) -> None:
    """A card that is not there, and a bridge of somebody else, are left alone and told."""
    assert "no network card eth9" in _script(cables.house, "bridge", "eth9", _CARDS[0], status=1)
    assert "nothing to remove" in _script(cables.house, "--remove", status=1)
    run("ip", "-n", cables.house.namespace, "link", "add", BRIDGE, "type", "bridge")
    assert "not from here" in _script(cables.house, "bridge", *_CARDS, status=1)


def _script(host: Host, *words: str, status: int = 0) -> str:
    command = host.inside(str(_SCRIPT), *words)
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == status, done
    return done.stdout + done.stderr


def _network(host: Host) -> str:
    """Addresses, routes and rules of a host."""
    addresses = run("ip", "-n", host.namespace, "-4", "-brief", "address")
    routes = run("ip", "-n", host.namespace, "route", "show", "default")
    return addresses + routes + run(*host.inside("nft", "list", "ruleset"))


def _fetches(host: Host) -> bool:
    """Whether the router's page comes."""
    fetch = f"import urllib.request as r; r.urlopen('http://{_ROUTER_IP}/', timeout=1).read()"
    command = host.inside(sys.executable, "-c", fetch)
    return not subprocess.run(command, check=False, capture_output=True).returncode

"""A home lives, two of its devices are updated, and that is told: on the wire, stored, on the page.

Everything is real but the distance: clients and servers of two Debian suites, each device with a
network card of its own, the agent on the bridge, a laptop that listens, and a browser.
"""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from fwid_agent.types import EventType, State

from tests.system.agent import Agent, agent_on, laptop_on, wait_for
from tests.system.browser import CHROMIUM, Browser, browser_on
from tests.system.home import HOUSE_IP, Home, Host, run, stop
from tests.system.software import (
    NEW,
    OLD,
    Servers,
    chrony,
    curl,
    leased,
    mosquitto,
    start_servers,
    version,
)

_UNIT_S = 4
_UPDATED = ("lamp", "sensor")
# Updated too, but their packets are as long as before: headers cannot tell.
_UPDATED_UNSEEN = ("clock", "gauge")
_SAME = ("camera", "siren", "plug", "meter")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_an_update_is_told_and_nothing_else_is(home: Home, tmp_path: Path) -> None:
    """Two clients are swapped for newer ones; a reboot, an address and more use are no update."""
    for program in ("curl", "mosquitto_pub", "chronyd"):
        assert version(program, OLD) != version(program, NEW)
    hub, laptop = home.add("hub", 2), home.add("laptop", 9)
    names = (*_UPDATED, *_UPDATED_UNSEEN, *_SAME)
    hosts = {name: home.add(name, 16 + number) for number, name in enumerate(names)}
    servers = start_servers(home, hub, tmp_path)
    before, after = _scripts(servers, OLD, ""), _scripts(servers, NEW, "after")
    with agent_on(home, tmp_path) as agent:
        running = {name: _boot(home, hosts[name], before[name]) for name in names}
        _wait_until_stable(agent, hosts)
        time.sleep(2 * _UNIT_S)  # a baseline of a few days more
        with laptop_on(laptop, agent) as listening:
            for name in (*_UPDATED, *_UPDATED_UNSEEN, "meter"):
                stop(running[name])
                running[name] = _boot(home, hosts[name], after[name])
            _reboot(home, hosts["plug"], running["plug"], after["plug"])
            for name in _UPDATED:
                told = listening.hears(EventType.VERSION_CHANGED, hosts[name].mac, 60)
                assert (told["from_version"], told["to_version"]) == (1, 2)
                assert told["cause"] == "software"
            time.sleep(2 * _UNIT_S)  # others would be called changed by now
            called = {
                event.device for event in agent.events() if event.type is EventType.VERSION_CHANGED
            }
            assert called & {host.mac for host in hosts.values()} == {
                hosts[name].mac for name in _UPDATED
            }
            with browser_on(laptop) as browser:
                _look_at_page(browser, agent, hosts, tmp_path)
        assert agent.stop() == 0


def _scripts(servers: Servers, suite: str, when: str) -> Mapping[str, str]:
    """What each device runs; what is not updated stays as it is."""
    return {
        "lamp": curl(servers, suite, 0.4),
        "sensor": mosquitto(servers, suite, 0.4, tls=True),
        "clock": chrony(servers, suite),
        "gauge": mosquitto(servers, suite, 0.4, tls=False),
        "camera": curl(servers, OLD, 0.4),
        "siren": mosquitto(servers, OLD, 0.4, tls=True),
        "plug": leased(
            *(servers, OLD, "10.77.0.140" if when else "10.77.0.130"),
            curl(servers, OLD, 0.4),
        ),
        "meter": mosquitto(servers, OLD, 0.2 if when else 0.4, tls=False),
    }


def _boot(home: Home, host: Host, script: str) -> subprocess.Popen[bytes]:
    if host.name == "plug":
        run("ip", "-n", host.namespace, "addr", "flush", "dev", "eth0", "scope", "global")
    return home.start(host, "sh", "-c", script)


def _reboot(home: Home, host: Host, running: subprocess.Popen[bytes], script: str) -> None:
    """Off, and on again with another address."""
    stop(running)
    run("ip", "-n", host.namespace, "link", "set", "eth0", "down")
    run("ip", "-n", host.namespace, "link", "set", "eth0", "up")
    _boot(home, host, script)


def _wait_until_stable(agent: Agent, hosts: Mapping[str, Host]) -> None:
    wanted = {host.mac for host in hosts.values()}

    def all_stable() -> bool:
        listed = agent.ask("devices")
        return wanted <= {one["device"] for one in listed if one["state"] == State.STABLE}

    wait_for(all_stable, 60, "every device is known")


def _look_at_page(browser: Browser, agent: Agent, hosts: Mapping[str, Host], folder: Path) -> None:
    """Log in, name the devices, and see the two that have changed and why."""
    folder = Path(os.environ.get("FWID_PICTURES", folder))
    browser.call("Page.navigate", url=f"https://{HOUSE_IP}:8127/")
    browser.wait("!!document.querySelector('#code')")
    code = agent.ask("pair")[0]["code"]
    browser.look(
        f"document.querySelector('#code').value = '{code}';"
        "document.querySelector('#code').form.requestSubmit()"
    )
    browser.wait("document.querySelectorAll('a.card').length >= 8")
    for name, host in hosts.items():
        browser.look(
            f"fetch('api/v1/devices/{host.mac}/name', {{method: 'POST', "
            "headers: {'X-Fwid-Page': '1', 'Content-Type': 'application/json'}, "
            f"body: JSON.stringify({{name: '{name}'}})}}).then((answer) => answer.status)"
        )
    browser.look("window.before = true; location.reload()")
    cards = browser.wait(
        "!window.before && document.querySelectorAll('a.card.changed').length >= 2 && "
        "[...document.querySelectorAll('a.card')].map((card) => "
        "[card.getAttribute('href').slice(2), card.classList[1]])"
    )
    shown = {mac for mac, state in cards if state == State.CHANGED}
    assert {hosts[name].mac for name in _UPDATED} <= shown
    assert not shown & {hosts[name].mac for name in (*_UPDATED_UNSEEN, *_SAME)}
    time.sleep(1)  # until the lines are drawn
    browser.picture(folder / "home.png")
    browser.look(f"location.hash = '#/{hosts['lamp'].mac}'")
    drawn = browser.wait(  # the fingerprint before and after, and what differs
        "(([...all]) => all.length >= 3 && all.every((one) => one.naturalWidth > 0) && "
        "all.map((one) => one.src))"
        "(document.querySelectorAll('figure img'))"
    )
    assert all(hosts["lamp"].mac in source for source in drawn)
    browser.picture(folder / "home-lamp.png")

"""Devices whose firmware is compiled: ESPHome's own, and one on lwIP's own TCP/IP."""

from fwid_agent.lab.corpus.catalogue.clients import BROKER
from fwid_agent.lab.corpus.catalogue.suites import PYTHON_ROOT
from fwid_agent.lab.corpus.model import Built, Debian, Device, Peer, Pip, Source, Version

# A root for programs that bring all that they need.
_BARE_ROOT = Debian("bookworm", ())
_PANEL = (Pip(("aioesphomeapi==46.23.0",)), PYTHON_ROOT)


def _sensor(version: str) -> Version:
    return Version((Built("sensor", version), _BARE_ROOT), f"ESPHome {version}")


def _switch(version: str, suite: str) -> Version:
    built = Built("switch", version, (Source(suite, "lwip"),))
    return Version((built, _BARE_ROOT), f"lwip {version.replace(' ', '-')}")


DEVICES = (
    Device(
        name="sensor",
        category="Home Automation",
        about="a sensor with a relay: ESPHome's firmware for a computer, heard by a panel",
        main="esphome",
        moves="application",
        pace="a value every 3 s for every minute; keep-alive 8 s for 20 s",
        versions=tuple(map(_sensor, ("2024.6.6", "2025.6.3", "2026.6.5"))),
        start="again 1 sensor",
        visit="python3 /fwid/panel.py sensor.home switch",
        visitor=_PANEL,
        settings=({"ROOM": "sensor"}, {"ROOM": "sensor"}),
        peers=(Peer("hub", _PANEL, "exec python3 /fwid/panel.py sensor.home"),),
    ),
    Device(
        name="switch",
        category="Home Automation",
        about="a wall switch on lwIP: DHCP, DNS, mDNS, SNTP and MQTT are all lwIP's",
        main="lwip",
        moves="network stack",
        pace="a state every 5 s for every minute; time every 15 s for every hour",
        versions=(
            _switch("2.1.3", "bookworm"),
            _switch("2.2.1", "trixie"),
            _switch("2.2.1 11520", "trixie"),
        ),
        start="""echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6
again 1 switch""",
        visit='mosquitto_pub -h "$HUB" -t home/switch/set -m toggle',
        settings=(
            {"EVERY": "5", "TOPIC": "home/switch/state"},
            {"EVERY": "8", "TOPIC": "home/hall/upstairs/switch/state"},
        ),
        peers=(BROKER,),
        dhcp="none",
    ),
)

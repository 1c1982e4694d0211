"""The data card: what a corpus is made of and what it is not, beside the captures."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from string import Template

from fwid_agent.lab.corpus.catalogue import DEVICES
from fwid_agent.lab.corpus.fetch import Stacks
from fwid_agent.lab.corpus.model import Device
from fwid_agent.lab.corpus.order import Order

_HEADERS = "Frames are cut behind their headers"
_KEPT = {
    True: f"{_HEADERS}, but for TLS ClientHello, DNS, DHCP, mDNS and SSDP, which are whole.",
    False: f"{_HEADERS}; lengths on the wire are kept.",
}


def write_card(order: Order, stacks: Stacks) -> None:
    """Write README.md and software.json."""
    software = {
        device.name: {
            stacks.label(device, version): stacks.contents(version.layers)
            for version in device.versions
        }
        for device in order.devices
    }
    text = json.dumps(software, indent=1, sort_keys=True) + "\n"
    (order.target / "software.json").write_text(text)
    card = Template(Path(__file__).with_name("card.md").read_text()).substitute(
        devices=len(order.devices),
        days=order.days,
        seed=order.seed,
        day_s=f"{order.tempo.day_s:g}",
        command=_command(order),
        kept=_KEPT[order.handshakes],
        table="\n".join(_rows(order.devices, stacks)),
    )
    (order.target / "README.md").write_text(card)


def _command(order: Order) -> str:
    """Return what makes such a corpus again."""
    words = f"fwid lab corpus --seed {order.seed} --days {order.days} --day {order.tempo.day_s:g}"
    if len(order.devices) < len(DEVICES):
        words += "".join(f" --device {device.name}" for device in order.devices)
    return words if order.handshakes else f"{words} --no-handshakes"


def _rows(devices: Sequence[Device], stacks: Stacks) -> Iterator[str]:
    for device in devices:
        versions = ", ".join(stacks.label(device, version) for version in device.versions)
        cells = (device.name, device.category, device.about, device.moves, device.pace, versions)
        yield f"| {' | '.join(cells)} |"

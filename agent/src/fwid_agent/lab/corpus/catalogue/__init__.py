"""The devices of the made corpus: data only."""

from fwid_agent.lab.corpus.catalogue import built, clients, media, nodes, pythons, systems
from fwid_agent.lab.corpus.model import Device

DEVICES: tuple[Device, ...] = (
    *clients.DEVICES,
    *media.DEVICES,
    *nodes.DEVICES,
    *pythons.DEVICES,
    *built.DEVICES,
    *systems.DEVICES,  # the latest last: a place in this list is an address
)
# Those of the short corpus: small to fetch.
QUICK = ("doorcam", "thermostat", "clock")

"""All that is known of an agent at one moment; it is replaced, never changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from .models import AgentInfo, Device


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An agent and its devices; a device that has not changed stays the same object."""

    info: AgentInfo
    devices: Mapping[str, Device]  # by MAC

    def with_device(self, device: Device) -> Self:
        """Return this with another state of one device."""
        return replace(self, devices={**self.devices, device.mac: device})


def take_snapshot(
    info: AgentInfo, devices: Iterable[Device], before: Snapshot | None = None
) -> Snapshot:
    """Put together what was read, with the objects of before where nothing has changed."""
    known = before.devices if before else {}
    kept = {}
    for device in devices:
        old = known.get(device.mac)
        kept[device.mac] = old if old == device and old is not None else device
    return Snapshot(info, kept)


def find_arrivals(
    snapshot: Snapshot, enrolled: Iterable[str], offered_until: datetime | None, most: int
) -> list[Device]:
    """Return devices that have come since the last ones were offered, oldest first.

    Private addresses change at will, and anybody can invent any number of them: they are never
    offered by themselves, and of all others only so many at once.
    """
    known = set(enrolled)
    new = [
        device
        for device in snapshot.devices.values()
        if device.mac not in known
        and not device.randomised
        and (offered_until is None or device.first_seen > offered_until)
    ]
    return sorted(new, key=lambda device: (device.first_seen, device.mac))[:most]

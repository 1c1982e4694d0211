"""Everything that a device's state rests on, to be kept or shown to somebody."""

from dataclasses import asdict
from typing import Any

from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from .coordinator import FwidCoordinator
from .models import Device, Judged
from .words import Strings, describe_reasons


async def collect_evidence(coordinator: FwidCoordinator, mac: str, days: int) -> JsonObjectType:
    """Return what is known of a device, and what was decided of it lately."""
    history = await coordinator.async_history(mac, days)
    device = coordinator.data.devices[mac]
    strings = coordinator.strings
    return {
        "exported": dt_util.utcnow().isoformat(),
        "agent": coordinator.data.info.id,
        "agent_version": coordinator.data.info.version,
        "name": coordinator.name_of(mac),
        "mac": mac,
        "state": device.state,
        "since": device.since.isoformat() if device.since else None,
        "version": device.version,
        "versions": [asdict(known) for known in device.versions],
        "reasons": [*describe_reasons(device.reasons, strings)],
        "kind": asdict(device.kind) if device.kind else None,
        "identified": describe_identified(device),
        "last_alarm": device.alarm_event,
        "history": [describe_judged(judged, strings) for judged in history],
    }


def describe_identified(device: Device) -> dict[str, Any] | None:
    """Return what a device behaves like; None where it was not identified."""
    if device.identified is None:
        return None
    return {**asdict(device.identified), "time": device.identified.time.isoformat()}


def describe_judged(judged: Judged, strings: Strings) -> dict[str, Any]:
    """Return what was decided of a unit, with its reasons in words."""
    low, high = judged.band or (None, None)
    return {
        "time": judged.time.isoformat(),
        "state": judged.state,
        "version": judged.version,
        "verdict": judged.verdict,
        "similarity": judged.similarity,
        "low": low,
        "high": high,
        "g": judged.g,
        "reasons": describe_reasons(judged.reasons, strings),
    }

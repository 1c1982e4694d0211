"""An event as people and automations get it: the same facts on the bus and on the entity."""

from typing import Any

from .models import Device, Event
from .words import Strings, describe_reasons


def event_facts(event: Event, device: Device | None, strings: Strings) -> dict[str, Any]:
    """Return the facts of an event, with the device's names for its versions."""

    def label_of(version: int | None) -> str | None:
        return device.label_of(version) if device else None

    return {
        "id": event.id,
        "seq": event.seq,
        "time": event.time.isoformat(),
        "from_version": event.from_version,
        "to_version": event.to_version,
        "from_label": label_of(event.from_version),
        "to_label": label_of(event.to_version),
        "cause": event.cause,
        "expected": event.expected,
        "reasons": describe_reasons(event.reasons, strings),
    }

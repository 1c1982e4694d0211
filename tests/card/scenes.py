"""What the integration answers in the card's tests: devices in every state, with histories."""

from datetime import UTC, datetime, timedelta
from typing import Any

Scene = dict[str, Any]

NOW = datetime(2026, 5, 20, tzinfo=UTC)
HOSTILE = '<img src=x onerror="window.hacked=1"><b>Lamp</b>'
REASONS = [
    "DNS sent at home, size 90 bytes in every first flight: was 100",
    "HTTP sent to the cloud, size 253 bytes in every first flight: was 252",
]


def moment(days_ago: float) -> str:
    """Return a time as the integration writes it."""
    return (NOW - timedelta(days=days_ago)).isoformat().replace("+00:00", "Z")


def device(device_id: str, name: str, state: str, **values: object) -> Scene:
    """Return a device as `fwid/devices` gives it."""
    return {
        "device_id": device_id,
        "entry_id": "entry",
        "name": name,
        "area": None,
        "state": state,
        "available": True,
        "version": 1,
        "label": None,
        "since": moment(25),
        "similarity": 0.93,
        "effect_size": 0.2,
        "reasons": [],
        "cause": "none",
        "entity_id": f"sensor.{device_id}",
        "event_entity_id": f"event.{device_id}",
        "accept_entity_id": f"button.{device_id}",
        "alarm_event": None,
        "identified": None,
        **values,
    }


def history(days: int = 30, changed_for: int = 0, gap_at: int | None = None) -> Scene:
    """Return a history as `fwid/history` gives it, the last days of it after a change."""
    units = []
    for day in range(days):
        changed = day >= days - changed_for
        ripple = 0.02 * ((day * 7919) % 5 - 2) / 2
        similarity = None if day == gap_at else (0.55 if changed else 0.93) + ripple
        units.append(
            {
                "time": moment(days - day),
                "state": "changed" if changed else "stable",
                "version": 1,
                "verdict": "changed" if changed else "stable",
                "similarity": similarity,
                "low": 0.88,
                "high": 0.97,
                "g": 4.2 if changed else 0.1,
                "reasons": REASONS if changed else [],
            }
        )
    return {
        "history": units,
        "versions": [{"version": 1, "label": "1.1.0"}, {"version": 2, "label": None}],
    }


def home(**values: object) -> Scene:
    """Return a home with a device in every state, one of them with a name that means harm."""
    devices = [
        device("plug", "Kitchen plug", "stable", area="Kitchen", label="1.1.0"),
        device(
            "sensor",
            "Water sensor",
            "changed",
            area="Cellar",
            version=2,
            since=moment(4),
            similarity=0.55,
            effect_size=4.2,
            reasons=REASONS,
            cause="software",
            alarm_event="event-1",
        ),
        device("scale", "Bathroom scale", "learning", version=None, similarity=None, since=None),
        device("siren", "Siren", "suspected", area="Hall", similarity=0.85, effect_size=1.1),
        device("lamp", HOSTILE, "quiet", area="<i>Attic</i>", reasons=["<script>1</script>"]),
    ]
    return {
        "config": {"title": "Firmware"},
        "entities": {"event.plug": {"platform": "fwid", "device_id": "plug"}},
        "devices": devices,
        "histories": {
            "plug": history(gap_at=12),
            "sensor": history(changed_for=4),
            "scale": {"history": [], "versions": []},
            "siren": history(),
            "lamp": history(days=10),
        },
        **values,
    }

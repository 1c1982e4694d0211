"""SQLite store of windows, units, verdicts and events."""

from fwid_agent.store.alone import alone
from fwid_agent.store.rows import (
    DeviceName,
    DeviceRow,
    EventPage,
    IdentificationRow,
    Progress,
    SessionProgress,
    VerdictRow,
)
from fwid_agent.store.store import Store

__all__ = [
    "DeviceName",
    "DeviceRow",
    "EventPage",
    "IdentificationRow",
    "Progress",
    "SessionProgress",
    "Store",
    "VerdictRow",
    "alone",
]

"""All faults, in the order of the table."""

from collections.abc import Mapping

from tests.system.faults import api, clock, disk, killed, wire
from tests.system.faults.lab import Fault

FAULTS: Mapping[str, Fault] = {
    "stopped": killed.stopped,
    "agent-killed": killed.agent_killed,
    "capture-killed": killed.capture_killed,
    "disk-full": disk.full,
    "disk-read-only": disk.read_only,
    "store-removed": disk.removed,
    "store-damaged": disk.damaged,
    "clock-forward": clock.forward,
    "clock-back": clock.back,
    "clock-hour-back": clock.hour_back,
    "down-and-up": wire.down_and_up,
    "unplugged": wire.unplugged,
    "addresses-changed": wire.addresses_changed,
    "made-up-addresses": wire.made_up_addresses,
    "malformed": wire.malformed,
    "api-flooded": api.flooded,
}

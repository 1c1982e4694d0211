"""Constants of the integration."""

from datetime import timedelta

DOMAIN = "fwid"
DEFAULT_PORT = 8127

CONF_FINGERPRINT = "fingerprint"  # SHA-256 of the agent's certificate, 64 hexadecimal digits
CONF_CODE = "code"
CONF_DEVICES = "devices"  # MACs of the enrolled devices
CONF_SHARE_KINDS = "share_kinds"
CONF_SHARE_VERSIONS = "share_versions"
CONF_OFFERED_UNTIL = "offered_until"  # devices first seen after it have not been offered yet

MOST_DEVICES = 64
MOST_ARRIVALS = 5  # discoveries of new devices that wait for an answer at once

EVENT_FIRMWARE_CHANGED = "fwid_firmware_changed"

# A change shows once the day of the update is judged, and is an alarm one or two days later.
UPDATE_EXPECTED = timedelta(days=3)

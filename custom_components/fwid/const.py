"""Constants of the integration."""

DOMAIN = "fwid"

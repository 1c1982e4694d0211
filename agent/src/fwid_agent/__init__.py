"""fwid agent: from packet headers to a verdict on a device's firmware."""

"""What devices announce to their neighbours: multicast DNS (RFC 6762, 6763) and SSDP (UPnP 1.1).

Only what is the same for every device of one kind and software is kept: kinds of services, names of
attributes, and the values of those attributes that say which software it is. Serial numbers, keys
and names of instances are passed over.
"""

from collections.abc import Iterator

from fwid_agent.core.handshakes.dns import (
    AAAA,
    PTR,
    SRV,
    TXT,
    A,
    Message,
    Name,
    Record,
    read_strings,
)
from fwid_agent.core.handshakes.values import Saying, clean, join_labels, say
from fwid_agent.types import TokenKind

# Attributes in which services tell their software, as AirPlay, Cast, ESPHome, Shelly and others do.
SOFTWARE_KEYS = frozenset({
    "version", "ver", "vers", "vs", "fv", "fw", "ov", "fw_id", "fw_version", "fwversion",
    "firmware", "firmware_version", "firmwareversion", "project_version", "srcvers", "osvers",
    "software", "software_version", "sw", "sw_version", "swversion", "swver", "app_version",
    "server_version", "build",
})  # fmt: skip
_META = (b"_services", b"_dns-sd", b"_udp", b"local")  # asks for all kinds of services
_MOST_STRINGS, _MOST_LINES = 64, 64
_SSDP_STARTS = (b"NOTIFY ", b"M-SEARCH ", b"HTTP/1.")
_SOFTWARE_LINES, _SERVICE_LINES = (b"SERVER", b"USER-AGENT"), (b"NT", b"ST")


def read_mdns(message: Message) -> Iterator[Saying]:
    """Yield what a message of multicast DNS says of its sender."""
    if not message.answer:
        for name, _ in message.questions:
            yield from say(TokenKind.DNS_NAME, _service_of(name))
        return
    for record in message.records:
        if record.kind in (PTR, SRV):
            named = record.target if record.name == _META else record.name
            yield from say(TokenKind.ANNOUNCED_SERVICE, _service_of(named))
        elif record.kind == TXT:
            yield from _read_attributes(record)
        elif record.kind in (A, AAAA):
            yield from say(TokenKind.HOST_NAME, join_labels(record.name).removesuffix(".local"))


def read_ssdp(data: bytes) -> Iterator[Saying]:
    """Yield what an SSDP message says of its sender."""
    if not data.startswith(_SSDP_STARTS):
        return
    for line in data.split(b"\n", _MOST_LINES)[1:_MOST_LINES]:
        name, _, value = line.partition(b":")
        name = name.strip().upper()
        if name in _SOFTWARE_LINES:
            yield from say(TokenKind.ANNOUNCED_SOFTWARE, clean(value))
        elif name in _SERVICE_LINES and not value.strip().lower().startswith(b"uuid:"):
            yield from say(TokenKind.ANNOUNCED_SERVICE, clean(value))


def _read_attributes(record: Record) -> Iterator[Saying]:
    service = _service_of(record.name)
    for number, each in enumerate(read_strings(record.data)):
        name, _, value = each.partition(b"=")
        key = clean(name).lower()  # keys are alike in either case (RFC 6763, section 6.4)
        if not key or number >= _MOST_STRINGS:
            continue
        yield from say(TokenKind.ANNOUNCED_SERVICE, f"{service} {key}".strip())
        if key in SOFTWARE_KEYS and value:
            yield from say(TokenKind.ANNOUNCED_SOFTWARE, f"{service} {key}={clean(value)}".strip())


def _service_of(name: Name) -> str:
    """Return the kind of service in a name, "" where there is none: _hap._tcp of x._hap._tcp.local.

    A subtype stands before it (RFC 6763, section 7.1) and is part of it.
    """
    begin = next((at for at, label in enumerate(name) if label.startswith(b"_")), len(name))
    return join_labels(name[begin:]).removesuffix(".local")

"""Which protocol row a packet belongs to, by EtherType, IP protocol and well-known ports."""

import numpy as np

from fwid_agent.types import PROTOCOLS, U1, PacketBatch, Undecoded

_CODE = {name: index for index, name in enumerate(PROTOCOLS)}
OTHER = _CODE["l2"]  # whatever has no row of its own: LLC, other EtherTypes, other IP protocols
_SERVICE_PORTS = {
    "dhcp": (67, 68, 546, 547),
    "dns": (53,),
    "mdns": (5353,),
    "ssdp": (1900,),
    "ntp": (123,),
    "http": (80, 8000, 8008, 8080),
    "tls": (443, 853, 4433, 8443, 8883),
    "mqtt": (1883,),
}
_NONE = 255
_ARP, _EAPOL = 0x0806, 0x888E


def _by_port() -> U1:
    table = np.full(1 << 16, _NONE, np.uint8)
    for name, ports in _SERVICE_PORTS.items():
        table[list(ports)] = _CODE[name]
    return table


def _by_protocol() -> U1:
    table = np.full(256, OTHER, np.uint8)
    for number, name in ((1, "icmp"), (2, "igmp"), (6, "tcp"), (17, "udp"), (58, "icmpv6")):
        table[number] = _CODE[name]
    return table


_PORT_CODE, _PROTOCOL_CODE = _by_port(), _by_protocol()


def classify(batch: PacketBatch) -> U1:
    """Return each packet's index into PROTOCOLS; a port of either side decides."""
    code = _PROTOCOL_CODE[batch.proto]
    # Where both ports have a name (a DNS server asking by NTP), the lower code stands.
    service = np.minimum(_PORT_CODE[batch.src_port], _PORT_CODE[batch.dst_port])
    code = np.where(service != _NONE, service, code)
    silent = batch.ip_version == 0
    if silent.any():
        code[silent] = OTHER
        code[silent & (batch.ethertype == _ARP)] = _CODE["arp"]
        code[silent & (batch.ethertype == _EAPOL)] = _CODE["eapol"]
    code[batch.undecoded != Undecoded.OK] = OTHER
    return code

"""Packets of every kind that fwid reads, made by scapy, with what a reader has to find in them."""

import random
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from scapy.layers.eap import EAPOL
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import (
    ARP,
    LLC,
    SNAP,
    STP,
    CookedLinux,
    CookedLinuxV2,
    Dot1AD,
    Dot1Q,
    Dot3,
    Ether,
)
from scapy.packet import Packet, Raw

_MACS = ("02:11:22:33:44:55", "a4:cf:12:9e:01:7f", "01:00:5e:00:00:fb", "ff:ff:ff:ff:ff:ff")
_V4 = ("192.168.1.20", "10.0.0.1", "8.8.8.8", "239.255.255.250", "255.255.255.255")
_V6 = ("fe80::1", "2001:db8::a:b", "2a00:1450:4001::200e", "ff02::fb")
_PORTS = (0, 53, 80, 443, 1883, 5353, 50_000, 65_535)
_OPTIONS: dict[Any, tuple[int, ...]] = {
    (): (),
    (("MSS", 1460),): (2,),
    (("MSS", 536), ("NOP", None), ("WScale", 7)): (2, 1, 3),
    (("MSS", 1400), ("SAckOK", b""), ("Timestamp", (1, 2)), ("NOP", None), ("WScale", 2)): (
        2, 4, 8, 1, 3,
    ),
}  # fmt: skip

LINKS = ("ethernet", "snap", "cooked", "cooked2", "raw")
NETWORKS = ("ipv4", "ipv6", "arp", "eapol", "lldp", "llc")
TRANSPORTS = ("tcp", "udp", "icmp", "igmp", "gre")
_LINK_TYPES = {"ethernet": 1, "snap": 1, "cooked": 113, "cooked2": 276, "raw": 101}
_ETHERTYPES = {"ipv4": 0x0800, "ipv6": 0x86DD, "arp": 0x0806, "eapol": 0x888E, "lldp": 0x88CC}


@dataclass(frozen=True)
class Made:
    """One frame, the columns that a reader has to find, and how much of it that takes."""

    data: bytes
    link_type: int
    columns: dict[str, int]
    needed_bytes: int  # up to the end of the last header, without TCP options
    kind: tuple[str, ...]


def make(rng: random.Random, link: str, network: str, transport: str) -> Made | None:
    """Make a frame of the kinds named; None where they do not go together."""
    without_link = link == "raw" and network not in ("ipv4", "ipv6")
    no_such = (network, transport) == ("ipv6", "igmp") or (network == "llc" and link != "ethernet")
    if without_link or no_such:
        return None
    columns = dict.fromkeys(
        ("src_mac", "dst_mac", "ethertype", "vlan", "ip_version", "src_hi", "src_lo", "dst_hi",
         "dst_lo", "proto", "src_port", "dst_port", "tcp_flags", "ttl", "window", "mss", "options",
         "payload_bytes"), 0,
    )  # fmt: skip
    layers: list[Packet] = []
    link_bytes = _add_link(rng, link, network, layers, columns)
    header_bytes = link_bytes
    body = b""
    if network in ("ipv4", "ipv6"):
        header_bytes, size_bytes = _add_network(
            rng, network, transport, layers, columns, link_bytes
        )
    else:
        body = _body(rng, network)
    whole = layers[0]
    for layer in layers[1:]:
        whole = whole / layer
    data = bytes(whole) + body
    if network not in ("ipv4", "ipv6"):
        size_bytes = len(data) - link_bytes
    elif link == "ethernet":
        # Ethernet pads short frames; the IP length tells the packet from the padding.
        data += bytes(rng.choice([0, 0, 6, 20]))
        if network == "ipv4" and rng.random() < 0.1:
            data, size_bytes = _uncut(data, link_bytes, columns)
    columns["size_bytes"], columns["wire_bytes"] = size_bytes, len(data)
    return Made(data, _LINK_TYPES[link], columns, header_bytes, (link, network, transport))


def make_all(rng: random.Random, rounds: int) -> list[Made]:
    """Make frames of every combination, `rounds` of each."""
    kinds = [(a, b, c) for a in LINKS for b in NETWORKS for c in TRANSPORTS]
    made = [make(rng, *kind) for _ in range(rounds) for kind in kinds]
    return [one for one in made if one is not None]


def _add_link(
    rng: random.Random, link: str, network: str, layers: list[Packet], columns: dict[str, int]
) -> int:
    source, target = rng.choice(_MACS[:2]), rng.choice(_MACS)
    ethertype = _ETHERTYPES.get(network, 0)
    columns["ethertype"] = ethertype
    if link == "raw":
        return 0
    columns["src_mac"] = _number(source)
    number = int(source.replace(":", ""), 16).to_bytes(6, "big") + bytes(2)
    if link == "cooked":
        layers.append(CookedLinux(lladdrtype=1, lladdrlen=6, src=number, proto=ethertype))
        return 16
    if link == "cooked2":
        layers.append(CookedLinuxV2(lladdrtype=1, lladdrlen=6, src=number, proto=ethertype))
        return 20
    columns["dst_mac"] = _number(target)
    if link == "snap":
        layers += [Dot3(src=source, dst=target), LLC(dsap=0xAA, ssap=0xAA, ctrl=3)]
        layers.append(SNAP(OUI=0, code=ethertype))
        return 22
    if network == "llc":
        layers += [Dot3(src=source, dst=target), LLC(dsap=0x42, ssap=0x42, ctrl=3), STP()]
        return 14
    tags = [(rng.choice([Dot1Q, Dot1AD]), rng.randrange(1, 4095)) for _ in range(rng.randrange(3))]
    codes = [{Dot1Q: 0x8100, Dot1AD: 0x88A8}[kind] for kind, _ in tags] + [ethertype]
    layers.append(Ether(src=source, dst=target, type=codes[0]))
    layers.extend(
        kind(vlan=vlan, type=code) for (kind, vlan), code in zip(tags, codes[1:], strict=True)
    )
    columns["vlan"] = tags[0][1] if tags else 0
    return 14 + 4 * len(tags)


def _add_network(
    rng: random.Random,
    network: str,
    transport: str,
    layers: list[Packet],
    columns: dict[str, int],
    at: int,
) -> tuple[int, int]:
    """Add IP and what it carries; returns where the headers end, and the packet's size."""
    upper, proto, header, payload = _transport(rng, network, transport, columns)
    columns |= {"proto": proto, "ttl": rng.choice([1, 64, 128, 255])}
    later = rng.random() < 0.1
    fragment = {"offset": 185, "more": 0} if later else {"offset": 0, "more": rng.random() < 0.1}
    if network == "ipv4":
        options = rng.choice([[], [], [IPOption_Router_Alert()], [IPOption_NOP()] * 8])
        source, target = rng.choice(_V4[:3]), rng.choice(_V4)
        layers.append(
            IP(src=source, dst=target, ttl=columns["ttl"], proto=proto, options=options,
               id=rng.randrange(65_536), frag=fragment["offset"],
               flags="MF" if fragment["more"] else 0)
        )  # fmt: skip
        network_bytes = 20 + sum(len(bytes(option)) for option in options)
        columns |= {"ip_version": 4, "src_lo": _number4(source), "dst_lo": _number4(target)}
    else:
        source, target = rng.choice(_V6[:3]), rng.choice(_V6)
        extensions = [
            kind() for kind in (IPv6ExtHdrHopByHop, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting)
            if rng.random() < 0.2
        ]  # fmt: skip
        if later or fragment["more"]:
            extensions.append(
                IPv6ExtHdrFragment(offset=fragment["offset"], m=int(fragment["more"]), id=7)
            )
        first = _EXTENSION_NUMBERS[type(extensions[0])] if extensions else proto
        layers.append(IPv6(src=source, dst=target, hlim=columns["ttl"], nh=first))
        following = [_EXTENSION_NUMBERS[type(one)] for one in extensions[1:]] + [proto]
        for extension, number in zip(extensions, following, strict=False):
            extension.nh = number
        layers.extend(extensions)
        network_bytes = 40 + sum(len(bytes(one)) for one in extensions)
        columns["ip_version"] = 6
        for side, address in (("src", source), ("dst", target)):
            number = _number6(address)
            columns |= {f"{side}_hi": number >> 64, f"{side}_lo": number & (2**64 - 1)}
    layers.append(upper)
    if later:
        # What stands where a header would stand is the middle of somebody's data.
        columns |= dict.fromkeys(
            ("src_port", "dst_port", "tcp_flags", "window", "mss", "options"), 0
        )
        columns["payload_bytes"] = len(bytes(upper))
        header = 0
    else:
        columns["payload_bytes"] = payload
    return at + network_bytes + header, network_bytes + len(bytes(upper))


def _transport(
    rng: random.Random, network: str, transport: str, columns: dict[str, int]
) -> tuple[Packet, int, int, int]:
    """Return the layer with its data, its number, how much of it must be there, its payload."""
    data = rng.randbytes(rng.choice([0, 0, 1, 100, 700]))
    if transport == "tcp":
        options = rng.choice(list(_OPTIONS))
        flags = rng.choice([0x02, 0x12, 0x10, 0x18, 0x11, 0x04])
        ports = rng.choice(_PORTS), rng.choice(_PORTS)
        window = rng.choice([0, 1024, 29_200, 65_535])
        # The checksum is of no interest, and scapy cannot make one behind a routing header.
        made = TCP(sport=ports[0], dport=ports[1], flags=flags, window=window,
                   options=list(options), chksum=1)  # fmt: skip
        columns |= {
            "src_port": ports[0],
            "dst_port": ports[1],
            "tcp_flags": flags,
            "window": window,
        }
        if flags & 2:
            kinds = _OPTIONS[options]
            # scapy fills up to four bytes by an end of list, which is an option as well.
            kinds += (0,) if _needs_end(kinds) else ()
            for kind in kinds:
                columns["options"] = columns["options"] << 5 | kind + 1
            columns["mss"] = dict(options).get("MSS", 0)
        return made / Raw(data), 6, 20, len(data)
    if transport == "udp":
        ports = rng.choice(_PORTS), rng.choice(_PORTS)
        columns |= {"src_port": ports[0], "dst_port": ports[1]}
        return UDP(sport=ports[0], dport=ports[1], chksum=1) / Raw(data), 17, 8, len(data)
    if transport == "igmp":
        made, number = Raw(bytes.fromhex("1600f9fdef000001")), 2
    elif transport == "icmp" and network == "ipv4":
        made, number = ICMP() / Raw(data), 1
    elif transport == "icmp":
        made, number = ICMPv6EchoRequest(data=data, cksum=1), 58
    else:
        made, number = Raw(bytes(4) + data), 47
    return made, number, 0, len(bytes(made))


def _needs_end(kinds: tuple[int, ...]) -> bool:
    lengths = {1: 1, 2: 4, 3: 3, 4: 2, 8: 10}
    return sum(lengths[kind] for kind in kinds) % 4 != 0


def _body(rng: random.Random, network: str) -> bytes:
    if network == "arp":
        return bytes(ARP(psrc="10.0.0.2", pdst="10.0.0.1", hwsrc=_MACS[0]))
    if network == "eapol":
        return bytes(EAPOL(type=1))
    return rng.randbytes(30) if network == "lldp" else b""


def _uncut(data: bytes, at: int, columns: dict[str, int]) -> tuple[bytes, int]:
    """Leave the IP length 0, as the kernel does where the card is to cut the segment."""
    size = len(data) - at
    columns["payload_bytes"] += size - int.from_bytes(data[at + 2 : at + 4], "big")
    return data[: at + 2] + bytes(2) + data[at + 4 :], size


_EXTENSION_NUMBERS = {
    IPv6ExtHdrHopByHop: 0,
    IPv6ExtHdrRouting: 43,
    IPv6ExtHdrFragment: 44,
    IPv6ExtHdrDestOpt: 60,
}


def _number(mac: str) -> int:
    return int(mac.replace(":", ""), 16)


def _number4(address: str) -> int:
    return int(IPv4Address(address))


def _number6(address: str) -> int:
    return int(IPv6Address(address))

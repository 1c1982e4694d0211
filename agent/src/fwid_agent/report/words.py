"""Reasons in words: a key and its parameters become one English sentence."""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from fwid_agent.core.tcp_options import describe_options

PROTOCOL_NAMES: Mapping[str, str] = {
    "arp": "ARP", "eapol": "EAPOL", "l2": "other link-layer", "icmp": "ICMP", "icmpv6": "ICMPv6",
    "igmp": "IGMP", "dhcp": "DHCP", "dns": "DNS", "mdns": "mDNS", "ssdp": "SSDP", "ntp": "NTP",
    "http": "HTTP", "tls": "TLS", "mqtt": "MQTT", "tcp": "TCP", "udp": "UDP",
}  # fmt: skip
# Protocols that are spoken with neighbours and with the internet alike.
_EITHER = ("icmp", "icmpv6", "dns", "ntp", "http", "tls", "mqtt", "tcp", "udp")
# Of handshakes, whose values are the device's own words: to be shown as text and nothing else.
TEXT_KINDS: Mapping[str, str] = {
    "tls_client": "ClientHello (JA4)",
    "dns_name": "domain",
    "dhcp_options": "requested options",
    "dhcp_vendor": "vendor class",
    "host_name": "host name",
    "announced_software": "announced software",
    "announced_service": "announced service",
}
_KIND = {
    "ttl": "TTL",
    "syn_window": "TCP window at connecting",
    "syn_mss": "TCP maximum segment size",
    "syn_options": "TCP options at connecting",
    "period": "period of regular packets",
    "network": "network on the internet",
    **TEXT_KINDS,
}
_FEATURE = {
    "packets": "packets per window",
    "bytes": "bytes per window",
    "flows": "connections per window",
    "size_mean": "mean packet size",
    "size_spread": "spread of packet sizes",
    "payload_share": "share of packets with payload",
    "gap_mean": "time between packets",
    "gap_spread": "irregularity of the time between packets",
}
Params = Mapping[str, Any]


def describe_reason(key: str, params: Params) -> str:
    """Return the sentence of a reason; one of another version is shown as it is."""
    try:
        return _WRITERS[key](params)
    except (KeyError, TypeError, ValueError):
        return ", ".join([key, *(f"{name} {value}" for name, value in params.items())])


def short_number(value: float) -> str:
    """Write a number as a person would say it: 262 k, 1.4 M, 0.032."""
    for limit, unit, letter in ((1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if abs(value) >= limit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def describe_row(params: Params) -> str:
    """Name a row by its protocol, direction and scope, such as "TLS sent to the cloud"."""
    protocol, direction = str(params["protocol"]), str(params["direction"])
    where = ""
    if params["scope"] == "cloud":
        where = " to the cloud" if direction == "sent" else " from the cloud"
    elif protocol in _EITHER:
        where = " at home"
    return f"{PROTOCOL_NAMES.get(protocol, protocol)} {direction}{where}"


def _size(params: Params, name: str) -> str:
    where = " in every first flight" if params.get("first_flight") else ""
    return f"{describe_row(params)}, size {params[name]} bytes{where}"


def _kind(params: Params, name: str) -> str:
    return f"{describe_row(params)}, {_KIND[params['kind']]} {_value(params, name)}"


def _value(params: Params, name: str) -> str:
    if params["kind"] in TEXT_KINDS:
        return str(params[name])
    return _NUMBERS.get(params["kind"], str)(int(params[name]))


def _network(value: int) -> str:
    """Name a network (core.tokens): 24 bits of IPv4, or 32 of IPv6."""
    if value < 1 << 24:
        return f"{IPv4Address(value << 8)}/24"
    return f"{IPv6Address(value << 96)}/32"


_NUMBERS: Mapping[str, Callable[[int], str]] = {
    "syn_options": describe_options,
    "period": lambda tenths: f"{short_number(tenths / 10)} s",
    "network": _network,
}


def _port(params: Params, word: str) -> str:
    role = "connects to" if params["direction"] == "sent" else "is connected to on"
    return f"{describe_row(params)}: {word} {role} port {params['value']}"


def _statistic_moved(params: Params) -> str:
    before, after = (_amount(params, float(params[name])) for name in ("before", "after"))
    steps = f"{short_number(float(params['steps']))} of its usual day-to-day steps"
    return f"{describe_row(params)}, {_FEATURE[params['feature']]}: {before} → {after}, {steps}"


def _update_episode(params: Params) -> str:
    downloaded, before = (
        short_number(float(params[name])) for name in ("downloaded", "most_before")
    )
    return (
        f"looks like an update: {downloaded} bytes from the cloud in one unit, "
        f"{before} at the most before, and then the network was joined anew"
    )


def _unlike_its_kind(params: Params) -> str:
    like = params["like"]
    other = "no device that is known here" if like is None else str(like)
    return f"behaves like {other}, and is known as {params['label']}"


def _amount(params: Params, value: float) -> str:
    if params["unit"] == "s":
        return f"{short_number(value)} s" if value >= 0.1 else f"{short_number(value * 1e3)} ms"
    if params["feature"] == "payload_share":
        return f"{value:.0%}"
    return f"{short_number(value)} bytes" if params["unit"] == "bytes" else short_number(value)


_WRITERS: Mapping[str, Callable[[Params], str]] = {
    "size_replaced": lambda params: f"{_size(params, 'new')}: was {params['old']}",
    "size_gone": lambda params: f"{_size(params, 'value')}: no longer seen",
    "size_new": lambda params: f"{_size(params, 'value')}: new",
    "value_replaced": lambda params: f"{_kind(params, 'new')}: was {_value(params, 'old')}",
    "value_gone": lambda params: f"{_kind(params, 'value')}: no longer seen",
    "value_new": lambda params: f"{_kind(params, 'value')}: new",
    "port_replaced": lambda params: (
        f"{describe_row(params)}, port {params['new']}: was {params['old']}"
    ),
    "port_gone": lambda params: _port(params, "no longer"),
    "port_new": lambda params: _port(params, "now"),
    "row_gone": lambda params: f"{describe_row(params)}: no longer seen",
    "row_new": lambda params: f"{describe_row(params)}: new",
    "statistic_moved": _statistic_moved,
    "update_episode": _update_episode,
    "unlike_its_kind": _unlike_its_kind,
}

"""Reasons in words: a key and its parameters become one English sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from fwid_agent.core.tcp_options import describe_options

_PROTOCOL = {
    "arp": "ARP", "eapol": "EAPOL", "l2": "other", "icmp": "ICMP", "icmpv6": "ICMPv6",
    "igmp": "IGMP", "dhcp": "DHCP", "dns": "DNS", "mdns": "mDNS", "ssdp": "SSDP", "ntp": "NTP",
    "http": "HTTP", "tls": "TLS", "mqtt": "MQTT", "tcp": "TCP", "udp": "UDP",
}  # fmt: skip
_KIND = {
    "ttl": "TTL",
    "syn_window": "TCP window at connecting",
    "syn_mss": "TCP maximum segment size",
    "syn_options": "TCP options at connecting",
}
_FEATURE = {
    "packets": ("packets per window", 1.0),
    "bytes": ("bytes per window", 1.0),
    "flows": ("connections per window", 1.0),
    "size_mean": ("mean packet size", 1.0),
    "size_spread": ("spread of packet sizes", 1.0),
    "payload_share": ("share of packets with payload", 1.0),
    "gap_mean": ("time between packets", 1.0),
    "gap_spread": ("irregularity of the time between packets", 1.0),
}
Params = Mapping[str, Any]


def describe_reason(key: str, params: Params) -> str:
    """Return the sentence of a reason; an unknown key is shown as it is."""
    writer = _WRITERS.get(key)
    return writer(params) if writer else f"{key}: {dict(params)}"


def _row(params: Params) -> str:
    protocol = _PROTOCOL.get(str(params.get("protocol")), str(params.get("protocol")))
    cloud = " with the cloud" if params.get("scope") == "cloud" else ""
    return f"{protocol} {params.get('direction')}{cloud}"


def _where(params: Params) -> str:
    return " in every first flight" if params.get("first_flight") else ""


def _value(params: Params, name: str) -> str:
    if params.get("kind") == "syn_options":
        return describe_options(int(params[name]))
    return str(params[name])


def _size_replaced(params: Params) -> str:
    return f"{_row(params)}, size {params['new']} bytes{_where(params)}: was {params['old']}"


def _value_replaced(params: Params) -> str:
    kind = _KIND.get(str(params.get("kind")), str(params.get("kind")))
    return f"{_row(params)}, {kind} {_value(params, 'new')}: was {_value(params, 'old')}"


def _port_replaced(params: Params) -> str:
    return f"{_row(params)}, port {params['new']}: was {params['old']}"


def _size_gone(params: Params) -> str:
    return f"{_row(params)}, size {params['value']} bytes{_where(params)}: no longer seen"


def _size_new(params: Params) -> str:
    return f"{_row(params)}, size {params['value']} bytes{_where(params)}: new"


def _value_one(params: Params, word: str) -> str:
    kind = _KIND.get(str(params.get("kind")), str(params.get("kind")))
    return f"{_row(params)}, {kind} {_value(params, 'value')}: {word}"


def _port_one(params: Params, word: str) -> str:
    role = "connects to" if params.get("direction") == "sent" else "is connected to on"
    return f"{_row(params)}: {word} {role} port {params['value']}"


def _row_one(params: Params, word: str) -> str:
    return f"{_row(params)}: {word}"


def _statistic_moved(params: Params) -> str:
    name, _ = _FEATURE.get(str(params["feature"]), (str(params["feature"]), 1.0))
    unit = {"s": " s", "bytes": " bytes"}.get(str(params.get("unit")), "")
    before, after = short_number(params["before"]), short_number(params["after"])
    steps = f"{params['steps']:.0f} of its usual day-to-day steps"
    return f"{_row(params)}, {name}: {before} → {after}{unit}, {steps}"


def short_number(value: float) -> str:
    """Write a number as a person would say it: 262 k, 1.4 M, 0.032."""
    for limit, letter in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= limit:
            scaled = value / (1e3 if letter == " k" else limit)
            return f"{scaled:.3g}{letter}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


_WRITERS: dict[str, Callable[[Params], str]] = {
    "size_replaced": _size_replaced,
    "value_replaced": _value_replaced,
    "port_replaced": _port_replaced,
    "size_gone": _size_gone,
    "size_new": _size_new,
    "value_gone": lambda params: _value_one(params, "no longer seen"),
    "value_new": lambda params: _value_one(params, "new"),
    "port_gone": lambda params: _port_one(params, "no longer"),
    "port_new": lambda params: _port_one(params, "now"),
    "row_gone": lambda params: _row_one(params, "no longer seen"),
    "row_new": lambda params: _row_one(params, "new"),
    "statistic_moved": _statistic_moved,
}

"""Reasons in words, in the language of whoever reads them.

The sentences stand under `common` in the translations; what is no word (numbers, names of
protocols) is the same in all languages.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address

from .const import DOMAIN
from .models import Reason, Scalar

type Strings = Mapping[str, str]  # translations by their full keys
type Params = Mapping[str, Scalar]

_PREFIX = f"component.{DOMAIN}.common."
_PROTOCOLS = {
    "arp": "ARP", "eapol": "EAPOL", "icmp": "ICMP", "icmpv6": "ICMPv6", "igmp": "IGMP",
    "dhcp": "DHCP", "dns": "DNS", "mdns": "mDNS", "ssdp": "SSDP", "ntp": "NTP", "http": "HTTP",
    "tls": "TLS", "mqtt": "MQTT", "tcp": "TCP", "udp": "UDP",
}  # fmt: skip
# Protocols that are spoken with neighbours and with the internet alike.
_EITHER = ("icmp", "icmpv6", "dns", "ntp", "http", "tls", "mqtt", "tcp", "udp")
# Of a SYN's options: five bits each, first option highest, each holding kind + 1.
_TCP_OPTIONS = {0: "EOL", 1: "NOP", 2: "MSS", 3: "WS", 4: "SACK-OK", 5: "SACK", 8: "TS"}
_OTHER_OPTION = 31
# Of handshakes, whose values are the device's own words and not numbers.
_TEXT_KINDS = (
    "tls_client", "dns_name", "dhcp_options", "dhcp_vendor", "host_name", "announced_software",
    "announced_service",
)  # fmt: skip


def describe_reasons(reasons: tuple[Reason, ...], strings: Strings) -> list[str]:
    """Return a sentence for each reason."""
    return [describe_reason(reason, strings) for reason in reasons]


def describe_reason(reason: Reason, strings: Strings) -> str:
    """Return the sentence of a reason; one of another version is shown as it is."""
    try:
        return _WRITERS[reason.key](reason.key, reason.params, strings)
    except KeyError, TypeError, ValueError, OverflowError:
        words = (f"{name} {value}" for name, value in reason.params.items())
        return ", ".join([reason.key, *words])


def short_number(value: float) -> str:
    """Write a number as a person would say it: 262 k, 1.4 M, 0.032."""
    for limit, unit, letter in ((1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if abs(value) >= limit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _say(strings: Strings, key: str, **words: str) -> str:
    return strings[_PREFIX + key].format(**words)


def _row(params: Params, strings: Strings) -> str:
    protocol, direction = str(params["protocol"]), str(params["direction"])
    name = _PROTOCOLS.get(protocol) or strings.get(f"{_PREFIX}protocol_{protocol}", protocol)
    where = "_lan" if protocol in _EITHER else ""
    if params["scope"] == "cloud":
        where = "_cloud"
    return _say(strings, f"row_{direction}{where}", protocol=name)


def _size(key: str, params: Params, strings: Strings) -> str:
    values = {name: str(params[name]) for name in ("old", "new", "value") if name in params}
    first = "_first" if params.get("first_flight") else ""
    return _say(strings, f"reason_{key}{first}", row=_row(params, strings), **values)


def _value(key: str, params: Params, strings: Strings) -> str:
    kind = str(params["kind"])
    values = {
        name: _header_value(kind, params[name], strings)
        for name in ("old", "new", "value")
        if name in params
    }
    row, what = _row(params, strings), _say(strings, f"kind_{kind}")
    return _say(strings, f"reason_{key}", row=row, kind=what, **values)


def _port(key: str, params: Params, strings: Strings) -> str:
    values = {name: str(params[name]) for name in ("old", "new", "value") if name in params}
    side = "" if key == "port_replaced" else f"_{params['direction']}"
    return _say(strings, f"reason_{key}{side}", row=_row(params, strings), **values)


def _whole_row(key: str, params: Params, strings: Strings) -> str:
    return _say(strings, f"reason_{key}", row=_row(params, strings))


def _statistic(key: str, params: Params, strings: Strings) -> str:
    return _say(
        strings,
        f"reason_{key}",
        row=_row(params, strings),
        feature=_say(strings, f"feature_{params['feature']}"),
        before=_amount(params, _number(params["before"]), strings),
        after=_amount(params, _number(params["after"]), strings),
        steps=_say_number(_number(params["steps"]), strings),
    )


def _episode(key: str, params: Params, strings: Strings) -> str:
    amounts = {
        name: _say_number(_number(params[name]), strings) for name in ("downloaded", "most_before")
    }
    return _say(strings, f"reason_{key}", **amounts)


def _kinship(key: str, params: Params, strings: Strings) -> str:
    like, label = params["like"], str(params["label"])
    if like is None:
        return _say(strings, f"reason_{key}_none", label=label)
    return _say(strings, f"reason_{key}", label=label, like=str(like))


def _amount(params: Params, value: float, strings: Strings) -> str:
    if params["unit"] == "s":
        if value >= 0.1:
            return _say(strings, "amount_seconds", value=_say_number(value, strings))
        return _say(strings, "amount_milliseconds", value=_say_number(value * 1e3, strings))
    if params["feature"] == "payload_share":
        return _say(strings, "amount_percent", value=f"{value * 100:.0f}")
    if params["unit"] == "bytes":
        return _say(strings, "amount_bytes", value=_say_number(value, strings))
    return _say_number(value, strings)


def _say_number(value: float, strings: Strings) -> str:
    return short_number(value).replace(".", strings[f"{_PREFIX}decimal_sign"])


def _header_value(kind: str, value: Scalar, strings: Strings) -> str:
    if kind in _TEXT_KINDS:
        return str(value)
    number = int(_number(value))
    if kind == "syn_options":
        return _options(number, strings)
    if kind == "period":  # in tenths of a second
        return _say(strings, "amount_seconds", value=_say_number(number / 10, strings))
    return _network(number) if kind == "network" else str(number)


def _network(number: int) -> str:
    """Name a network: the first 24 bits of IPv4, or the first 32 of IPv6."""
    if number < 1 << 24:
        return f"{IPv4Address(number << 8)}/24"
    return f"{IPv6Address(number << 96)}/32"


def _options(pattern: int, strings: Strings) -> str:
    kinds = []
    while pattern > 0:
        code = pattern & 31
        if code == _OTHER_OPTION:
            kinds.append(_say(strings, "option_other"))
        else:
            kinds.append(_TCP_OPTIONS.get(code - 1, str(code - 1)))
        pattern >>= 5
    return ",".join(reversed(kinds)) or _say(strings, "option_none")


def _number(value: Scalar) -> float:
    if value is None:
        raise TypeError("no number")
    return float(value)


_WRITERS: Mapping[str, Callable[[str, Params, Strings], str]] = {
    "size_replaced": _size,
    "size_gone": _size,
    "size_new": _size,
    "value_replaced": _value,
    "value_gone": _value,
    "value_new": _value,
    "port_replaced": _port,
    "port_gone": _port,
    "port_new": _port,
    "row_gone": _whole_row,
    "row_new": _whole_row,
    "statistic_moved": _statistic,
    "update_episode": _episode,
    "unlike_its_kind": _kinship,
}

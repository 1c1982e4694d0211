"""Requests for addresses (DHCP, RFC 2131 and RFC 2132): what a client tells and asks for.

Of relayed requests and of answers nothing is read: a device speaks of itself and of no other.
"""

from collections.abc import Iterator

HOST_NAME, PARAMETERS, VENDOR_CLASS = 12, 55, 60
_REQUEST = bytes([1, 1, 6])  # op, and Ethernet's kind and length of addresses
_CLIENT_ADDRESS_AT, _COOKIE_AT, _OPTIONS_AT = 28, 236, 240
_COOKIE = b"\x63\x82\x53\x63"
_PAD, _END = 0, 255


def read_request(frame: bytes, mac: int) -> dict[int, bytes]:
    """Return the options in a request of this address's own, the first of each code.

    Args:
        frame: anything that the message stands in.
        mac: of the sender.

    """
    message = frame[max(frame.find(_COOKIE) - _COOKIE_AT, 0) :]
    address = message[_CLIENT_ADDRESS_AT : _CLIENT_ADDRESS_AT + 6]
    if not message.startswith(_REQUEST) or address != mac.to_bytes(6, "big"):
        return {}
    found: dict[int, bytes] = {}
    for code, value in _options(message[_OPTIONS_AT:]):
        found.setdefault(code, value)
    return found


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield code and value of each option, up to where they end or are cut off."""
    at = 0
    while at < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        value = data[at + 2 : at + 2 + data[at + 1]] if at + 1 < len(data) else b""
        if at + 1 >= len(data) or len(value) < data[at + 1]:
            return
        yield data[at], value
        at += 2 + len(value)

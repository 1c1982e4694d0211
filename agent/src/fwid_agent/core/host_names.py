"""Names that devices give themselves when they ask for an address (DHCP option 12, RFC 2132).

Whoever sends a frame chooses what stands in it: every length is checked, a device names itself and
no other, and of a name only what can be printed is kept. It stays a text that may say anything.
"""

from collections.abc import Iterator

import numpy as np

from fwid_agent.types import FrameBlock, PacketBatch

MOST_CHARACTERS = 64
_MOST_READ = 64  # of a block: a flood of requests costs no more
_UDP, _CLIENT, _SERVER = 17, 68, 67
_REQUEST = bytes([1, 1, 6])  # op, and Ethernet's kind and length of addresses (RFC 2131)
_CLIENT_ADDRESS_AT, _COOKIE_AT, _OPTIONS_AT = 28, 236, 240
_COOKIE = b"\x63\x82\x53\x63"
_PAD, _HOST_NAME, _END = 0, 12, 255


def read_host_names(block: FrameBlock, batch: PacketBatch) -> dict[int, str]:
    """Read the names in a block's requests, by MAC.

    Args:
        block, batch: the same frames, raw and decoded.

    """
    asking = (batch.proto == _UDP) & (batch.src_port == _CLIENT) & (batch.dst_port == _SERVER)
    names = {}
    for index in np.flatnonzero(asking)[:_MOST_READ].tolist():
        begin = int(block.offsets[index])
        frame = block.buffer[begin : begin + int(block.captured_bytes[index])].tobytes()
        mac = int(batch.src_mac[index])
        name = clean_name(_find_name(frame, mac))
        if name:
            names[mac] = name
    return names


def clean_name(raw: bytes) -> str:
    """Keep what can be printed: neither control characters nor any that turn the text round."""
    text = raw.decode("utf-8", "ignore")
    return "".join(char for char in text if char.isprintable())[:MOST_CHARACTERS].strip()


def _find_name(frame: bytes, mac: int) -> bytes:
    """Return the name in a request of this address's own, b"" where there is none."""
    message = frame[max(frame.find(_COOKIE) - _COOKIE_AT, 0) :]
    address = message[_CLIENT_ADDRESS_AT : _CLIENT_ADDRESS_AT + 6]
    if not message.startswith(_REQUEST) or address != mac.to_bytes(6, "big"):
        return b""
    for code, value in _options(message[_OPTIONS_AT:]):
        if code == _HOST_NAME:
            return value
    return b""


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

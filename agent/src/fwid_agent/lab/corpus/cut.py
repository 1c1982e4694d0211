"""What of a capture is kept: headers, their times moved to the day's own date.

With handshakes, frames that only say who and what a device is are kept whole: DHCP, DNS, mDNS,
SSDP, and a TLS client's first message, whose frames may be several.
"""

import struct
from dataclasses import dataclass

from fwid_agent.lab.excerpt import header_length

_GLOBAL = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_MAGIC_US = 0xA1B2C3D4
_HANDSHAKE_PORTS = {53, 67, 68, 1900, 5353}
_TLS_HANDSHAKE, _CLIENT_HELLO = 22, 1
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Cut:
    """How a capture is cut."""

    begin_us: int  # time of what was captured at `origin_us`
    origin_us: int
    length_us: int
    handshakes: bool
    jump_at_us: int = 0  # after the beginning; 0 for never
    jump_us: int = 0  # how far the watching clock is set forward there


@dataclass(frozen=True, slots=True)
class Counted:
    """What is in a cut capture."""

    packets: int
    sent: int
    duration_s: float


def cut_day(data: bytes, mac: bytes, cut: Cut) -> tuple[bytes, Counted]:
    """Cut a little-endian Ethernet pcap down to the frames of a device's day."""
    handshakes = _Handshakes()
    result = bytearray(_GLOBAL.pack(_MAGIC_US, 2, 4, 0, 0, 65535, 1))
    offset, packets, sent, last_us = _GLOBAL.size, 0, 0, 0
    while offset + _RECORD.size <= len(data):
        seconds, fraction, captured, wire = _RECORD.unpack_from(data, offset)
        frame = data[offset + _RECORD.size : offset + _RECORD.size + captured]
        offset += _RECORD.size + captured
        after_us = seconds * _MICRO + fraction - cut.origin_us
        if not 0 <= after_us < cut.length_us:
            continue
        whole = cut.handshakes and handshakes.has(frame)
        kept = frame if whole else frame[: header_length(frame)]
        jump_us = cut.jump_us if cut.jump_at_us and after_us >= cut.jump_at_us else 0
        shown_us = cut.begin_us + after_us + jump_us
        result += _RECORD.pack(shown_us // _MICRO, shown_us % _MICRO, len(kept), wire) + kept
        packets, last_us = packets + 1, after_us
        sent += frame[6:12] == mac
    return bytes(result), Counted(packets, sent, last_us / _MICRO)


class _Handshakes:
    """Finds frames of handshakes; follows a ClientHello over all its segments."""

    def __init__(self) -> None:
        self._lacking: dict[bytes, int] = {}  # addresses and ports -> bytes that are still to come

    def has(self, frame: bytes) -> bool:
        """Whether a frame, the next one of its capture, is of a handshake."""
        kind = int.from_bytes(frame[12:14], "big")
        if kind == 0x0800:
            protocol, addresses, start = frame[23], frame[26:34], 14 + (frame[14] & 15) * 4
            end = 14 + int.from_bytes(frame[16:18], "big")  # short frames are filled up
        elif kind == 0x86DD:
            protocol, addresses, start = frame[20], frame[22:54], 54
            end = 54 + int.from_bytes(frame[18:20], "big")
        else:
            return False
        segment = frame[start:end]
        if protocol == 17 and len(segment) >= 8:
            ports = {int.from_bytes(segment[at : at + 2], "big") for at in (0, 2)}
            return bool(_HANDSHAKE_PORTS & ports)
        if protocol == 6 and len(segment) > 20:
            told = segment[(segment[12] >> 4) * 4 :]
            return self._has_hello(addresses + segment[:4], told)
        return False

    def _has_hello(self, flow: bytes, told: bytes) -> bool:
        if len(told) > 5 and told[0] == _TLS_HANDSHAKE and told[5] == _CLIENT_HELLO:
            self._lacking[flow] = 5 + int.from_bytes(told[3:5], "big") - len(told)
            return True
        if not told or self._lacking.get(flow, 0) <= 0:
            return False
        self._lacking[flow] -= len(told)
        return True

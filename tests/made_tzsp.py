"""TZSP datagrams made byte by byte from its description."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

ETHERNET, WIFI = 1, 18
RECEIVED, TO_TRANSMIT, KEEP_ALIVE, PORT_OPENER = 0, 1, 4, 5
PADDING, END, SIGNAL, ORIGINAL_LENGTH, SENSOR_MAC = 0, 1, 10, 41, 60


@dataclass(frozen=True)
class Tag:
    """One tag; padding and the end have neither length nor data."""

    kind: int
    data: bytes = b""

    def packed(self) -> bytes:
        if self.kind in (PADDING, END):
            return bytes([self.kind])
        return bytes([self.kind, len(self.data)]) + self.data


def original_length(wire_bytes: int) -> Tag:
    return Tag(ORIGINAL_LENGTH, struct.pack(">H", wire_bytes))


def tzsp(
    frame: bytes,
    tags: Sequence[Tag] = (Tag(END),),
    kind: int = RECEIVED,
    protocol: int = ETHERNET,
    version: int = 1,
) -> bytes:
    """One datagram; without tags of its own, as MikroTik's sniffer sends it."""
    head = struct.pack(">BBH", version, kind, protocol)
    return head + b"".join(tag.packed() for tag in tags) + frame

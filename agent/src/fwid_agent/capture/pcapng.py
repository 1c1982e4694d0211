"""pcapng: frames out of a buffer, without any I/O.

Format: the IETF opsawg draft "PCAP Now Generic (pcapng) Capture File Format". Sections, interfaces
with their own link type, resolution and offset of time; enhanced, simple and obsolete packet
blocks; every other block is passed over.
"""

import struct
from dataclasses import dataclass, field

import numpy as np

from fwid_agent.capture.frames import Damage, Frames, Parsed, rows_at
from fwid_agent.types import I8, U2, U4

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
# Blocks beyond this are damage: the largest that tools write are name tables of some megabytes.
MAX_BLOCK_BYTES = 1 << 24
_PACKET_DATA = 28  # offset of the frame in an enhanced and in an old packet block
_OPTION_RESOLUTION, _OPTION_OFFSET = 9, 14


def is_pcapng(head: bytes) -> bool:
    """Say whether a file that begins with these bytes is a pcapng."""
    return len(head) >= 4 and int.from_bytes(head[:4], "little") == _SECTION


@dataclass(frozen=True, slots=True)
class _Interface:
    link_type: int
    snap_bytes: int  # 0: no limit
    resolution: int = 6  # as in the option: power of ten, or of two with the high bit
    offset_s: int = 0


@dataclass(slots=True)
class _Found:
    """Packets found so far in one buffer; one element a packet, in the file's order."""

    kind: list[int] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    length: list[int] = field(default_factory=list)
    first_interface: list[int] = field(default_factory=list)  # of the section


class PcapngParser:
    """Reads the blocks of one file; keeps its interfaces from piece to piece."""

    def __init__(self) -> None:
        self._order = "<"
        self._interfaces: list[_Interface] = []
        self._first_interface = 0
        self._last_ts_ns = 0

    def parse(self, buffer: bytearray, size: int) -> Parsed:
        """Find the frames in the first `size` bytes, which begin with a block."""
        found = _Found()
        parts: list[Frames] = []
        at, damage = 0, None
        while at + 12 <= size:
            (kind,) = struct.unpack_from(self._order + "I", buffer, at)
            if kind == _SECTION:
                # The byte order may change here, so what came before is read in the old one.
                parts.append(self._read(buffer, found))
                found = _Found()
                damage = self._start_section(buffer, at)
                if damage:
                    break
            (length,) = struct.unpack_from(self._order + "I", buffer, at + 4)
            if length < 12 or length % 4 or length > MAX_BLOCK_BYTES:
                damage = Damage(at, f"a block of {length} bytes cannot be; the file is damaged")
                break
            if at + length > size:
                break
            damage = self._take(buffer, at, kind, length, found)
            if damage:
                break
            at += length
        parts.append(self._read(buffer, found))
        return Parsed(_join(parts), at, damage)

    def _start_section(self, buffer: bytearray, at: int) -> Damage | None:
        for order in "<>":
            if struct.unpack_from(order + "I", buffer, at + 8)[0] == _BYTE_ORDER_MAGIC:
                self._order = order
                self._first_interface = len(self._interfaces)
                return None
        return Damage(at, "a section without its byte-order mark; the file is damaged")

    def _take(
        self, buffer: bytearray, at: int, kind: int, length: int, found: _Found
    ) -> Damage | None:
        if kind == _INTERFACE:
            if length < 20:
                return Damage(at, "an interface block that is too short; the file is damaged")
            self._interfaces.append(self._read_interface(buffer, at, length))
        elif kind in (_ENHANCED, _OLD_PACKET, _SIMPLE):
            least = 16 if kind == _SIMPLE else _PACKET_DATA + 4
            if length < least:
                return Damage(at, "a packet block that is too short; the file is damaged")
            found.kind.append(kind)
            found.at.append(at)
            found.length.append(length)
            found.first_interface.append(self._first_interface)
            return self._check_interface(buffer, at, kind)
        return None

    def _check_interface(self, buffer: bytearray, at: int, kind: int) -> Damage | None:
        number = 0
        if kind != _SIMPLE:
            width = "I" if kind == _ENHANCED else "H"
            (number,) = struct.unpack_from(self._order + width, buffer, at + 8)
        if self._first_interface + number >= len(self._interfaces):
            return Damage(at, f"a packet of interface {number}, which is not described")
        return None

    def _read_interface(self, buffer: bytearray, at: int, length: int) -> _Interface:
        link_type, _, snap_bytes = struct.unpack_from(self._order + "HHI", buffer, at + 8)
        resolution, offset_s = 6, 0
        option, end = at + 16, at + length - 4
        while option + 4 <= end:
            code, size = struct.unpack_from(self._order + "HH", buffer, option)
            if code == 0 or option + 4 + size > end:
                break
            if code == _OPTION_RESOLUTION and size >= 1:
                resolution = buffer[option + 4]
            elif code == _OPTION_OFFSET and size >= 8:
                (offset_s,) = struct.unpack_from(self._order + "q", buffer, option + 4)
            option += 4 + (size + 3) // 4 * 4
        return _Interface(link_type, snap_bytes, resolution, offset_s)

    def _read(self, buffer: bytearray, found: _Found) -> Frames:
        """Read the fields of all found packets at once."""
        kind = np.array(found.kind, np.int64)
        at = np.array(found.at, np.int64)
        block_bytes = np.array(found.length, np.int64)
        count = len(at)
        simple = kind == _SIMPLE
        old = kind == _OLD_PACKET
        # A simple packet block is shorter than the row; the row is then cut from the padding.
        padded = (
            buffer if count == 0 or at[-1] + _PACKET_DATA <= len(buffer) else buffer + bytes(16)
        )
        words = rows_at(padded, at, _PACKET_DATA, self._order + "u4").astype(np.int64)
        number = np.where(old, words[:, 2] & 0xFFFF if self._order == "<" else words[:, 2] >> 16, 0)
        number = np.where(kind == _ENHANCED, words[:, 2], number)
        interface = np.array(found.first_interface, np.int64) + number
        wire = np.where(simple, words[:, 2], words[:, 6])
        room = np.where(simple, block_bytes - 16, block_bytes - _PACKET_DATA - 4)
        snap = np.array([i.snap_bytes for i in self._interfaces] or [0], np.int64)
        snap = snap[np.minimum(interface, len(snap) - 1)]
        whole = np.where(snap > 0, np.minimum(wire, snap), wire)
        # A captured length beyond the block is a lie; the frame ends with the block.
        captured = np.minimum(np.where(simple, whole, words[:, 5]), room)
        raw = words[:, 3].astype(np.uint64) << np.uint64(32) | words[:, 4].astype(np.uint64)
        ts_ns = self._times(raw, interface, simple)
        link = np.array([i.link_type for i in self._interfaces] or [0], np.uint16)
        return Frames(
            at + np.where(simple, 12, _PACKET_DATA),
            captured.astype(np.uint32),
            wire.astype(np.uint32),
            ts_ns,
            link[np.minimum(interface, len(link) - 1)],
            np.minimum(interface, 0xFFFF).astype(np.uint16),
        )

    def _times(self, raw: np.ndarray, interface: I8, simple: np.ndarray) -> I8:
        ts_ns = np.zeros(len(raw), np.int64)
        for number in np.unique(interface[~simple]):
            chosen = (interface == number) & ~simple
            ts_ns[chosen] = _to_ns(raw[chosen], self._interfaces[number])
        if simple.any():
            # A simple packet block has no time: the packet before it is the best guess.
            known = np.where(simple, -1, np.arange(len(raw)))
            before = np.maximum.accumulate(known)
            ts_ns = np.where(before >= 0, ts_ns[np.maximum(before, 0)], self._last_ts_ns)
        if len(ts_ns):
            self._last_ts_ns = int(ts_ns[-1])
        return ts_ns


def _to_ns(raw: np.ndarray, interface: _Interface) -> I8:
    power = interface.resolution & 0x7F
    if interface.resolution & 0x80:
        power = min(power, 63)
        whole = (raw >> np.uint64(power)).astype(np.int64)
        rest = (raw & np.uint64((1 << power) - 1)).astype(np.float64)
        ns = whole * 1_000_000_000 + (rest * (1e9 / 2.0**power)).astype(np.int64)
    elif power <= 9:
        ns = raw.astype(np.int64) * 10 ** (9 - power)
    else:
        ns = (raw // np.uint64(10 ** min(power - 9, 19))).astype(np.int64)
    result: I8 = ns + interface.offset_s * 1_000_000_000
    return result


def _join(parts: list[Frames]) -> Frames:
    if len(parts) == 1:
        return parts[0]

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    offsets: I8 = column("offsets")
    captured: U4 = column("captured_bytes")
    source: U2 = column("source")
    return Frames(
        offsets, captured, column("wire_bytes"), column("ts_ns"), column("link_type"), source
    )

"""pcapng: frames out of a buffer, without any I/O.

Format: the IETF opsawg draft "PCAP Now Generic (pcapng) Capture File Format". Sections, interfaces
with their own link type, resolution and offset of time; enhanced, simple and obsolete packet
blocks; every other block is passed over.
"""

import struct
from dataclasses import dataclass

import numpy as np

from fwid_agent.capture.frames import Damage, Frames, Parsed, rows_at
from fwid_agent.types import I8, U8, Bools

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
# Blocks beyond this are damage: the largest that tools write are name tables of some megabytes.
MAX_BLOCK_BYTES = 1 << 24
_PACKET_DATA = 28  # offset of the frame in an enhanced and in an old packet block
_SIMPLE_DATA = 12
_LEAST_BYTES = {_SECTION: 28, _INTERFACE: 20, _OLD_PACKET: 32, _SIMPLE: 16, _ENHANCED: 32}
_OPTION_RESOLUTION, _OPTION_OFFSET = 9, 14
_MAX_OFFSET_S = 1 << 33  # beyond, nanoseconds do not fit into 64 bits: no time of this world


def is_pcapng(head: bytes) -> bool:
    """Say whether a file that begins with these bytes is a pcapng."""
    return len(head) >= 4 and int.from_bytes(head[:4], "little") == _SECTION


@dataclass(frozen=True, slots=True)
class _Interface:
    link_type: int
    snap_bytes: int  # 0: no limit
    resolution: int = 6  # as in the option: power of ten, or of two with the high bit
    offset_s: int = 0


class PcapngParser:
    """Reads the blocks of one file; keeps its interfaces from piece to piece."""

    def __init__(self) -> None:
        self._order = "<"
        self._interfaces: list[_Interface] = []  # of the section
        self._earlier_interfaces = 0  # of the sections before it
        self._last_ts_ns = 0

    def parse(self, buffer: bytearray, size: int) -> Parsed:
        """Find the frames in the first `size` bytes, which begin with a block."""
        blocks = memoryview(buffer)[:size]
        parts: list[Frames] = []
        before, at, damage = -1, 0, None
        while at > before and damage is None:
            before = at
            packets, at, damage = self._scan(blocks, at)
            parts.append(self._read(buffer, np.array(packets, np.int64)))
        return Parsed(_join(parts), at, damage)

    def _scan(self, blocks: memoryview, at: int) -> tuple[list[int], int, Damage | None]:
        """Walk from block to block, as far as they are whole or to the next section.

        Returns where the packet blocks are, and where the walk ended and why.
        """
        packets: list[int] = []
        size = len(blocks)
        read_start = struct.Struct(self._order + "III").unpack_from
        read_end = struct.Struct(self._order + "I").unpack_from
        while at + 12 <= size:
            kind, length, third = read_start(blocks, at)
            if kind == _SECTION:
                if packets:
                    break  # these are to be read in the byte order of their own section
                if not self._start_section(blocks, at):
                    return packets, at, Damage(at, "a section without its byte-order mark")
                read_start = struct.Struct(self._order + "III").unpack_from
                read_end = struct.Struct(self._order + "I").unpack_from
                kind, length, third = read_start(blocks, at)
            if length < _LEAST_BYTES.get(kind, 12) or length % 4 or length > MAX_BLOCK_BYTES:
                reason = f"a block of {length} bytes cannot be; the file is damaged"
                return packets, at, Damage(at, reason)
            end = at + length
            if end > size:
                break
            if read_end(blocks, end - 4)[0] != length:
                reason = "a block whose two lengths differ; the file is damaged"
                return packets, at, Damage(at, reason)
            if kind in (_ENHANCED, _SIMPLE, _OLD_PACKET):
                interface = self._interface_number(kind, third)
                if interface >= len(self._interfaces):
                    reason = f"a packet of interface {interface}, which is not described"
                    return packets, at, Damage(at, reason)
                packets.append(at)
            elif kind == _INTERFACE:
                self._interfaces.append(self._read_interface(blocks, at, length))
            at = end
        return packets, at, None

    def _start_section(self, blocks: memoryview, at: int) -> bool:
        """Learn the byte order; does no harm when done again for a section cut by the buffer."""
        mark = bytes(blocks[at + 8 : at + 12])
        for order in "<>":
            if struct.pack(order + "I", _BYTE_ORDER_MAGIC) == mark:
                self._order = order
                self._earlier_interfaces += len(self._interfaces)
                self._interfaces = []
                return True
        return False

    def _interface_number(self, kind: int, third: int) -> int:
        if kind == _ENHANCED:
            return third
        if kind == _SIMPLE:
            return 0
        return third & 0xFFFF if self._order == "<" else third >> 16

    def _read_interface(self, blocks: memoryview, at: int, length: int) -> _Interface:
        link_type, _, snap_bytes = struct.unpack_from(self._order + "HHI", blocks, at + 8)
        resolution, offset_s = 6, 0
        option, end = at + 16, at + length - 4
        while option + 4 <= end:
            code, size = struct.unpack_from(self._order + "HH", blocks, option)
            if code == 0 or option + 4 + size > end:
                break
            if code == _OPTION_RESOLUTION and size >= 1:
                resolution = blocks[option + 4]
            elif code == _OPTION_OFFSET and size >= 8:
                (offset_s,) = struct.unpack_from(self._order + "q", blocks, option + 4)
                offset_s = offset_s if abs(offset_s) <= _MAX_OFFSET_S else 0
            option += 4 + (size + 3) // 4 * 4
        return _Interface(link_type, snap_bytes, resolution, offset_s)

    def _read(self, buffer: bytearray, at: I8) -> Frames:
        """Read the fields of the packet blocks at these offsets, all of one section."""
        words = rows_at(buffer, at, _PACKET_DATA, self._order + "u4").astype(np.int64)
        kind, block_bytes = words[:, 0], words[:, 1]
        simple = kind == _SIMPLE
        number = words[:, 2].copy()
        if not (kind == _ENHANCED).all():
            number[simple] = 0
            old = kind == _OLD_PACKET
            number[old] = number[old] & 0xFFFF if self._order == "<" else number[old] >> 16
        start = np.where(simple, _SIMPLE_DATA, _PACKET_DATA)
        wire = np.where(simple, words[:, 2], words[:, 6])
        snap = np.array([i.snap_bytes or 0xFFFFFFFF for i in self._interfaces] or [0], np.int64)
        captured = np.where(simple, np.minimum(wire, snap[0]), words[:, 5])
        link_type = np.array([i.link_type for i in self._interfaces], np.uint16)
        return Frames(
            at + start,
            # A captured length beyond the block is a lie; the frame ends with the block.
            np.minimum(captured, block_bytes - 4 - start).astype(np.uint32),
            wire.astype(np.uint32),
            self._times(words, number, simple),
            link_type[number],
            np.minimum(number + self._earlier_interfaces, 0xFFFF).astype(np.uint16),
        )

    def _times(self, words: I8, number: I8, simple: Bools) -> I8:
        raw = words[:, 3].astype(np.uint64) << np.uint64(32) | words[:, 4].astype(np.uint64)
        ts_ns = np.zeros(len(raw), np.int64)
        for interface in np.unique(number) if len(self._interfaces) > 1 else (0,):
            chosen = number == interface
            if len(self._interfaces):
                ts_ns[chosen] = _to_ns(raw[chosen], self._interfaces[interface])
        if simple.any():
            # A simple packet block has no time: the packet before it is the best guess.
            before = np.maximum.accumulate(np.where(simple, -1, np.arange(len(raw))))
            ts_ns = np.where(before >= 0, ts_ns[before], self._last_ts_ns)
        if len(ts_ns):
            self._last_ts_ns = int(ts_ns[-1])
        return ts_ns


def _to_ns(raw: U8, interface: _Interface) -> I8:
    power = interface.resolution & 0x7F
    if interface.resolution & 0x80:
        power = min(power, 63)
        whole = (raw >> np.uint64(power)).astype(np.int64)
        rest = raw & np.uint64((1 << power) - 1)
        kept = min(power, 34)  # bits of the fraction that leave room for the factor
        rest = (rest >> np.uint64(power - kept)) * np.uint64(1_000_000_000) >> np.uint64(kept)
        ns = whole * 1_000_000_000 + rest.astype(np.int64)
    elif power <= 9:
        ns = raw.astype(np.int64) * 10 ** (9 - power)
    else:
        ns = (raw // np.uint64(10 ** min(power - 9, 19))).astype(np.int64)
    result: I8 = ns + interface.offset_s * 1_000_000_000
    return result


def _join(parts: list[Frames]) -> Frames:
    full = [part for part in parts if len(part.offsets)] or parts[:1]
    if len(full) == 1:
        return full[0]
    return Frames(
        *(np.concatenate([getattr(part, name) for part in full]) for name in Frames.__slots__)
    )

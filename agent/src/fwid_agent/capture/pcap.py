"""Classic pcap: frames out of a buffer, without any I/O.

Format: the IETF opsawg draft "PCAP Capture File Format". A FRITZ!Box writes the modified format
of old patches to libpcap, whose records have eight bytes more (interface, protocol, direction).
"""

import struct
from dataclasses import dataclass

import numpy as np

from fwid_agent.capture.frames import Damage, Frames, Parsed, rows_at
from fwid_agent.types import I8

HEADER_BYTES = 24
_RECORD_BYTES, _LONG_RECORD_BYTES = 16, 24
# Above the largest snap length that tools write (256 KiB), a length is damage, not a frame.
MAX_FRAME_BYTES = 1 << 18
# magic as little-endian -> (byte order, nanoseconds a fraction unit, bytes before a frame)
_MAGICS = {
    0xA1B2C3D4: ("<", 1000, _RECORD_BYTES),
    0xA1B23C4D: ("<", 1, _RECORD_BYTES),
    0xA1B2CD34: ("<", 1000, _LONG_RECORD_BYTES),
    0xD4C3B2A1: (">", 1000, _RECORD_BYTES),
    0x4D3CB2A1: (">", 1, _RECORD_BYTES),
    0x34CDB2A1: (">", 1000, _LONG_RECORD_BYTES),
}


def is_pcap(head: bytes) -> bool:
    """Say whether a file that begins with these bytes is a classic pcap."""
    return len(head) >= 4 and int.from_bytes(head[:4], "little") in _MAGICS


@dataclass(frozen=True, slots=True)
class PcapParser:
    """Reads the records of one file; `parse` may be fed any pieces of it."""

    order: str
    fraction_ns: int
    record_bytes: int
    link_type: int

    @classmethod
    def of(cls, header: bytes) -> "PcapParser":
        """Read the global header (HEADER_BYTES long, `is_pcap`)."""
        order, fraction_ns, record_bytes = _MAGICS[int.from_bytes(header[:4], "little")]
        (network,) = struct.unpack_from(order + "I", header, 20)
        # The upper bits hold the length of a frame check sequence, not the type.
        return cls(order, fraction_ns, record_bytes, network & 0xFFFF)

    def parse(self, buffer: bytearray, size: int) -> Parsed:
        """Find the frames in the first `size` bytes, which begin with a record."""
        offsets, end = self._scan(buffer, size)
        fields = rows_at(buffer, offsets, _RECORD_BYTES, self.order + "u4").astype(np.int64)
        damage = None
        too_long = np.flatnonzero(fields[:, 2] > MAX_FRAME_BYTES)
        if len(too_long):
            count = int(too_long[0])
            end = int(offsets[count])
            reason = f"a frame of {fields[count, 2]} bytes cannot be; the file is damaged"
            damage = Damage(end, reason)
        elif end > size:  # the last record goes on beyond the buffer
            count = len(offsets) - 1
            end = int(offsets[count])
        else:
            count = len(offsets)
        fields = fields[:count]
        frames = Frames(
            offsets[:count] + self.record_bytes,
            fields[:, 2].astype(np.uint32),
            fields[:, 3].astype(np.uint32),
            fields[:, 0] * 1_000_000_000 + fields[:, 1] * self.fraction_ns,
            np.full(count, self.link_type, np.uint16),
            np.zeros(count, np.uint16),
        )
        return Parsed(frames, end, damage)

    def _scan(self, buffer: bytearray, size: int) -> tuple[I8, int]:
        """Walk from record to record: the one part that cannot be done for all at once.

        Returns the offset of every record whose header is in the buffer, and where the last ends.
        """
        at, record_bytes = 0, self.record_bytes
        found: list[int] = []
        append = found.append
        read_length = struct.Struct(f"{self.order}8xI{record_bytes - 12}x").unpack_from
        records = memoryview(buffer)[:size]
        try:
            while True:
                (length,) = read_length(records, at)
                append(at)
                at += length + record_bytes
        except struct.error:  # beyond the end; cheaper than to compare each time
            return np.array(found, np.int64), at

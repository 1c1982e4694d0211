"""Captures made byte by byte from the descriptions of the formats, and a reader for tests."""

import gzip
import lzma
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zstandard
from fwid_agent.capture.files import open_capture
from fwid_agent.capture.frames import Parsed
from fwid_agent.errors import UnreadableInputError
from fwid_agent.types import FrameBlock

ORDERS = ("<", ">")
START_NS = 1_700_000_000_123_456_000


@dataclass(frozen=True)
class Frame:
    """One frame, as written and as read."""

    data: bytes
    ts_ns: int = START_NS
    wire_bytes: int = -1  # -1: as many as data
    link_type: int = 1
    source: int = 0

    @property
    def wire(self) -> int:
        return len(self.data) if self.wire_bytes < 0 else self.wire_bytes


@dataclass(frozen=True)
class WasRead:
    """What a reader gave before its end, and how it ended."""

    frames: list[Frame]
    error: UnreadableInputError | None


def some_frames(count: int, link_type: int = 1) -> list[Frame]:
    """Frames of different lengths, contents, times and cuts."""
    return [
        Frame(
            bytes((7 * i + j) % 256 for j in range(14 + i % 5)),
            START_NS + i * 1_000_000,
            -1 if i % 3 else 1000 + i,
            link_type,
        )
        for i in range(count)
    ]


# --- classic pcap --------------------------------------------------------------------------------


def pcap_header(order: str = "<", nanoseconds: bool = False, link_type: int = 1) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link_type)


def pcap_record(frame: Frame, order: str = "<", nanoseconds: bool = False) -> bytes:
    seconds, rest_ns = divmod(frame.ts_ns, 1_000_000_000)
    fraction = rest_ns if nanoseconds else rest_ns // 1000
    head = struct.pack(order + "IIII", seconds, fraction, len(frame.data), frame.wire)
    return head + frame.data


def pcap(
    frames: Sequence[Frame], order: str = "<", nanoseconds: bool = False, link_type: int = 1
) -> bytes:
    records = (pcap_record(frame, order, nanoseconds) for frame in frames)
    return pcap_header(order, nanoseconds, link_type) + b"".join(records)


def modified_pcap(data: bytes, snap_bytes: int = 1 << 18) -> bytes:
    """A little-endian pcap in the form of a FRITZ!Box, with frames cut to this length."""
    out = struct.pack("<I", 0xA1B2CD34) + data[4:24]
    at = 24
    while at < len(data):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", data, at)
        kept = min(captured, snap_bytes)
        # Interface, protocol, direction and padding follow; nobody reads them.
        out += struct.pack("<IIIIIHBx", seconds, fraction, kept, wire, 2, 0x0800, 4)
        out += data[at + 16 : at + 16 + kept]
        at += 16 + captured
    return out


# --- pcapng --------------------------------------------------------------------------------------


def ng_block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def ng_section(order: str = "<") -> bytes:
    return ng_block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def ng_option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def ng_interface(
    order: str = "<",
    link_type: int = 1,
    snap_bytes: int = 0,
    resolution: int | None = None,
    offset_s: int | None = None,
) -> bytes:
    options = ng_option(2, b"eth0", order)
    if resolution is not None:
        options += ng_option(9, bytes([resolution]), order)
    if offset_s is not None:
        options += ng_option(14, struct.pack(order + "q", offset_s), order)
    if options:
        options += ng_option(0, b"", order)
    return ng_block(1, struct.pack(order + "HHI", link_type, 0, snap_bytes) + options, order)


def ng_enhanced(frame: Frame, interface: int = 0, order: str = "<", ticks: int = -1) -> bytes:
    """One enhanced packet block; `ticks`: its time in units of its interface."""
    ticks = frame.ts_ns // 1000 if ticks < 0 else ticks
    head = struct.pack(
        order + "IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(frame.data), frame.wire
    )
    return ng_block(6, head + frame.data, order)


def ng_old(frame: Frame, interface: int = 0, order: str = "<", drops: int = 0xFFFF) -> bytes:
    """One packet block of the obsolete kind."""
    ticks = frame.ts_ns // 1000
    head = struct.pack(
        order + "HHIIII",
        interface,
        drops,
        ticks >> 32,
        ticks & 0xFFFFFFFF,
        len(frame.data),
        frame.wire,
    )
    return ng_block(2, head + frame.data, order)


def ng_simple(frame: Frame, order: str = "<") -> bytes:
    return ng_block(3, struct.pack(order + "I", frame.wire) + frame.data, order)


def pcapng(frames: Sequence[Frame], order: str = "<", link_type: int = 1) -> bytes:
    blocks = b"".join(ng_enhanced(frame, 0, order) for frame in frames)
    return ng_section(order) + ng_interface(order, link_type) + blocks


# --- compression ---------------------------------------------------------------------------------

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
}


# --- reading -------------------------------------------------------------------------------------


def frames_of(block: FrameBlock) -> list[Frame]:
    """Every frame of a block, one by one."""
    raw = block.buffer.tobytes()
    return [
        Frame(raw[at : at + captured], ts_ns, wire, link_type, source)
        for at, captured, wire, ts_ns, link_type, source in zip(
            block.offsets.tolist(),
            block.captured_bytes.tolist(),
            block.wire_bytes.tolist(),
            block.ts_ns.tolist(),
            block.link_type.tolist(),
            block.source.tolist(),
            strict=True,
        )
    ]


def as_read(frames: Sequence[Frame]) -> list[Frame]:
    """Frames with their length on the wire written out, as a reader gives them."""
    return [Frame(f.data, f.ts_ns, f.wire, f.link_type, f.source) for f in frames]


def read_capture(path: Path | str, block_bytes: int = 1 << 22) -> WasRead:
    """Read a capture to its end or to its damage."""
    frames: list[Frame] = []
    try:
        with open_capture(str(path), block_bytes) as reader:
            for block in reader:
                frames += frames_of(block)
    except UnreadableInputError as error:
        return WasRead(frames, error)
    return WasRead(frames, None)


def parse_in_pieces(
    parse: Callable[[bytearray, int], Parsed], data: bytes, piece_bytes: int
) -> tuple[list[Frame], int, str]:
    """Feed a parser; returns its frames, how many bytes it used, and the damage ("" none)."""
    frames: list[Frame] = []
    used, fed = 0, 0
    while fed < len(data):
        fed = min(fed + piece_bytes, len(data))
        # Zeros behind what was read, as in a reader's buffer.
        buffer = bytearray(data[used:fed] + bytes(8))
        parsed = parse(buffer, fed - used)
        frames += frames_of(parsed.frames.block(buffer))
        if parsed.damage:
            return frames, used + parsed.damage.at, parsed.damage.reason
        used += parsed.end
    return frames, used, ""


def block_of(frames: Sequence[Frame]) -> FrameBlock:
    """Frames in one buffer, with bytes between and behind them that belong to none."""
    filler = b"\xa5" * 3
    offsets, buffer = [], filler
    for frame in frames:
        offsets.append(len(buffer))
        buffer += frame.data + filler
    return FrameBlock(
        np.frombuffer(buffer, np.uint8),
        np.array(offsets, np.int64),
        np.array([len(f.data) for f in frames], np.uint32),
        np.array([f.wire for f in frames], np.uint32),
        np.array([f.ts_ns for f in frames], np.int64),
        np.array([f.link_type for f in frames], np.uint16),
        np.array([f.source for f in frames], np.uint16),
    )

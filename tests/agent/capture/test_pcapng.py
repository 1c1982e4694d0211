"""pcapng: interfaces, sections, times and every kind of block, in any pieces, and damaged."""

import struct
import subprocess
from pathlib import Path

import pytest
from fwid_agent.capture.pcapng import PcapngParser, is_pcapng
from hypothesis import given
from hypothesis import strategies as st

from tests.made_captures import (
    ORDERS,
    START_NS,
    Frame,
    as_read,
    ng_block,
    ng_enhanced,
    ng_interface,
    ng_old,
    ng_option,
    ng_section,
    ng_simple,
    parse_in_pieces,
    pcapng,
    read_capture,
    some_frames,
)


def parse(data: bytes, piece_bytes: int = 1 << 30) -> tuple[list[Frame], int, str]:
    return parse_in_pieces(PcapngParser().parse, data, piece_bytes)


def mixed(order: str) -> tuple[bytes, list[Frame]]:
    """Every kind of block, two interfaces, and packets of both."""
    frames = [
        Frame(b"enhanced", START_NS, 90, 1, 0),
        Frame(b"old", START_NS + 1000, 91, 113, 1),
        Frame(b"simple", START_NS + 1000, 6, 1, 0),
        Frame(b"enhanced again", START_NS - 5000, 92, 113, 1),
    ]
    data = b"".join(
        (
            ng_section(order),
            ng_interface(order),
            ng_interface(order, link_type=113),
            ng_enhanced(frames[0], 0, order),
            ng_block(5, bytes(12), order),  # interface statistics
            ng_old(frames[1], 1, order),
            ng_block(0x80000001, b"anything", order),
            ng_simple(frames[2], order),
            ng_block(4, bytes(4), order),  # names
            ng_enhanced(frames[3], 1, order),
        )
    )
    return data, frames


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("piece_bytes", [1, 7, 64, 1 << 20])
def test_reads_every_kind_of_block(order: str, piece_bytes: int) -> None:
    """Packets of three kinds come in the file's order, other blocks are passed over."""
    data, frames = mixed(order)
    assert parse(data, piece_bytes) == (frames, len(data), "")
    assert parse(data + data[:9], piece_bytes) == (frames, len(data), "")


@pytest.mark.parametrize("piece_bytes", [1, 33, 1 << 20])
def test_sections_have_their_own_order_and_interfaces(piece_bytes: int) -> None:
    """A file of joined captures changes its byte order; its interfaces stay apart."""
    one, two = some_frames(3), some_frames(2, link_type=113)
    data = pcapng(one, "<") + pcapng(two, ">", 113) + pcapng(one, "<")
    second = [Frame(f.data, f.ts_ns, f.wire, 113, 1) for f in two]
    third = [Frame(f.data, f.ts_ns, f.wire, 1, 2) for f in one]
    assert parse(data, piece_bytes) == (as_read(one) + second + third, len(data), "")


@pytest.mark.parametrize(
    ("resolution", "ticks", "expected_ns"),
    [
        (None, 1_700_000_000_000_001, 1_700_000_000_000_001_000),
        (0, 1_700_000_000, 1_700_000_000_000_000_000),
        (3, 1_700_000_000_001, 1_700_000_000_001_000_000),
        (9, 1_700_000_000_000_000_001, 1_700_000_000_000_000_001),
        (10, 17_000_000_000_000_000_019, 1_700_000_000_000_000_001),
        (0x80 | 10, 1_700_000_000 << 10 | 512, 1_700_000_000_500_000_000),
        (0x80 | 30, 1_700_000_000 << 30 | (1 << 30) - 1, 1_700_000_000_999_999_999),
        (0x80 | 33, 1_700_000_000 << 33 | 3 << 31, 1_700_000_000_750_000_000),
        (0x80 | 127, (1 << 63) + (1 << 62), 1_500_000_000),
    ],
)
def test_time_resolution(resolution: int | None, ticks: int, expected_ns: int) -> None:
    """Powers of ten and of two, coarse and finer than nanoseconds, without rounding errors."""
    data = ng_section() + ng_interface(resolution=resolution)
    frames, _, _ = parse(data + ng_enhanced(Frame(b"x"), ticks=ticks))
    assert frames[0].ts_ns == expected_ns


@pytest.mark.parametrize("resolution", [6, 9, 0x80 | 20])
@given(st.integers(0, 2**33), st.floats(0, 0.999999))
def test_times_agree_with_exact_fractions(resolution: int, seconds: int, part: float) -> None:
    """Any time of any resolution is cut, never rounded, to nanoseconds."""
    per_second = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    ticks = seconds * per_second + int(part * per_second)
    data = ng_section() + ng_interface(resolution=resolution)
    frames, _, _ = parse(data + ng_enhanced(Frame(b"x"), ticks=ticks))
    expected = ticks * 10**9 // per_second
    assert frames[0].ts_ns == expected


@pytest.mark.parametrize("order", ORDERS)
def test_time_offset(order: str) -> None:
    """An interface may say by how many seconds its times are off; nonsense is passed over."""
    for offset_s, moved_s in ((3600, 3600), (-7, -7), (-(2**63), 0)):
        data = ng_section(order) + ng_interface(order, offset_s=offset_s)
        frames, _, _ = parse(data + ng_enhanced(Frame(b"x"), 0, order))
        assert frames[0].ts_ns == START_NS // 1000 * 1000 + moved_s * 10**9


def test_simple_blocks_are_cut_by_the_snap_length() -> None:
    """A simple block has no captured length: the snap length and the block's end give it."""
    data = ng_section() + ng_interface(snap_bytes=5)
    frames, _, _ = parse(data + ng_simple(Frame(b"12345", wire_bytes=100)))
    assert frames == [Frame(b"12345", 0, 100)]


def test_a_captured_length_beyond_its_block_ends_with_the_block() -> None:
    """A length that lies never reaches into the next block."""
    block = bytearray(ng_enhanced(Frame(b"12345678")))
    struct.pack_into("<I", block, 20, 5000)
    frames, _, _ = parse(ng_section() + ng_interface() + bytes(block) + ng_block(7, b"secret"))
    assert [frame.data for frame in frames] == [b"12345678"]


def test_options_cut_short_are_passed_over() -> None:
    """An option that claims more bytes than its block has changes nothing."""
    options = ng_option(2, b"eth0") + struct.pack("<HH", 9, 400) + bytes(4)
    interface = ng_block(1, struct.pack("<HHI", 1, 0, 0) + options)
    frames, _, _ = parse(ng_section() + interface + ng_enhanced(Frame(b"x")))
    assert frames[0].ts_ns == START_NS // 1000 * 1000


GOOD = ng_section() + ng_interface() + ng_enhanced(Frame(b"kept"))
DAMAGED = {
    "length below the least": struct.pack("<III", 6, 8, 0),
    "length no multiple of four": struct.pack("<III", 6, 33, 0) + bytes(30),
    "length of 4 GB": struct.pack("<III", 6, 0xFFFFFFFC, 0),
    "enhanced block without room": ng_block(6, bytes(8)),
    "interface block without room": ng_block(1, bytes(4)),
    "second length differs": ng_enhanced(Frame(b"x"))[:-4] + struct.pack("<I", 40),
    "unknown interface": ng_enhanced(Frame(b"x"), 1),
    "unknown interface, old": ng_old(Frame(b"x"), 1),
    "section without its mark": ng_section().replace(b"\x4d\x3c\x2b\x1a", b"abcd"),
}


@pytest.mark.parametrize("piece_bytes", [1, 1 << 20])
@pytest.mark.parametrize("name", DAMAGED)
def test_damage_is_told_where_it_is(name: str, piece_bytes: int) -> None:
    """Packets before the damage are kept; its offset is exact however the file is fed."""
    frames, at, reason = parse(GOOD + DAMAGED[name] + bytes(8), piece_bytes)
    assert [frame.data for frame in frames] == [b"kept"]
    assert at == len(GOOD)
    assert reason


def test_packets_before_any_interface_are_damage() -> None:
    """Without an interface there is no link type."""
    for packet in (ng_enhanced(Frame(b"x")), ng_simple(Frame(b"x")), ng_old(Frame(b"x"))):
        frames, at, reason = parse(ng_section() + packet)
        assert (frames, at) == ([], len(ng_section()))
        assert "interface 0" in reason


def test_magic_is_the_same_in_both_orders() -> None:
    """The block type of a section is a palindrome."""
    assert all(is_pcapng(ng_section(order)) for order in ORDERS)
    assert not is_pcapng(b"\x0a\x0d\x0d")


def test_tshark_reads_the_same(tmp_path: Path) -> None:
    """Times, lengths and interfaces of made files are those that tshark reads."""
    data = mixed("<")[0] + mixed(">")[0]
    data += ng_section() + ng_interface(resolution=9, offset_s=-3) + ng_interface(resolution=0x94)
    data += ng_enhanced(Frame(b"abc" * 9), ticks=START_NS + 7)
    data += ng_enhanced(Frame(b"abc" * 9), 1, ticks=1_700_000_000 << 20 | 12345)
    path = tmp_path / "made.pcapng"
    path.write_bytes(data)
    command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch"]
    command += ["-e", "frame.len", "-e", "frame.cap_len"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    theirs = [line.split("\t") for line in out.splitlines()]
    ours = read_capture(path)
    assert ours.error is None
    assert [[f.wire, len(f.data)] for f in ours.frames] == [[int(x) for x in t[1:]] for t in theirs]
    timed = [
        (f.ts_ns, t[0]) for f, t in zip(ours.frames, theirs, strict=True) if f.data != b"simple"
    ]
    assert len(timed) == 8
    assert [f"{ns // 10**9}.{ns % 10**9:09d}" for ns, _ in timed] == [text for _, text in timed]

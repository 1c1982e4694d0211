"""Classic pcap: every byte order and resolution, in any pieces, and damaged."""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from fwid_agent.capture.pcap import HEADER_BYTES, MAX_FRAME_BYTES, PcapParser, is_pcap
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_captures import (
    ORDERS,
    START_NS,
    Frame,
    as_read,
    modified_pcap,
    parse_in_pieces,
    pcap,
    pcap_header,
    pcap_record,
    some_frames,
)

MODIFIED = 0xA1B2CD34


def parse(data: bytes, piece_bytes: int) -> tuple[list[Frame], int, str]:
    parser = PcapParser.of(data[:HEADER_BYTES])
    return parse_in_pieces(parser.parse, data[HEADER_BYTES:], piece_bytes)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_reads_every_byte_order_and_resolution(order: str, nanoseconds: bool) -> None:
    """Times, lengths and bytes come out as they went in; nanoseconds are not lost."""
    extra_ns = 789 if nanoseconds else 0
    frames = [Frame(b"x" * 20, START_NS + extra_ns, 1500, 113), Frame(b"", START_NS, 60, 113)]
    data = pcap(frames, order, nanoseconds, 113)
    assert parse(data, len(data)) == (as_read(frames), len(data) - HEADER_BYTES, "")


@given(
    st.lists(
        st.builds(
            Frame,
            st.binary(max_size=40),
            st.integers(0, 2**32 * 10**9 - 1).map(lambda ns: ns - ns % 1000),
            st.integers(0, 2**32 - 1),
        ),
        max_size=8,
    ),
    st.sampled_from(ORDERS),
    st.integers(1, 60),
    st.binary(max_size=15),
)
def test_pieces_make_no_difference(
    frames: list[Frame], order: str, piece_bytes: int, trailing: bytes
) -> None:
    """Whole, in pieces, and with the start of one more record behind: the same frames."""
    data = pcap(frames, order) + trailing
    expected = as_read(frames), len(data) - len(trailing) - HEADER_BYTES, ""
    assert parse(data, max(len(data), 1)) == expected
    assert parse(data, piece_bytes) == expected


@pytest.mark.parametrize("piece_bytes", [1, 50, 1 << 21])
@pytest.mark.parametrize("length", [MAX_FRAME_BYTES + 1, 1 << 20, 0xFFFFFFFF])
def test_length_that_cannot_be_is_damage(length: int, piece_bytes: int) -> None:
    """Frames before an impossible length count, whether or not that many bytes follow it."""
    frames = some_frames(3)
    data = pcap(frames) + struct.pack("<IIII", 1, 0, length, 60)
    following = bytes(1 << 21) if piece_bytes == 1 << 21 else b"rest"
    read, at, reason = parse(data + following, piece_bytes)
    assert read == as_read(frames)
    assert at == len(data) - 16 - HEADER_BYTES
    assert str(length) in reason


@pytest.mark.skipif(shutil.which("editcap") is None, reason="needs editcap")
def test_modified_pcap_is_read_as_editcap_writes_it(tmp_path: Path) -> None:
    """The format of a FRITZ!Box, whose records have longer headers: the same frames."""
    plain, modified = tmp_path / "plain", tmp_path / "modified"
    plain.write_bytes(pcap(some_frames(20)))
    command = ["editcap", "-F", "modpcap", str(plain), str(modified)]
    subprocess.run(command, check=True, capture_output=True)
    data = modified.read_bytes()
    assert struct.unpack_from("<I", data) == (MODIFIED,)
    for piece_bytes in (7, len(data)):
        assert parse(data, piece_bytes) == (
            as_read(some_frames(20)),
            len(data) - HEADER_BYTES,
            "",
        )
    written = modified_pcap(pcap(some_frames(20)))
    assert parse(written, 50) == (as_read(some_frames(20)), len(written) - HEADER_BYTES, "")
    assert len(written) == len(data)
    swapped = struct.pack(">I", MODIFIED) + pcap_header(">")[4:]
    record = pcap_record(Frame(b"frame"), ">")
    assert parse(swapped + record[:16] + bytes(8) + record[16:], 50)[0] == as_read(
        [Frame(b"frame")]
    )


def test_longest_frame_is_no_damage() -> None:
    """The largest snap length that tools write is still a frame."""
    frames = [Frame(bytes(MAX_FRAME_BYTES)), Frame(b"after")]
    assert parse(pcap(frames), 1 << 22)[0] == as_read(frames)


def test_frame_check_length_is_no_part_of_the_link_type() -> None:
    """The upper bits of the link type say how long the frame check sequence is."""
    header = pcap_header(link_type=0xF0000000 | 113)
    assert PcapParser.of(header).link_type == 113


@given(st.binary(max_size=4))
@settings(max_examples=50)
def test_only_its_own_magic_is_pcap(head: bytes) -> None:
    """Nothing but the six magics starts a capture."""
    magics = {pcap_header(order, ns)[:4] for order in ORDERS for ns in (False, True)}
    magics |= {struct.pack(order + "I", MODIFIED) for order in ORDERS}
    assert is_pcap(head) == (head in magics)
    assert all(is_pcap(magic) for magic in magics)


def test_record_helper_agrees_with_the_format() -> None:
    """The writer of these tests is itself held by numbers from the format's description."""
    assert pcap_record(Frame(b"\x01", 3_000_004_000)) == bytes.fromhex(
        "03000000 04000000 01000000 01000000 01"
    )

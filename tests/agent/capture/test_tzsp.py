"""TZSP: whatever the tags are, the frame and its length come out; nothing breaks on lies."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.capture.tzsp import PORT, Unwrapped, unwrap
from hypothesis import given
from hypothesis import strategies as st
from scapy.all import IP, UDP, Ether, Raw, wrpcap

from tests.made_tzsp import (
    END,
    KEEP_ALIVE,
    ORIGINAL_LENGTH,
    PADDING,
    PORT_OPENER,
    RECEIVED,
    SENSOR_MAC,
    SIGNAL,
    TO_TRANSMIT,
    WIFI,
    Tag,
    original_length,
    tzsp,
)

SLOT_BYTES = 512
FRAME = bytes(range(60))


def unwrap_all(datagrams: Sequence[bytes]) -> tuple[list[tuple[int, bytes, int]], Unwrapped]:
    """Number, bytes and length on the wire of each frame; only a datagram's start is kept."""
    kept = [datagram[:SLOT_BYTES] for datagram in datagrams]
    found = unwrap(
        # What is left from an earlier batch must not be taken for this one's.
        np.frombuffer(b"".join(data.ljust(SLOT_BYTES, b"\x01") for data in kept), np.uint8),
        np.arange(len(kept), dtype=np.int64) * SLOT_BYTES,
        np.array([len(data) for data in kept], np.int64),
        np.array([len(datagram) for datagram in datagrams], np.int64),
    )
    frames = [
        (number, kept[number][(start := at - number * SLOT_BYTES) : start + captured], wire)
        for number, at, captured, wire in zip(
            found.number.tolist(),
            found.offsets.tolist(),
            found.captured_bytes.tolist(),
            found.wire_bytes.tolist(),
            strict=True,
        )
    ]
    return frames, found


OTHER_TAGS = st.builds(
    Tag,
    st.integers(0, 255).filter(lambda kind: kind not in (END, ORIGINAL_LENGTH)),
    st.binary(max_size=20),
)


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=200),
            st.lists(OTHER_TAGS, max_size=10),
            st.none() | st.integers(0, 0xFFFF),
            st.sampled_from([RECEIVED, TO_TRANSMIT]),
        ),
        max_size=6,
    )
)
def test_frame_comes_out_as_it_went_in(
    made: list[tuple[bytes, list[Tag], int | None, int]],
) -> None:
    """Any tags in any number before the end: the frame, and its length where a tag tells it."""
    datagrams, expected = [], []
    for number, (frame, tags, wire, kind) in enumerate(made):
        told = [original_length(wire)] if wire is not None else []
        datagrams.append(tzsp(frame, [*tags, *told, Tag(END)], kind))
        expected.append((number, frame, max(len(frame), wire or 0)))
    frames, found = unwrap_all(datagrams)
    assert frames == expected
    assert (found.foreign, found.malformed) == (0, 0)


@given(st.lists(st.binary(max_size=700), max_size=8))
def test_no_datagram_breaks_it(datagrams: list[bytes]) -> None:
    """Bytes of any kind: what is found lies within its datagram, and each counts once."""
    frames, found = unwrap_all(datagrams)
    for number, frame, wire in frames:
        assert len(frame) <= len(datagrams[number])
        assert datagrams[number][:SLOT_BYTES].endswith(frame)
        assert wire >= len(frame)
    assert len(frames) + found.foreign + found.malformed <= len(datagrams)


@given(st.integers(0, 200), st.lists(OTHER_TAGS, max_size=5))
def test_cut_datagram_is_malformed_or_a_shorter_frame(cut: int, tags: list[Tag]) -> None:
    """A datagram that ends inside its tags has no frame; one that ends later has a part of it."""
    whole = tzsp(FRAME, [*tags, Tag(END)])
    head = len(whole) - len(FRAME)
    frames, found = unwrap_all([whole[:cut]])
    if cut < head:
        assert (frames, found.malformed) == ([], 1)
    else:
        assert [frame for _, frame, _ in frames] == [FRAME[: cut - head]]


def test_long_frame_keeps_its_length() -> None:
    """Only the start of a datagram is kept, but its frame's length is that of the wire."""
    frames, _ = unwrap_all(
        [tzsp(bytes(1514)), tzsp(bytes(1514), [original_length(9000), Tag(END)])]
    )
    assert [(len(data), wire) for _, data, wire in frames] == [
        (SLOT_BYTES - 5, 1514),
        (SLOT_BYTES - 9, 9000),
    ]


def test_what_is_no_frame_is_counted_by_its_kind() -> None:
    """Keep-alives are silent, other frames than Ethernet are foreign, the rest is malformed."""
    frames, found = unwrap_all(
        [
            tzsp(b"", kind=KEEP_ALIVE),
            tzsp(b"", kind=PORT_OPENER),
            tzsp(FRAME, protocol=WIFI),
            tzsp(FRAME, version=2),
            tzsp(b"\xaa" * 60, tags=[]),  # the frame's bytes are read as tags, and have no end
            tzsp(b"", [Tag(SIGNAL, b"x" * 20)]),
            tzsp(b"", [Tag(PADDING)] * 100),
            b"",
            tzsp(FRAME),
        ]
    )
    assert frames == [(8, FRAME, 60)]
    assert found.foreign == 1
    assert found.malformed == 4 + 1


@pytest.mark.skipif(shutil.which("tshark") is None, reason="needs tshark")
def test_tshark_reads_the_same(tmp_path: Path) -> None:
    """The encoder of these tests is right: tshark sees the tags and frames that it wrote."""
    inner = bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP() / UDP(dport=7))
    tag_lists = [
        [Tag(END)],
        [Tag(PADDING), Tag(PADDING), Tag(SIGNAL, b"\xc0"), Tag(END)],
        [original_length(1514), Tag(SENSOR_MAC, b"\x02" * 6), Tag(END)],
    ]
    datagrams = [tzsp(inner, tags) for tags in tag_lists]
    path = tmp_path / "tzsp.pcap"
    carrier = Ether() / IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=40000, dport=PORT)
    wrpcap(str(path), [carrier / Raw(datagram) for datagram in datagrams])
    fields = ["tzsp.encap", "tzsp.original_length", "eth.src", "udp.dstport", "_ws.malformed"]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=l"]
    for field in fields:
        command += ["-e", field]
    rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [row.split("\t") for row in rows] == [
        ["1", length, "02:00:00:00:00:01", "7", ""] for length in ("", "", "1514")
    ]
    frames, _ = unwrap_all(datagrams)
    assert frames == [(0, inner, len(inner)), (1, inner, len(inner)), (2, inner, 1514)]

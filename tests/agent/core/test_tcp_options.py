"""Options of SYN packets against a plain reader, also where their lengths lie."""

import random

import numpy as np
from fwid_agent.core.tcp_options import describe_options, read_options
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import TCP

_SYN, _ACK = 0x02, 0x10
_option = st.one_of(
    st.sampled_from([b"\x00", b"\x01", b"\x02\x04\x05\xb4", b"\x03\x03\x07", b"\x04\x02"]),
    st.binary(max_size=6),
    st.tuples(st.integers(2, 255), st.binary(max_size=12)).map(
        lambda one: bytes([one[0], len(one[1]) + 2]) + one[1]
    ),
)
_options = st.lists(_option, max_size=8).map(lambda parts: b"".join(parts)[:40])


def read_plainly(data: bytes) -> tuple[int, int]:
    """Return MSS and pattern, one byte after the other (RFC 9293, section 3.2)."""
    mss, pattern, kept, at = 0, 0, 0, 0
    while at < len(data):
        kind = data[at]
        if kept < 6:
            pattern = pattern << 5 | (31 if kind > 29 else kind + 1)
            kept += 1
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else 0
        if kind == 2 and length == 4 and at + 4 <= len(data):
            mss = int.from_bytes(data[at + 2 : at + 4], "big")
        if length < 2:
            break
        at += length
    return mss, pattern


@given(st.lists(_options, min_size=1, max_size=5), st.integers(0, 2**32))
def test_options_are_those_that_a_plain_reader_finds(many: list[bytes], seed: int) -> None:
    """Whatever lies behind an option, and whatever its length says, stays out."""
    rng = random.Random(seed)
    buffer = bytearray(rng.randbytes(3))
    at = []
    for data in many:
        at.append(len(buffer))
        buffer += data + rng.randbytes(rng.randrange(4))
    room = np.array([len(data) for data in many], np.int64)
    everything = np.ones(len(many), bool)
    mss, pattern = read_options(
        np.frombuffer(bytes(buffer), np.uint8),
        np.array(at, np.int64),
        room,
        everything,
        np.full(len(many), _SYN, np.uint8),
    )
    got = list(zip(mss.tolist(), pattern.tolist(), strict=True))
    assert got == [read_plainly(data) for data in many]


def test_only_a_syn_has_a_pattern() -> None:
    """Other segments' options change from packet to packet and tell no stack."""
    data = bytes(TCP(options=[("MSS", 1460), ("SAckOK", b"")], flags="S"))[20:]
    buffer = np.frombuffer(data * 3, np.uint8)
    mss, pattern = read_options(
        buffer,
        np.arange(3, dtype=np.int64) * len(data),
        np.full(3, len(data), np.int64),
        np.array([True, True, False]),
        np.array([_SYN | _ACK, _ACK, _SYN], np.uint8),
    )
    assert mss.tolist() == [1460, 0, 0]
    assert pattern[1:].tolist() == [0, 0]
    assert describe_options(int(pattern[0])).startswith("MSS,SACK-OK")


def test_a_pattern_is_written_as_people_write_it() -> None:
    """Known kinds have names, the rest numbers; nothing is lost in a pattern that is full."""
    data = bytes([2, 4, 5, 180, 4, 2, 8, 2, 1, 3, 3, 7, 30, 2])
    assert describe_options(read_plainly(data)[1]) == "MSS,SACK-OK,TS,NOP,WS,other"
    assert describe_options(read_plainly(bytes([28, 2]))[1]) == "28"
    assert describe_options(0) == "none"

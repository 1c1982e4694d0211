"""Headers: scapy makes the packets, tshark and dpkt read them, and all say the same."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.capture.files import open_capture
from fwid_agent.core.flows import FlowTable
from fwid_agent.core.packets import count_undecoded, decode_packets
from fwid_agent.types import FrameBlock, Undecoded
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_captures import Frame, ng_enhanced, ng_interface, ng_section, pcap
from tests.made_packets import LINKS, NETWORKS, TRANSPORTS, Made, make, make_all
from tests.oracles import conversation, dpkt_frames, is_cut, tshark_rows

_kinds = st.tuples(*(st.sampled_from(names) for names in (LINKS, NETWORKS, TRANSPORTS)))
_seeds = st.integers(0, 2**32)


def block_of(made: Sequence[Made], captured: Sequence[int] | None = None) -> FrameBlock:
    """Lay frames into a block, cut to the captured lengths."""
    lengths = [len(one.data) for one in made] if captured is None else captured
    data = [one.data[:length] for one, length in zip(made, lengths, strict=True)]
    sizes = np.array([len(piece) for piece in data], np.uint32)
    return FrameBlock(
        np.frombuffer(b"".join(data), np.uint8),
        (np.cumsum(sizes) - sizes).astype(np.int64),
        sizes,
        np.array([len(one.data) for one in made], np.uint32),
        np.zeros(len(made), np.int64),
        np.array([one.link_type for one in made], np.uint16),
        np.zeros(len(made), np.uint16),
    )


def write(path: Path, made: Sequence[Made], captured: Sequence[int]) -> Path:
    """Write a pcapng with an interface for each link type."""
    types = sorted({one.link_type for one in made})
    data = ng_section() + b"".join(ng_interface(link_type=kind) for kind in types)
    for one, length in zip(made, captured, strict=True):
        frame = Frame(one.data[:length], wire_bytes=len(one.data))
        data += ng_enhanced(frame, types.index(one.link_type))
    path.write_bytes(data)
    return path


@settings(max_examples=150)
@given(st.lists(st.tuples(_seeds, _kinds), min_size=1, max_size=6))
def test_every_column_is_what_was_made(chosen: list[tuple[int, tuple[str, str, str]]]) -> None:
    """Any mixture of links, networks and transports in one block."""
    found = [make(random.Random(seed), *kind) for seed, kind in chosen]
    made = [one for one in found if one is not None]
    batch = decode_packets(block_of(made))
    for place, one in enumerate(made):
        got = {name: int(getattr(batch, name)[place]) for name in one.columns}
        assert got == one.columns, one.kind
        assert batch.undecoded[place] == Undecoded.OK, one.kind


@settings(max_examples=150)
@given(_seeds, _kinds, st.integers(0, 120))
def test_a_frame_that_is_cut_is_undecoded_exactly_where_a_header_is(
    seed: int, kind: tuple[str, str, str], captured: int
) -> None:
    """The snap length may take data but no header; what is told of a cut frame was in it."""
    made = make(random.Random(seed), *kind)
    if made is None:
        return
    captured = min(captured, len(made.data))
    batch = decode_packets(block_of([made], [captured]))
    reason = Undecoded(int(batch.undecoded[0]))
    if kind[0] == "snap" and 14 <= captured < 22:
        assert reason is Undecoded.OK  # an 802.3 frame of whatever kind
    elif captured >= made.needed_bytes:
        assert reason is Undecoded.OK
        for name in ("src_lo", "dst_lo", "src_port", "dst_port", "size_bytes", "payload_bytes"):
            assert int(getattr(batch, name)[0]) == made.columns[name]
    else:
        assert reason is Undecoded.TRUNCATED
        assert batch.payload_bytes[0] == 0


def test_tshark_finds_the_same(tmp_path: Path) -> None:
    """Every kind of packet, whole and cut: lengths, addresses, ports, marks of TCP, faults."""
    rng = random.Random(11)
    made = make_all(rng, 3)
    captured = [rng.choice([len(one.data)] * 4 + [rng.randrange(90)]) for one in made]
    captured = [min(length, len(one.data)) for one, length in zip(made, captured, strict=True)]
    rows = tshark_rows(write(tmp_path / "made.pcapng", made, captured))
    batch = decode_packets(block_of(made, captured))
    assert len(rows) == len(made) > 300
    assert batch.wire_bytes.tolist() == [int(row["frame.len"]) for row in rows]
    for place, (row, one) in enumerate(zip(rows, made, strict=True)):
        cut = captured[place] < len(one.data)
        if one.columns["ip_version"] == 0 or (cut and one.columns["ip_version"] == 6):
            continue  # tshark's fields do not tell a cut extension header from a whole one
        assert (batch.undecoded[place] > 0) == is_cut(row), (one.kind, captured[place])
        if batch.undecoded[place] or one.columns["ip_version"] != 4:
            continue
        got = {name: int(getattr(batch, name)[place]) for name in ("ttl", "proto", "size_bytes")}
        theirs = {"ttl": row["ip.ttl"], "proto": row["ip.proto"], "size_bytes": row["ip.len"]}
        if row["ip.len"] == "0":
            del got["size_bytes"], theirs["size_bytes"]
        if row["tcp.window_size_value"] and one.columns["proto"] == 6:
            for name, field in (("src_port", "srcport"), ("dst_port", "dstport"),
                                ("window", "window_size_value")):  # fmt: skip
                got[name], theirs[name] = int(getattr(batch, name)[place]), row[f"tcp.{field}"]
        assert {name: str(value) for name, value in got.items()} == theirs


def test_dpkt_finds_the_same(tmp_path: Path) -> None:
    """Whole Ethernet frames of every kind: as many, as long, and none that makes no sense."""
    made = [one for one in make_all(random.Random(12), 3) if one.kind[0] == "ethernet"]
    path = tmp_path / "made.pcap"
    path.write_bytes(pcap([Frame(one.data) for one in made]))
    batch = decode_packets(block_of(made))
    assert _sums(dpkt_frames(path)) == (len(made), batch.wire_bytes.sum(), 0)
    assert not batch.undecoded.any()


def test_false_headers_are_malformed() -> None:
    """A version, a header length or a total length that cannot be is said, and gives no ports."""
    made = make_all(random.Random(3), 20)
    good = next(one for one in made if one.kind == ("raw", "ipv4", "tcp") and one.data[0] == 0x45)
    false = {
        "header shorter than its least": (0, 0x44),
        "no such version": (0, 0x75),
        "packet shorter than its header": (3, 19),
        "TCP header shorter than its least": (32, 0x40),
    }
    for what, (place, value) in false.items():
        data = bytearray(good.data)
        data[place] = value
        if place == 3:
            data[2] = 0
        batch = decode_packets(block_of([Made(bytes(data), 228, {}, 0, ())]))
        assert batch.undecoded[0] == Undecoded.MALFORMED, what


def test_undecoded_frames_are_counted_by_reason() -> None:
    """Each reason has its name; what is decoded is not counted."""
    made = make_all(random.Random(5), 1)[:4]
    strange = [Made(b"anything", 147, {}, 0, ())]
    cut = [len(one.data) for one in made] + [8]
    cut[0] = 3
    batch = decode_packets(block_of(made + strange, cut))
    assert count_undecoded(batch) == {"link_type": 1, "truncated": 1}


# --- captures of real devices ---------------------------------------------------------------------

ROOT = Path(__file__).parents[3]
WHOLE = ROOT.parent / "shared" / "data"
DEVICES = sorted({path.parent for path in WHOLE.rglob("*.pcap")})


@pytest.mark.slow
@pytest.mark.shared_data
@pytest.mark.parametrize("folder", DEVICES, ids=lambda folder: folder.name)
def test_real_captures_count_as_tshark_and_dpkt_count(folder: Path) -> None:
    """Packets, bytes and undecoded frames of a file, and its flows without timeouts."""
    for path in sorted(folder.glob("*.pcap"))[::4]:  # a device's are much alike, and tshark is slow
        flows = FlowTable(idle_timeout_s=0, active_timeout_s=0)
        ours = np.zeros(3, np.int64)
        with open_capture(path) as reader:
            for block in reader:
                batch = decode_packets(block)
                flows.update(batch)
                undecoded = np.count_nonzero(batch.undecoded)
                ours += (len(batch), batch.wire_bytes.sum(dtype=np.int64), undecoded)
        rows = tshark_rows(path)
        theirs = [
            (len(rows), sum(int(row["frame.len"]) for row in rows), sum(map(is_cut, rows))),
            _sums(dpkt_frames(path)),
        ]
        assert theirs == [tuple(ours.tolist())] * 2, path.name
        assert flows.flows_total == len({conversation(row) for row in rows} - {None}), path.name


def _sums(frames: Iterable[tuple[int, bool]]) -> tuple[int, int, int]:
    lengths, sense = zip(*frames, strict=True)
    return len(lengths), sum(lengths), sense.count(False)

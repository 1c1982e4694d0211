"""What a made corpus keeps of a day, and what it says of it."""

import struct
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from fwid_agent.lab.corpus.cut import Cut, cut_day
from fwid_agent.lab.corpus.labels import Label, add_labels, change_of, read_labels
from fwid_agent.lab.corpus.model import Change, CorpusError, DayPlan
from fwid_agent.lab.corpus.network import check_rights
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

MAC = "00:00:5e:00:53:10"
PEER = "00:00:5e:00:53:01"
BEGAN_US = 1_700_000_000_000_000
CUT = Cut(begin_us=1_767_600_000_000_000, origin_us=BEGAN_US, length_us=10_000_000, handshakes=True)
PLAN = DayPlan(day=3, date=date(2026, 1, 8), version=1, before=0)


def capture(*frames: tuple[float, Ether]) -> bytes:
    """A capture as tcpdump writes it; seconds after the day's beginning."""
    data = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for after_s, frame in frames:
        us, raw = BEGAN_US + int(after_s * 1e6), bytes(frame)
        data += struct.pack("<IIII", us // 1_000_000, us % 1_000_000, len(raw), len(raw)) + raw
    return data


def records(data: bytes) -> list[tuple[float, bytes, int]]:
    """Seconds after the day's beginning, what was kept, and the length on the wire."""
    found, offset = [], 24
    while offset < len(data):
        seconds, fraction, kept, wire = struct.unpack_from("<IIII", data, offset)
        after_s = (seconds * 1_000_000 + fraction - CUT.begin_us) / 1e6
        found.append((after_s, data[offset + 16 : offset + 16 + kept], wire))
        offset += 16 + kept
    return found


def sent(*layers: object) -> Ether:
    """A frame of the device's."""
    frame = Ether(src=MAC, dst=PEER) / IP(src="10.77.0.16", dst="10.77.0.1")
    for layer in layers:
        frame /= layer
    return frame


HELLO = sent(TCP(dport=443, flags="PA"), Raw(b"\x16\x03\x01\x02\x00\x01" + b"h" * 200))
SECRET = sent(TCP(dport=443, flags="PA"), Raw(b"\x17\x03\x03\x00\x40" + b"s" * 64))
QUESTION = sent(UDP(sport=4000, dport=53), DNS(qd=DNSQR(qname="cloud.example")))


def test_payload_is_never_kept() -> None:
    """Headers stay, with the length that the frame had."""
    data, _ = cut_day(capture((1, SECRET)), bytes.fromhex(MAC.replace(":", "")), CUT)
    ((_, kept, wire),) = records(data)
    assert kept == bytes(SECRET)[:54]
    assert wire == len(bytes(SECRET))


@pytest.mark.parametrize("frame", [HELLO, QUESTION], ids=["ClientHello", "DNS"])
def test_handshakes_are_kept_where_they_are_wanted(frame: Ether) -> None:
    """And nowhere else."""
    mac = bytes.fromhex(MAC.replace(":", ""))
    with_them, _ = cut_day(capture((1, frame)), mac, CUT)
    without, _ = cut_day(capture((1, frame)), mac, replace(CUT, handshakes=False))
    assert records(with_them)[0][1] == bytes(frame)
    assert len(records(without)[0][1]) < len(bytes(frame))


def test_a_long_hello_is_kept_over_its_frames_and_nothing_behind_it() -> None:
    """Today's ClientHello with keys of two kinds does not fit into one frame."""
    start = sent(TCP(sport=4000, dport=443), Raw(b"\x16\x03\x01\x06\x00\x01" + b"h" * 1000))
    rest = sent(TCP(sport=4000, dport=443), Raw(b"r" * (5 + 0x600 - 1006)))
    later = sent(TCP(sport=4000, dport=443), Raw(b"s" * 100))
    other = sent(TCP(sport=4001, dport=443), Raw(b"s" * 100))
    frames = [(1, start), (2, other), (3, sent(TCP(sport=4000, dport=443))), (4, rest), (5, later)]
    data, _ = cut_day(capture(*frames), bytes.fromhex(MAC.replace(":", "")), CUT)
    kept = [len(each) for _, each, _ in records(data)]
    whole = [length == len(bytes(frame)) for length, (_, frame) in zip(kept, frames, strict=True)]
    assert whole == [True, False, True, True, False]


def test_a_day_begins_and_ends_and_is_counted() -> None:
    """What was captured before or after is no part of it."""
    answer = Ether(src=PEER, dst=MAC) / IP() / UDP(sport=53, dport=4000)
    frames = [(-0.5, SECRET), (0.25, QUESTION), (9.5, answer), (10.5, SECRET)]
    data, counted = cut_day(capture(*frames), bytes.fromhex(MAC.replace(":", "")), CUT)
    assert [round(after_s, 6) for after_s, _, _ in records(data)] == [0.25, 9.5]
    assert (counted.packets, counted.sent, counted.duration_s) == (2, 1, 9.5)


def test_a_clock_may_jump() -> None:
    """From some moment on all is later; nothing is lost."""
    cut = replace(CUT, jump_at_us=5_000_000, jump_us=60_000_000)
    data, _ = cut_day(capture((1, SECRET), (6, SECRET)), bytes(6), cut)
    assert [after_s for after_s, _, _ in records(data)] == [1, 66]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("curl 7.88.1-10+deb12u15", "curl 8.14.1-2+deb13u7", Change.MAJOR),
        ("busybox 1:1.30.1-6+b3", "busybox 1:1.35.0-4", Change.MINOR),
        ("mosquitto 2.0.11-1+deb11u1", "mosquitto 2.0.21-1", Change.PATCH),
        ("minidlna 1.3.0+dfsg-2+deb11u2", "minidlna 1.3.0+dfsg-2.2+deb12u1", Change.PATCH),
        ("lwip 2.2.1", "lwip 2.2.1-11520", Change.PATCH),
        ("ESPHome 2025.6.3", "ESPHome 2026.6.5", Change.MAJOR),
    ],
)
def test_how_large_a_change_is(before: str, after: str, change: Change) -> None:
    """By the publisher's numbers, not by Debian's."""
    assert change_of(PLAN, before, after) is change


def test_a_rollback_is_one_and_no_change_is_none() -> None:
    """Whatever the numbers are."""
    assert change_of(replace(PLAN, rollback=True), "curl 8.1.0", "curl 7.1.0") is Change.ROLLBACK
    assert change_of(replace(PLAN, before=1), "curl 8.1.0", "curl 8.1.0") is Change.NONE


def test_labels_grow_and_are_replaced(tmp_path: Path) -> None:
    """A run that was ended finds what it had made."""
    label = Label(
        *("doorcam", "2026-01-08.pcap.zst", MAC, "2026-01-08T06:00:00Z", 9.5, 20, 10, "curl 8.1"),
        *("Surveillance", "system", 3, "", "", "", "reboot", 0, 0, 6),
    )
    add_labels(tmp_path, [label])
    add_labels(tmp_path, [replace(label, day=4, hard=""), replace(label, packets=21)])
    assert {key: row["packets"] for key, row in read_labels(tmp_path).items()} == {
        ("doorcam", 3): "21",
        ("doorcam", 4): "20",
    }


@pytest.mark.parametrize("text", ["device,day\nclock,x\n", "device\nclock\n", "\xff"])
def test_damaged_labels_are_named(tmp_path: Path, text: str) -> None:
    """A corpus is never added to over them."""
    (tmp_path / "labels.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(CorpusError, match=r"labels\.csv is damaged"):
        read_labels(tmp_path)


def test_it_says_whom_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, before anything is fetched."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(CorpusError, match="only root"):
        check_rights()

"""Captures of one time, and interfaces of one capture: what both show counts once, in any order."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from fwid_agent.config import Config
from fwid_agent.pipeline import ReplayRequest, Summary, replay
from fwid_agent.pipeline.duplicates import Companion
from fwid_agent.pipeline.ingest import ReadOptions, read_windows
from fwid_agent.store import Store
from fwid_agent.types import SUM_INDEX
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.made_captures import COMPRESSIONS, Frame, ng_enhanced, ng_interface, ng_section, pcap

START_NS = 20_000 * 86_400 * 10**9
SECOND_NS, MS = 10**9, 10**6
ONE = 0x020000000001


def sent(number: int, at_ms: int) -> Frame:
    """One packet of a device, numbered by its IP id."""
    link = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    packet = IP(src="10.0.0.1", dst="10.0.0.2", id=number) / UDP(sport=5000, dport=6000)
    return Frame(bytes(link / packet / Raw(bytes(40))), START_NS + at_ms * MS)


def two_interfaces(first: Sequence[Frame], second: Sequence[Frame]) -> bytes:
    """One capture of two interfaces, its frames in the order of time."""
    both = [(frame, 0) for frame in first] + [(frame, 1) for frame in second]
    both.sort(key=lambda each: each[0].ts_ns)
    blocks = b"".join(ng_enhanced(frame, interface) for frame, interface in both)
    return ng_section() + ng_interface() + ng_interface() + blocks


def late(frames: Sequence[Frame], ms: int) -> list[Frame]:
    """The same frames as a tap sees them whose clock is not the same."""
    return [replace(frame, ts_ns=frame.ts_ns + ms * MS) for frame in frames]


def summary(*paths: Path, store: Path | None = None, dedup: bool = False) -> Summary:
    request = ReplayRequest(tuple(map(str, paths)), str(store) if store else None, dedup=dedup)
    *_, last = replay(request, on_progress=lambda _: None, on_note=lambda _: None)
    assert isinstance(last, Summary)
    return last


def counted(told: Summary) -> int:
    """Packets that the device sent."""
    return next(device.packets_sent for device in told.devices if device.mac.endswith("01"))


MINUTE = [sent(number, number * 40) for number in range(1500)]


def test_a_capture_of_two_interfaces(tmp_path: Path) -> None:
    """Every frame is read and told of; the second of each pair is a copy."""
    path = tmp_path / "both.pcapng"
    path.write_bytes(two_interfaces(MINUTE, late(MINUTE, 1)))
    told = summary(path)
    assert (told.packets, told.copies, counted(told)) == (3000, 1500, 1500)


def test_one_interface_keeps_what_comes_twice(tmp_path: Path) -> None:
    """A frame that is sent again is traffic, not a copy, unless somebody says otherwise."""
    path = tmp_path / "again.pcap"
    path.write_bytes(pcap(sorted([*MINUTE, *late(MINUTE, 1)], key=lambda frame: frame.ts_ns)))
    told = summary(path)
    assert (told.packets, told.copies, counted(told)) == (3000, 0, 3000)
    mirrored = summary(path, dedup=True)
    assert (mirrored.copies, counted(mirrored)) == (1500, 1500)


@pytest.mark.parametrize("compression", ["plain", "zstd"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_captures_that_overlap(
    tmp_path: Path, compression: str, order: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part that both have counts once, whichever is read first, whatever the blocks."""
    monkeypatch.setattr("fwid_agent.pipeline.duplicates._BLOCK_BYTES", 1 << 12)
    parts = MINUTE[:1000], late(MINUTE[600:], 3)
    paths = [tmp_path / name for name in ("one.pcap", "two.pcap")]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(COMPRESSIONS[compression](pcap(part)))
    told = summary(*(paths[number] for number in order))
    assert (told.packets, told.copies, counted(told)) == (1900, 400, 1500)
    assert summary(tmp_path).copies == 400


def test_what_is_sent_twice_at_once_counts_twice(tmp_path: Path) -> None:
    """Both captures have both: neither is a copy of the other."""
    twice = sorted([*MINUTE, *late(MINUTE, 1)], key=lambda frame: frame.ts_ns)
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(pcap(twice))
    told = summary(tmp_path)
    assert (told.packets, told.copies, counted(told)) == (6000, 3000, 3000)


def test_three_captures_of_one_time(tmp_path: Path) -> None:
    """What all three have counts once; what only two have does too."""
    for name, part in (("a", MINUTE), ("b", MINUTE[500:]), ("c", MINUTE[1000:])):
        (tmp_path / name).write_bytes(pcap(part))
    told = summary(tmp_path)
    assert (told.packets, told.copies, counted(told)) == (3000, 1500, 1500)


def test_captures_one_after_the_other_are_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The common case costs nothing."""
    for number, begin in enumerate((0, 500, 1000)):
        (tmp_path / f"{number}.pcap").write_bytes(pcap(MINUTE[begin : begin + 500]))

    def refuse(self: Companion, path: str) -> None:
        raise AssertionError(path)

    monkeypatch.setattr(Companion, "__init__", refuse)
    told = summary(tmp_path)
    assert (told.packets, told.copies, counted(told)) == (1500, 0, 1500)


def test_a_later_run_counts_as_the_first(tmp_path: Path) -> None:
    """With a store, captures that are known stay known, and their copies copies."""
    (tmp_path / "in").mkdir()
    store = tmp_path / "home.db"
    (tmp_path / "in" / "one").write_bytes(pcap(MINUTE[:1000]))
    summary(tmp_path / "in", store=store)
    (tmp_path / "in" / "two").write_bytes(pcap(MINUTE[600:]))
    for _ in range(2):
        assert summary(tmp_path / "in", store=store).copies == 400
        with Store.open(store, create=False) as opened:
            (row,) = [row for row in opened.devices() if row.device == ONE]
            table = opened.windows(ONE)
        assert row.packets_sent == 1500
        assert table.sums[:, :, SUM_INDEX["packets"]].sum() == 1500


def test_a_damaged_capture_beside_another(tmp_path: Path) -> None:
    """What can be read of it is compared; its damage is told once, where it is read itself."""
    cut, whole = tmp_path / "cut.pcap", tmp_path / "whole.pcap"
    cut.write_bytes(pcap(MINUTE)[:-3])
    whole.write_bytes(pcap(MINUTE))
    options = ReadOptions(3600 * SECOND_NS, False, False, Config())
    quiet = {"on_progress": lambda _: None, "on_note": lambda _: None}
    tables, faults = read_windows([str(cut), str(whole)], options, **quiet)
    assert [fault.path for fault in faults] == [str(cut)]
    assert tables[ONE].sums[:, :, SUM_INDEX["packets"]].sum() == 1500


def test_a_companion_of_other_traffic_has_nothing(tmp_path: Path) -> None:
    """Captures of one time at two places are two captures."""
    (tmp_path / "here.pcap").write_bytes(pcap(MINUTE))
    (tmp_path / "there.pcap").write_bytes(pcap([sent(n + 5000, n * 40) for n in range(1500)]))
    told = summary(tmp_path)
    assert (told.copies, counted(told)) == (0, 3000)

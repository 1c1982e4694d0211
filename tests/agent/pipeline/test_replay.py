"""Replays of real captures: in one go, in pieces, again, without a store, and with damage."""

import csv
import shutil
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import zstandard
from fwid_agent.capture.files import find_captures, open_capture
from fwid_agent.config import Config
from fwid_agent.errors import UnreadableInputError
from fwid_agent.pipeline import ReplayRequest, Summary, VerdictLine, replay
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.messages import UnitKind
from fwid_agent.pipeline.sessions import read_session
from fwid_agent.store import DeviceRow, Store
from fwid_agent.types import SUM_INDEX, Event, EventType, FlowDay, UnitTable, parse_mac
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.made_captures import Frame, pcap
from tests.made_tables import DAY_NS, HOUR_NS, assert_same

EXCERPT = Path(__file__).parents[2] / "data" / "iot-sentinel"
SENSOR = parse_mac("90:8d:78:a8:e1:43")
# Two units to learn from and doubtful alarms: four dates are enough for a change.
CONFIG = Config(learning_units=2, settle_units=2, alarms_per_device_year=4)
START_NS = 20_000 * DAY_NS
ONE, OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"
by_unit = pytest.mark.parametrize("unit", ["day", "file"])


@dataclass(frozen=True)
class Ran:
    """What a replay said."""

    verdicts: list[VerdictLine]
    summary: Summary
    notes: list[str]
    fault: UnreadableInputError | None


@dataclass(frozen=True)
class Content:
    """What a store holds, without the ids that are drawn for each."""

    devices: tuple[DeviceRow, ...]
    tables: dict[int, tuple[UnitTable, UnitTable]]  # windows, and all of it by days
    flows: tuple[FlowDay, ...]
    events: list[Event]
    rest: str  # states, verdicts and answers: as text, because what is no number equals nothing

    def packets(self, mac: int) -> list[int]:
        """Packets of each day."""
        sums = self.tables[mac][1].sums[:, :, SUM_INDEX["packets"]]
        return [int(each) for each in sums.sum(axis=1)]


def run(paths: Sequence[Path], store: Path | None = None, unit: UnitKind = "day") -> Ran:
    """Replay captures to the end."""
    names = tuple(map(str, paths))
    request = ReplayRequest(names, str(store) if store else None, unit=unit, config=CONFIG)
    lines: list[VerdictLine | Summary] = []
    notes: list[str] = []
    fault = None
    try:
        for line in replay(request, on_progress=lambda _: None, on_note=notes.append):
            lines.append(line)
    except UnreadableInputError as error:
        fault = error
    verdicts = [line for line in lines if isinstance(line, VerdictLine)]
    (summary,) = (line for line in lines[len(verdicts) :] if isinstance(line, Summary))
    return Ran(verdicts, replace(summary, seconds=0), notes, fault)


def content(path: Path) -> Content:
    with Store.open(path, create=False) as store:
        devices = store.devices()
        macs = [row.device for row in devices]
        return Content(
            devices,
            {mac: (store.windows(mac), store.units(mac, DAY_NS)) for mac in macs},
            store.flows(),
            [replace(event, id="") for event in store.events(limit=10_000).events],
            repr(
                [
                    sorted(store.states().items()),
                    [(store.verdicts(mac), store.identifications(mac)) for mac in macs],
                ]
            ),
        )


def assert_same_counts(path: Path, expected: Path) -> None:
    one, other = content(path), content(expected)
    assert one.devices == other.devices
    for mac, tables in other.tables.items():
        for table, wanted in zip(one.tables[mac], tables, strict=True):
            assert_same(table, wanted)
            np.testing.assert_array_equal(table.session, wanted.session)
    for flows, expected_flows in zip(one.flows, other.flows, strict=True):
        assert replace(flows, values=None) == replace(expected_flows, values=None)
        np.testing.assert_allclose(flows.values, expected_flows.values, rtol=1e-5)


def assert_same_content(path: Path, expected: Path) -> None:
    assert_same_counts(path, expected)
    one, other = content(path), content(expected)
    assert one.events == other.events
    assert one.rest == other.rest


def as_text(lines: Iterable[VerdictLine]) -> list[str]:
    return [repr(line) for line in lines]


# --- captures ------------------------------------------------------------------------------------


def in_time(*folders: str) -> list[Path]:
    """A device's real captures, or those of several, by time."""
    found = find_captures([str(EXCERPT / folder) for folder in folders]).captures
    return [Path(c.path) for c in sorted(found, key=lambda capture: capture.first_ts_ns)]


def pieces(captures: Sequence[Path], unit: UnitKind) -> list[list[Path]]:
    """Single captures, or those of one date each: a day is judged once."""
    parts: dict[int, list[Path]] = {}
    for number, capture in enumerate(find_captures(list(map(str, captures))).captures):
        key = number if unit == "file" else capture.first_ts_ns // DAY_NS
        parts.setdefault(key, []).append(Path(capture.path))
    return list(parts.values())


def unpacked(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())


def record_starts(data: bytes | bytearray) -> list[int]:
    starts = [24]
    while (at := starts[-1]) < len(data):
        starts.append(at + 16 + int.from_bytes(data[at + 8 : at + 12], "little"))
    return starts[:-1]


def later(path: Path, days: int, folder: Path) -> Path:
    """The same capture as if it were made so many days later."""
    data = bytearray(unpacked(path))
    for at in record_starts(data):
        struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] + days * 86_400)
    target = folder / f"{days}-{path.stem}"
    target.write_bytes(data)
    return target


def says(mac: str, ts_ns: int, to: str = "02:00:00:00:00:09") -> Frame:
    """One packet of a device to another."""
    link = Ether(src=mac, dst=to) / IP(src=f"10.0.0.{mac[-1]}", dst=f"10.0.0.{to[-1]}")
    return Frame(bytes(link / UDP(sport=5000, dport=6000) / Raw(bytes(100))), ts_ns)


# --- pieces, repetitions, memory -----------------------------------------------------------------


@by_unit
def test_pieces_give_what_one_go_gives(tmp_path: Path, unit: UnitKind) -> None:
    """A run each evening decides as a run over everything does, through changes."""
    sensor = in_time("D-LinkSensor")
    new = [later(path, days, tmp_path) for days in (10, 20) for path in sensor[-2:]]
    old = [later(path, days, tmp_path) for days in (200, 201, 202) for path in sensor[:2]]
    captures = [*in_time("D-LinkSensor", "Aria"), *new, *old]
    whole = run(captures, tmp_path / "whole.db", unit)
    ran = [run(part, tmp_path / "parts.db", unit) for part in pieces(captures, unit)]

    assert as_text(line for each in ran for line in each.verdicts) == as_text(whole.verdicts)
    assert_same_content(tmp_path / "parts.db", tmp_path / "whole.db")
    happened = {event.type for event in content(tmp_path / "whole.db").events}
    assert happened >= {EventType.NEW_DEVICE, EventType.VERSION_CHANGED}


def test_pieces_give_what_one_go_gives_through_a_return(tmp_path: Path) -> None:
    """A device of the made corpus gets another TCP/IP stack, and later the first one again."""
    captures = sorted((EXCERPT.parent / "made-corpus" / "switch").iterdir())
    whole = run(captures, tmp_path / "whole.db")
    ran = [run([capture], tmp_path / "parts.db") for capture in captures]

    assert as_text(line for each in ran for line in each.verdicts) == as_text(whole.verdicts)
    assert_same_content(tmp_path / "parts.db", tmp_path / "whole.db")
    happened = {event.type for event in content(tmp_path / "whole.db").events}
    assert happened >= {EventType.VERSION_CHANGED, EventType.RETURNED_TO_KNOWN_VERSION}


@by_unit
def test_pieces_that_go_on_after_midnight(tmp_path: Path, unit: UnitKind) -> None:
    """Such a file is one unit; by day each run judges what there is, and all counts once."""
    captures = [tmp_path / f"{number}.pcap" for number in range(6)]
    for number, capture in enumerate(captures):
        begin_ns = START_NS + number * DAY_NS + 23 * HOUR_NS
        capture.write_bytes(pcap([says(ONE, begin_ns + i * HOUR_NS // 20) for i in range(45)]))
        run([capture], tmp_path / "parts.db", unit)
    run(captures, tmp_path / "whole.db", unit)

    same = assert_same_content if unit == "file" else assert_same_counts
    same(tmp_path / "parts.db", tmp_path / "whole.db")


@by_unit
def test_twice_counts_nothing_twice(tmp_path: Path, unit: UnitKind) -> None:
    """Captures that the store knows add nothing, under whatever name and in whatever company."""
    captures = in_time("D-LinkSensor")[:10]
    run(captures[:5], tmp_path / "home.db", unit)
    run(captures, tmp_path / "home.db", unit)
    run(captures, tmp_path / "once.db", unit)
    again = run(captures, tmp_path / "home.db", unit)
    renamed = Path(shutil.copy(captures[2], tmp_path / "renamed"))

    assert again.verdicts == run([renamed], tmp_path / "home.db", unit).verdicts == []
    assert again.summary.packets > 5000
    assert_same_content(tmp_path / "home.db", tmp_path / "once.db")


@by_unit
def test_the_order_of_the_arguments_changes_nothing(tmp_path: Path, unit: UnitKind) -> None:
    """Captures of all of them are read by their time: what was made later is judged later."""
    (tmp_path / "both").mkdir()
    folders = [EXCERPT / name for name in ("D-LinkSensor", "D-LinkSiren")]
    for capture in in_time("D-LinkSensor", "D-LinkSiren"):
        shutil.copy(capture, tmp_path / "both" / f"{capture.parent.name}-{capture.name}")
    one = run([tmp_path / "both"], tmp_path / "one.db", unit)
    times = [line.time for line in one.verdicts]
    assert times == sorted(times)
    for number, paths in enumerate((folders, folders[::-1])):
        ran = run(paths, tmp_path / f"{number}.db", unit)
        assert as_text(ran.verdicts) == as_text(one.verdicts)
        assert ran.summary == one.summary
        assert_same_content(tmp_path / f"{number}.db", tmp_path / "one.db")


def test_what_is_counted_is_what_the_captures_hold(tmp_path: Path) -> None:
    """Devices, windows and summary count what the labels say, also after a second run."""
    with (EXCERPT / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["device"] == "D-LinkSensor"]
    for _ in range(2):
        summary = run(in_time("D-LinkSensor"), tmp_path / "home.db").summary
        held = content(tmp_path / "home.db")
        (sensor,) = [row for row in held.devices if row.device == SENSOR]

        assert summary.packets == sum(int(row["packets"]) for row in rows)
        assert sensor.packets_sent == sum(int(row["packets_sent_by_device"]) for row in rows)
        assert sum(held.packets(SENSOR)) == sensor.packets_sent + sensor.packets_received


@by_unit
def test_without_a_store_the_same_happens(
    tmp_path: Path, unit: UnitKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that keeps nothing decides and tells what a run with a store does."""
    told: list[Event] = []
    add = Ledger.add_events

    def listen(self: Ledger, events: Sequence[Event]) -> None:
        told.extend(replace(event, id="", seq=0) for event in events)
        add(self, events)

    kept = run(in_time("D-LinkSensor"), tmp_path / "home.db", unit)
    monkeypatch.setattr(Ledger, "add_events", listen)
    forgotten = run(in_time("D-LinkSensor"), None, unit)

    assert told == [replace(event, seq=0) for event in content(tmp_path / "home.db").events]
    assert as_text(forgotten.verdicts) == as_text(kept.verdicts)
    assert forgotten.summary == kept.summary


# --- damage and odd traffic ----------------------------------------------------------------------


@by_unit
def test_captures_that_break_off_keep_what_was_before(tmp_path: Path, unit: UnitKind) -> None:
    """The run goes on as if they had ended a packet earlier; each of them is named."""
    first, second, third = in_time("D-LinkSensor")[:3]
    cut, short = ([tmp_path / f"{kind}{n}" for n in "12"] for kind in ("cut", "short"))
    for path, damaged, shorter in zip((first, second), cut, short, strict=True):
        data = unpacked(path)
        damaged.write_bytes(data[:-3])
        shorter.write_bytes(data[: record_starts(data)[-1]])
    ran = run([*cut, third], tmp_path / "cut.db", unit)
    expected = run([*short, third], tmp_path / "short.db", unit)

    assert ran.fault is not None
    assert (ran.fault.path, ran.fault.offset) == (str(cut[0]), short[0].stat().st_size)
    (note,) = ran.notes
    assert note.startswith(f"{cut[1]}: byte {short[1].stat().st_size}: ")
    assert as_text(ran.verdicts) == as_text(expected.verdicts)
    assert ran.summary == expected.summary
    assert_same_content(tmp_path / "cut.db", tmp_path / "short.db")
    assert run([*cut, third], tmp_path / "cut.db", unit).verdicts == []
    assert_same_content(tmp_path / "cut.db", tmp_path / "short.db")


def test_a_clock_that_jumps_back_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All frames count, at the times that they bear; a day that was judged stays judged."""
    in_blocks = partial(open_capture, block_bytes=1 << 12)  # of some 25 frames
    monkeypatch.setattr(sys.modules[read_session.__module__], "open_capture", in_blocks)
    days = [0, 1, 2, 0, 1, 2, 3, 1]
    frames = [says(ONE, START_NS + day * DAY_NS + h * HOUR_NS) for day in days for h in range(24)]
    path = tmp_path / "jumps.pcap"
    path.write_bytes(pcap(frames))

    ran = run([path], tmp_path / "home.db")
    (note,) = ran.notes
    assert note.startswith(f"{path}: frame 73: the clock jumps back by ")
    assert (ran.fault, ran.summary.packets) == (None, len(frames))
    judged = [line.time[:10] for line in ran.verdicts if line.device == ONE]
    assert len(judged) == len(set(judged)) == 4
    assert content(tmp_path / "home.db").packets(parse_mac(ONE)) == [48, 72, 48, 24]


def test_who_never_speaks_is_quiet(tmp_path: Path) -> None:
    """An address that is only spoken to is never learnt, and disturbs nobody."""
    path = tmp_path / "silent.pcap"
    path.write_bytes(pcap([says(ONE, START_NS + h * HOUR_NS, to=OTHER) for h in range(144)]))
    ran = run([path], tmp_path / "home.db")

    assert {line.state for line in ran.verdicts if line.device == OTHER} == {"quiet"}
    assert {line.state for line in ran.verdicts if line.device == ONE} == {"learning", "stable"}
    assert [(device.mac, device.state) for device in ran.summary.devices] == [
        (ONE, "stable"),
        (OTHER, "quiet"),
    ]
    devices = content(tmp_path / "home.db").devices
    (row,) = [row for row in devices if row.device == parse_mac(OTHER)]
    assert (row.packets_sent, row.packets_received) == (0, 144)

"""A capture is known again, whatever became of it, and goes on where it had ended."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.capture.files import open_capture
from fwid_agent.capture.opening import OPENING_FRAMES, older_fingerprint
from fwid_agent.pipeline.messages import UnitKind
from fwid_agent.pipeline.sessions import read_session
from fwid_agent.store import Store
from fwid_agent.types import UnitTable, parse_mac

from tests.agent.pipeline.test_replay import (
    ONE,
    OTHER,
    START_NS,
    assert_same_content,
    by_unit,
    content,
    in_time,
    record_starts,
    run,
    says,
    unpacked,
)
from tests.made_captures import COMPRESSIONS, Frame, pcap, pcapng
from tests.made_tables import HOUR_NS


def chatter(minutes: int, apart_ns: int = HOUR_NS // 60) -> list[Frame]:
    """Two devices speak every minute."""
    return [
        says(mac, START_NS + HOUR_NS // 7 + minute * apart_ns + delay_ns)
        for minute in range(minutes)
        for mac, delay_ns in ((ONE, 0), (OTHER, 5))
    ]


def sent(store: Path, mac: str = ONE) -> int:
    """How many packets of a device are counted."""
    (row,) = [row for row in content(store).devices if row.device == parse_mac(mac)]
    return row.packets_sent


def assert_alike(one: UnitTable, other: UnitTable) -> None:
    """The same but for rounding: sums of parts are not added in the order of the whole."""
    np.testing.assert_array_equal(one.start_ns, other.start_ns)
    np.testing.assert_array_equal(one.session, other.session)
    np.testing.assert_allclose(one.observed, other.observed, rtol=1e-9)
    np.testing.assert_allclose(one.sums, other.sums, rtol=1e-9)
    np.testing.assert_array_equal(one.tokens, other.tokens)


@by_unit
@pytest.mark.parametrize("minutes", [3, 20, 300])
def test_a_capture_that_grows_goes_on_where_it_ended(
    tmp_path: Path, unit: UnitKind, minutes: int
) -> None:
    """Cut in mid-packet or behind one, by as much as a frame or whole hours: all counts once."""
    data = pcap(chatter(minutes))
    starts = record_starts(data)
    (tmp_path / "whole.pcap").write_bytes(data)
    run([tmp_path / "whole.pcap"], tmp_path / "whole.db", unit)
    growing = tmp_path / "growing.pcap"
    for number, share in enumerate((0.0, 0.1, 0.5, 0.5, 0.9, 1.0)):
        at = starts[max(int(share * (len(starts) - 1)), 1)]
        growing.write_bytes(data if share == 1 else data[: at + 7 * (number % 2)])
        run([growing], tmp_path / "grown.db", unit)

    grown, whole = content(tmp_path / "grown.db"), content(tmp_path / "whole.db")
    assert grown.devices == whole.devices
    for mac in whole.tables:
        assert_alike(grown.tables[mac][0], whole.tables[mac][0])
    assert sent(tmp_path / "grown.db") == minutes


def test_each_window_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that goes on after a unit has ended, or in another run."""
    in_blocks = partial(open_capture, block_bytes=1 << 12)
    monkeypatch.setattr(sys.modules[read_session.__module__], "open_capture", in_blocks)
    path = tmp_path / "days.pcap"
    data = pcap(chatter(4 * 24 * 12, HOUR_NS // 12))
    for size in (len(data) // 2, len(data)):
        path.write_bytes(data[:size])
        in_two = run([path], tmp_path / "home.db").summary
    for summary in (in_two, run([path]).summary):
        assert {device.windows for device in summary.devices} == {4 * 24 + 1}


def test_a_file_that_was_judged_is_not_judged_by_its_rest(tmp_path: Path) -> None:
    """A part of a file is unlike a file: what has come since is counted and not judged."""
    path = tmp_path / "growing.pcap"
    for minutes, judged in ((60, True), (200, False)):
        path.write_bytes(pcap(chatter(minutes)))
        assert bool(run([path], tmp_path / "home.db", "file").verdicts) == judged
    assert sent(tmp_path / "home.db") == 200


@by_unit
def test_another_form_of_a_capture_counts_nothing_twice(tmp_path: Path, unit: UnitKind) -> None:
    """Compressed, unpacked, in the other format, or only its beginning."""
    frames = chatter(70)
    store, once = tmp_path / "home.db", tmp_path / "once.db"
    (tmp_path / "first").write_bytes(pcap(frames))
    run([tmp_path / "first"], store, unit)
    shutil.copy(store, once)
    forms = [
        compress(made(frames)) for compress in COMPRESSIONS.values() for made in (pcap, pcapng)
    ]
    for number, data in enumerate([*forms, pcap(frames[:100]), pcap(frames[:1])]):
        path = tmp_path / str(number)
        path.write_bytes(data)
        assert run([path], store, unit).verdicts == []
    assert_same_content(store, once)


def test_captures_that_begin_alike_are_two(tmp_path: Path) -> None:
    """The first frame alone, or nearly all that is looked at, makes no capture known."""
    frames = chatter(60)
    for number, same in enumerate((1, 2, OPENING_FRAMES - 1)):
        store = tmp_path / f"{number}.db"
        (tmp_path / "one").write_bytes(pcap(frames))
        changed = [Frame(frame.data, frame.ts_ns + 1000) for frame in frames[same:]]
        (tmp_path / "other").write_bytes(pcap([*frames[:same], *changed]))
        for name in ("one", "other", "one", "other"):
            run([tmp_path / name], store)
        assert sent(store) == 120


def test_captures_without_frames_leave_no_trace(tmp_path: Path) -> None:
    """However many there are, and whatever they become."""
    store = tmp_path / "home.db"
    for name in "ab":
        (tmp_path / name).write_bytes(pcap([]))
        for _ in range(2):
            run([tmp_path / name], store)
    with sqlite3.connect(store) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
    (tmp_path / "a").write_bytes(pcap(chatter(5)))
    run([tmp_path / "a"], store)
    assert sent(store) == 5


# --- standard input ------------------------------------------------------------------------------


def pipe(data: bytes, store: Path) -> None:
    command = [sys.executable, "-m", "fwid_agent.cli.main", "replay", "--store", str(store), "-"]
    subprocess.run(command, input=data, capture_output=True, check=True, timeout=60)


def test_standard_input_is_known_again(tmp_path: Path) -> None:
    """Twice by a pipe and once as a file is once; what comes behind what is known is counted."""
    store, path = tmp_path / "home.db", tmp_path / "file.pcap"
    data = pcap(chatter(50))
    pipe(pcap(chatter(40)), store)
    pipe(COMPRESSIONS["gzip"](data), store)
    pipe(data, store)
    path.write_bytes(data)
    run([path], store)
    assert sent(store) == 50


# --- stores of older versions --------------------------------------------------------------------


def make_old(store: Path, captures: Sequence[Path]) -> None:
    """Make a store one of version 7, which knew captures by their size and first bytes."""
    connection = sqlite3.connect(store)
    for capture in captures:
        connection.execute(
            "UPDATE sessions SET fingerprint = ? WHERE name = ?",
            (older_fingerprint(str(capture)), capture.name),
        )
    for table in ("texts", "flows", "kinds", "identifications"):
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP INDEX sessions_by_first_frame")
    for column in ("opening", "ended"):
        connection.execute(f"ALTER TABLE sessions DROP COLUMN {column}")
    connection.execute("PRAGMA user_version = 7")
    connection.commit()
    connection.close()


def test_an_older_store_knows_its_captures(tmp_path: Path) -> None:
    """As they were then; after that, in any form."""
    store, once = tmp_path / "home.db", tmp_path / "once.db"
    captures = in_time("D-LinkSensor")[:4]
    run(captures, store)
    shutil.copy(store, once)
    make_old(store, captures)
    Store.open(store).close()
    connection = sqlite3.connect(once)
    for table in ("flows", "identifications"):  # an older version had none of what it counted
        connection.execute(f"DELETE FROM {table}")
    connection.commit()
    connection.close()

    assert run(captures, store).verdicts == []
    assert_same_content(store, once)
    forms = []
    for capture in captures:
        forms.append(tmp_path / capture.stem)
        forms[-1].write_bytes(unpacked(capture))
    assert run(forms, store).verdicts == []
    assert_same_content(store, once)

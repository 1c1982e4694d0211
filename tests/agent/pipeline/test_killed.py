"""`fwid replay` stopped at any moment goes on later as if nothing had been."""

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from fwid_agent.capture.files import open_capture
from fwid_agent.pipeline import Progress, ReplayRequest, replay
from fwid_agent.pipeline.messages import UnitKind
from fwid_agent.pipeline.sessions import read_session
from fwid_agent.store import Store

from tests.agent.pipeline.test_replay import (
    CONFIG,
    EXCERPT,
    ONE,
    OTHER,
    as_text,
    assert_same_content,
    by_unit,
    content,
    in_time,
    run,
    says,
)
from tests.made_captures import Frame, pcap
from tests.made_tables import DAY_NS, HOUR_NS

START_NS = 17_060 * DAY_NS  # soon after the last of the real captures


def days_of(days: int, padding: int = 0) -> list[Frame]:
    """A capture over days: one device speaks all the time, one falls silent on the second day."""
    frames = []
    for minutes in range(0, days * 24 * 60, 20):
        ts_ns = START_NS + minutes * HOUR_NS // 60
        frames += [says(ONE, ts_ns), says(ONE, ts_ns + 7)]
        if minutes % 60 == 40 and minutes < 30 * 60:
            frames.append(says(OTHER, ts_ns + HOUR_NS // 4))
    return [Frame(frame.data + bytes(padding), frame.ts_ns) for frame in frames]


class StoppedError(Exception):
    """Ends a run in this process as a kill would: nothing more is stored."""


def stop_after(count: int, captures: Sequence[Path], store: Path) -> bool:
    """Replay and stop after so many blocks; says whether there were as many."""
    seen = 0

    def look(_: Progress) -> None:
        nonlocal seen
        seen += 1
        if seen == count:
            raise StoppedError

    request = ReplayRequest(tuple(map(str, captures)), str(store), config=CONFIG)
    try:
        for _ in replay(request, on_progress=look, on_note=pytest.fail):
            pass
    except StoppedError:
        return True
    return False


def test_stopped_after_any_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In mid-capture too: gaps, flows and what was watched go on from what was stored."""
    in_blocks = partial(open_capture, block_bytes=1 << 12)
    monkeypatch.setattr(sys.modules[read_session.__module__], "open_capture", in_blocks)
    capture = tmp_path / "days.pcap"
    frames = days_of(4)
    capture.write_bytes(pcap(frames))
    run([capture], tmp_path / "whole.db")
    stored: list[int] = []
    while stop_after(len(stored) + 1, [capture], store := tmp_path / f"{len(stored)}.db"):
        stored.append(sum(row.packets_sent for row in content(store).devices))
        run([capture], store)
        assert_same_content(store, tmp_path / "whole.db")

    assert len(stored) > 20
    assert len(set(stored)) == 4  # nothing, and what there was after each day but the last
    assert max(stored) < len(frames)


def test_stopped_where_captures_overlap(tmp_path: Path) -> None:
    """A day that is half read is not over because another capture has gone on beyond it."""
    long, *short = (tmp_path / f"{number}.pcap" for number in range(9))
    long.write_bytes(pcap([says(ONE, START_NS + hour * HOUR_NS) for hour in range(24 * 8)]))
    for number, capture in enumerate(short, 2):
        begin_ns = START_NS + number * DAY_NS // 2
        frames = [says(OTHER, begin_ns + minute * HOUR_NS // 60) for minute in range(600)]
        capture.write_bytes(pcap(frames))
    verdicts = run([long, *short], tmp_path / "whole.db").verdicts
    stops = 0
    while stop_after(stops + 1, [long, *short], store := tmp_path / f"{stops}.db"):
        stops += 1
        run([long, *short], store)
        assert_same_content(store, tmp_path / "whole.db")

    assert stops >= len([long, *short])
    assert [line.device for line in verdicts].count(OTHER) == 4


@by_unit
def test_stopped_at_any_verdict(tmp_path: Path, unit: UnitKind) -> None:
    """A verdict that was printed but not stored is printed again, and is the same."""
    captures = in_time("D-LinkSensor")
    whole = as_text(run(captures, tmp_path / "whole.db", unit).verdicts)
    for count in range(1, len(whole), 9):
        store = tmp_path / f"{count}.db"
        names = tuple(map(str, captures))
        request = ReplayRequest(names, str(store), unit=unit, config=CONFIG)
        lines = replay(request, on_progress=lambda _: None, on_note=pytest.fail)
        before = [repr(next(lines)) for _ in range(count)]
        lines.close()  # type: ignore[attr-defined]
        after = as_text(run(captures, store, unit).verdicts)

        assert before == whole[:count]
        assert after == whole[len(whole) - len(after) :]
        assert len(after) >= len(whole) - count
        assert_same_content(store, tmp_path / "whole.db")


# --- kills ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["captures", "overlapping folders"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Captures of a home: real ones, and one over days that is read in several blocks."""
    if request.param == "overlapping folders":
        return [EXCERPT / "D-LinkSensor", EXCERPT / "D-LinkSiren"]
    long = tmp_path_factory.mktemp("home") / "long.pcap"
    long.write_bytes(pcap(days_of(9, padding=10_000)))
    return [*in_time("D-LinkSensor")[::2], long]


@pytest.fixture(scope="module")
def undisturbed(home: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a run that nothing has stopped."""
    store = tmp_path_factory.mktemp("undisturbed") / "home.db"
    run(home, store)
    return store


def start(captures: Sequence[Path], store: Path) -> "subprocess.Popen[bytes]":
    config = store.parent / "fwid.toml"
    config.write_text(
        f"learning_units = {CONFIG.learning_units}\nsettle_units = {CONFIG.settle_units}\n"
        f"alarms_per_device_year = {CONFIG.alarms_per_device_year}\n"
    )
    command = [sys.executable, "-m", "fwid_agent.cli.main", "replay", "--json"]
    options = ["--store", str(store), "--config", str(config)]
    return subprocess.Popen([*command, *options, *map(str, captures)], stdout=subprocess.PIPE)


def finish(captures: Sequence[Path], store: Path) -> None:
    process = start(captures, store)
    process.communicate(timeout=120)
    assert process.returncode == 0


def kill(process: "subprocess.Popen[bytes]", after_lines: int, wait_s: float) -> bool:
    """Kill it so long after it has printed so many lines; says whether it was still running."""
    assert process.stdout is not None
    with process.stdout as printed:
        for _ in range(after_lines):
            printed.readline()
        time.sleep(wait_s)
        process.kill()
    return process.wait() != 0


def test_two_runs_at_once_count_nothing_twice(tmp_path: Path) -> None:
    """The second is told to wait; beside the first, and after it, nothing is lost."""
    captures, store = in_time("D-LinkSensor")[:6], tmp_path / "home.db"
    run(captures, tmp_path / "once.db")
    first = replay(
        ReplayRequest(tuple(map(str, captures)), str(store), config=CONFIG),
        on_progress=lambda _: None,
        on_note=pytest.fail,
    )
    next(first)
    second = start(captures, store)
    assert second.wait(60) == 4
    with Store.open(store, create=False) as looked_at:
        assert looked_at.devices()
    for _ in first:
        pass
    assert_same_content(store, tmp_path / "once.db")
    finish(captures, store)
    assert_same_content(store, tmp_path / "once.db")


@pytest.mark.parametrize(
    "kills", [3, pytest.param(15, marks=pytest.mark.slow)], ids=lambda kills: f"{kills} kills"
)
def test_killed_runs_go_on(tmp_path: Path, home: list[Path], undisturbed: Path, kills: int) -> None:
    """After every kill the store is sound; in the end it holds what an unharmed run gives."""
    rng = random.Random(kills)
    store = tmp_path / "0.db"
    struck = 0
    for number in range(kills):
        process = start(home, store)
        running = kill(process, rng.choice([0, 1, 3, 6, 10, 15]), rng.uniform(0, 0.03))
        struck += running
        if store.exists():
            connection = sqlite3.connect(store)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            connection.close()
            Store.open(store).close()
        if not running:
            assert_same_content(store, undisturbed)
            store = tmp_path / f"{number + 1}.db"
    finish(home, store)
    assert_same_content(store, undisturbed)
    assert struck > kills // 2

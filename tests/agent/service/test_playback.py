"""The agent on captures: the same as a replay, at their own time, and again from where it was."""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from fwid_agent.capture.files import find_captures
from fwid_agent.service.clock import ReplayClock
from fwid_agent.service.playback import Playback
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.watcher import Watcher
from fwid_agent.types import Event
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.pipeline.test_replay import (
    CONFIG,
    EXCERPT,
    ONE,
    assert_same_content,
    content,
    run,
    says,
)
from tests.made_captures import Frame, pcap
from tests.made_tables import DAY_NS, HOUR_NS

_SECOND_NS = 1_000_000_000
_START_NS = 17_000 * DAY_NS + 5 * HOUR_NS
_PATIENCE_S = 60.0


class Told:
    """What a watcher told, and how to wait for the end of its replay."""

    def __init__(self, paths: Sequence[Path], store: Path, speed: float | None = None) -> None:
        self.events: list[Event] = []
        self.ended = threading.Event()
        captures = find_captures([str(path) for path in paths]).captures
        request = WatchRequest(tuple(map(str, paths)), store, CONFIG)
        self.feed = Playback(captures, speed, CONFIG.unit_s * _SECOND_NS)
        self.watcher = Watcher(request, self.feed, self.events.extend, self.ended.set)

    def wait_until(self, time_ns: int) -> None:
        """Let it go on until its clock shows this."""
        until = time.monotonic() + _PATIENCE_S
        while self.watcher.clock.now_ns() < time_ns:
            assert time.monotonic() < until
            assert self.watcher.error is None
            time.sleep(0.02)

    def stop(self) -> None:
        self.watcher.stop()
        self.watcher.join(_PATIENCE_S)
        assert self.watcher.error is None


def play(paths: Sequence[Path], store: Path) -> Told:
    """Replay captures to their end, and a little beyond."""
    told = Told(paths, store)
    told.watcher.start()
    newest_ns = max(one.first_ts_ns for one in find_captures([str(p) for p in paths]).captures)
    told.wait_until((newest_ns // DAY_NS + 1) * DAY_NS)
    told.watcher.ask(lambda home: home.commit()).result(_PATIENCE_S)
    told.stop()
    return told


def test_the_agent_says_of_captures_what_a_replay_says(tmp_path: Path) -> None:
    """Counts, tables, states, verdicts and events: two ways to read, one result."""
    captures = [EXCERPT / "D-LinkSensor"]
    told = play(captures, tmp_path / "agent.db")
    run(captures, tmp_path / "replay.db")
    assert_same_content(tmp_path / "agent.db", tmp_path / "replay.db")
    assert [event.seq for event in told.events] == [
        event.seq for event in content(tmp_path / "agent.db").events
    ]


def test_captures_again_count_nothing_twice(tmp_path: Path) -> None:
    """A restart of the demo shows what it showed."""
    captures = [EXCERPT / "Aria"]
    play(captures, tmp_path / "agent.db")
    before = content(tmp_path / "agent.db")
    again = play(captures, tmp_path / "agent.db")
    assert content(tmp_path / "agent.db").devices == before.devices
    assert content(tmp_path / "agent.db").rest == before.rest
    assert not again.events
    assert again.watcher.counters.frames > 0


def test_stopped_in_mid_capture_it_goes_on_there(tmp_path: Path) -> None:
    """Paced, a stop comes anywhere; what two runs count is what one counts."""
    one = says(ONE, _START_NS)
    frames = [Frame(one.data, _START_NS + n * _SECOND_NS) for n in range(4000)]
    capture = tmp_path / "long.pcap"
    capture.write_bytes(pcap(frames))
    run([capture], tmp_path / "whole.db")
    first = Told([capture], tmp_path / "agent.db", speed=600.0)
    first.watcher.start()
    first.wait_until(_START_NS + 1000 * _SECOND_NS)
    first.stop()
    counted = content(tmp_path / "agent.db").devices[0].packets_sent
    assert 500 < counted < 4000
    play([capture], tmp_path / "agent.db")
    assert_same_content(tmp_path / "agent.db", tmp_path / "whole.db")


def test_time_without_frames_is_skipped(tmp_path: Path) -> None:
    """Two captures half a year apart are as far apart on the clock, and not in real time."""
    paths = []
    for number, ts_ns in enumerate((_START_NS, _START_NS + 180 * DAY_NS)):
        frames = [says(ONE, ts_ns + n * _SECOND_NS // 2) for n in range(4)]
        paths.append(tmp_path / f"{number}.pcap")
        paths[-1].write_bytes(pcap(frames))
    told = Told(paths, tmp_path / "agent.db", speed=1.0)
    assert told.watcher.clock.now_ns() >= _START_NS
    told.watcher.start()
    told.wait_until(_START_NS + 180 * DAY_NS)
    told.wait_until(((_START_NS + 180 * DAY_NS) // DAY_NS + 1) * DAY_NS)
    told.stop()


@given(
    st.lists(
        st.tuples(st.sampled_from(["reach", "allow", "run_on"]), st.integers(0, 2**62)), max_size=20
    ),
    st.none() | st.floats(0.01, 1e6),
)
def test_a_clock_never_goes_back(steps: list[tuple[str, int]], speed: float | None) -> None:
    """Whatever captures say: units that have ended stay so."""
    clock = ReplayClock(speed)
    before = clock.now_ns()
    for step, time_ns in steps:
        getattr(clock, step)(time_ns)
        now = clock.now_ns()
        assert now >= before
        if step == "reach":
            assert now >= time_ns
        before = now


def test_a_clock_waits_for_frames_to_come() -> None:
    """It does not end a unit whose frames a slow machine has yet to read."""
    clock = ReplayClock(1e6)
    clock.reach(_START_NS)
    time.sleep(0.01)
    assert clock.now_ns() == _START_NS
    clock.allow(_START_NS + 5)
    assert clock.now_ns() == _START_NS + 5
    assert clock.wait_s(_START_NS + 5) == 0


def test_a_damaged_capture_is_said_and_the_next_one_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What was before the damage counts."""
    whole = pcap([says(ONE, _START_NS + n) for n in range(10)])
    (tmp_path / "a.pcap").write_bytes(whole[:-5])
    (tmp_path / "b.pcap").write_bytes(pcap([says(ONE, _START_NS + _SECOND_NS)]))
    play([tmp_path / "a.pcap", tmp_path / "b.pcap"], tmp_path / "agent.db")
    assert content(tmp_path / "agent.db").devices[0].packets_sent == 10
    assert "a.pcap" in caplog.text


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-"], 2, "a stream cannot be replayed"),
        (["no-such.pcap"], 3, "no-such.pcap: no such file"),
        (["--user", "nobody", str(EXCERPT / "Aria")], 2, "a replay needs no rights"),
        (["--speed", "fast", str(EXCERPT / "Aria")], 2, "'fast' is no speed"),
    ],
)
def test_what_cannot_be_replayed_is_named(
    tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    """One line, before anything is stored."""
    command = [sys.executable, "-m", "fwid_agent.cli.main", "run", "--replay", *words]
    command += ["--store", str(tmp_path / "fwid.db")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == code
    assert said in ended.stderr
    assert not list(tmp_path.iterdir())

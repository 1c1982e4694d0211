"""A replay that is held back: frames come when they are due, and change nothing by that."""

import time
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.pipeline import ReplayRequest, VerdictLine, replay
from fwid_agent.pipeline.pace import Pace, cut_in_time

from tests.agent.core.test_copies import block_of
from tests.agent.pipeline.test_replay import CONFIG, ONE, START_NS, as_text, in_time, run, says

SECOND_NS = 1_000_000_000
FRAME = says(ONE, 0).data


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it slept each time; nobody really waits."""
    times: list[float] = []
    now_s = [0.0]

    def sleep(wait_s: float) -> None:
        times.append(wait_s)
        now_s[0] += wait_s

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    return times


def test_a_block_comes_in_pieces_in_its_time(slept: list[float]) -> None:
    """Also one that holds a whole capture; frame by frame nothing is lost or moved."""
    block = block_of([FRAME] * 90, [START_NS + n * SECOND_NS for n in range(90)])
    pace, pieces = Pace(30.0), list(cut_in_time(block, 30.0))
    for piece in pieces:
        pace.wait(piece)
    np.testing.assert_array_equal(np.concatenate([each.ts_ns for each in pieces]), block.ts_ns)
    assert len(pieces) > 10
    assert sum(slept) == pytest.approx((int(pieces[-1].ts_ns[0]) - START_NS) / SECOND_NS / 30)
    assert len(list(cut_in_time(block, None))) == 1


@pytest.mark.parametrize("speed", [1e-6, 1.0, 1e9])
def test_stretches_without_frames_are_skipped(slept: list[float], speed: float) -> None:
    """Months between captures, and times that no frame can have, hold up nobody."""
    pace = Pace(speed)
    for ts_ns in (0, START_NS, 2**62, 5, START_NS):
        for piece in cut_in_time(block_of([FRAME], [ts_ns]), speed):
            pace.wait(piece)
    assert sum(slept) < 5


def test_a_slow_replay_says_what_a_fast_one_says(slept: list[float]) -> None:
    """It is the same but for the time that it takes."""
    captures: list[Path] = in_time("D-LinkSensor")[:8]
    request = ReplayRequest(tuple(map(str, captures)), None, speed=1000.0, config=CONFIG)
    lines = list(replay(request, on_progress=lambda _: None, on_note=pytest.fail))
    verdicts = [line for line in lines if isinstance(line, VerdictLine)]
    assert as_text(verdicts) == as_text(run(captures).verdicts)
    assert len(slept) > len(captures)

"""What the bench takes as a process's cost: differences in turns, and no figure out of noise."""

import sys

import pytest
from fwid_agent.lab.timing import Run, run_process, weigh_pairs
from hypothesis import given
from hypothesis import strategies as st


def pairs(idle: list[float], work: list[float], wall_factor: float = 1.0) -> list[tuple[Run, Run]]:
    """An idle process and one that also works, so many times."""
    return [
        (Run(start * wall_factor, start, 30.0), Run((start + net) * wall_factor, start + net, 80.0))
        for start, net in zip(idle, work, strict=True)
    ]


def test_start_up_is_taken_off_pair_by_pair() -> None:
    """A machine that is slow for one pair is slow for both halves of it."""
    cost = weigh_pairs(pairs([1.0, 1.1, 1.05], [2.0, 2.0, 2.0]))
    assert cost.cpu_s == pytest.approx(2.0)
    assert cost.peak_pss_mb == 80.0


@given(
    st.lists(st.floats(0.01, 5), min_size=1, max_size=5),
    st.lists(st.floats(-5, 5), min_size=1, max_size=5),
)
def test_no_rate_out_of_noise(idle: list[float], work: list[float]) -> None:
    """A difference that start-up's own variation could make is told as none, never as a huge rate.

    A run shorter than its start-up once gave two hundred thousand million packets a second.
    """
    count = min(len(idle), len(work))
    idle, work = idle[:count], work[:count]
    cost = weigh_pairs(pairs(idle, work))
    if cost.cpu_s is not None:
        assert cost.cpu_s > max(idle) - min(idle)
        assert cost.cpu_s > 0.2 * (cost.cpu_s + min(idle))


def test_work_beside_a_long_start_up_is_too_noisy() -> None:
    """A tenth of the run is start-up's noise."""
    assert weigh_pairs(pairs([1.0, 1.0], [0.1, 0.1])).cpu_s is None


def test_the_work_of_others_does_not_count() -> None:
    """On a busy machine the clock runs on; the processor's time stays that of the process."""
    quiet, busy = (weigh_pairs(pairs([1.0, 1.0], [3.0, 3.0], factor)) for factor in (1.0, 4.0))
    assert quiet.cpu_s == busy.cpu_s
    assert quiet.wall_s < busy.wall_s


def test_a_process_is_measured_with_its_children() -> None:
    """A tool that works in a second process is not measured by its first alone."""
    work = "sum(range(3_000_000))"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}], check=True)"
    alone = run_process([sys.executable, "-c", "import subprocess"])
    both = run_process([sys.executable, "-c", child])
    assert both.cpu_s > alone.cpu_s
    assert both.wall_s > 0


def test_a_process_that_fails_is_no_measurement() -> None:
    """Its time would look fast."""
    with pytest.raises(RuntimeError, match="ended with 3"):
        run_process([sys.executable, "-c", "raise SystemExit(3)"])

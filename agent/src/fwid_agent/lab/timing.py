"""What a process costs without its start-up: time of the processor, of the clock, and memory.

A run and an idle process of the same kind take turns, so that whatever else the machine does hits
both, and the median of the differences counts. Time of the processor is what is compared: on a busy
machine the clock also counts the work of others.
"""

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL_S = 0.02
LEAST_SHARE = 0.2  # of a run: a smaller difference is as much start-up's noise as work


@dataclass(frozen=True, slots=True)
class Run:
    """One process from its start to its end."""

    wall_s: float
    cpu_s: float  # user and system, its children's too
    peak_pss_mb: float  # largest proportional set size of the process and its children


@dataclass(frozen=True, slots=True)
class Cost:
    """What work costs beyond the start-up of its process."""

    cpu_s: float | None  # None: start-up varies too much beside it
    wall_s: float  # of a whole run, start-up and all
    peak_pss_mb: float


def measure(command: Sequence[str], idle: Sequence[str], repeats: int) -> Cost:
    """Run a command and its idle counterpart in turns."""
    pairs = [(run_process(idle), run_process(command)) for _ in range(repeats)]
    return weigh_pairs(pairs)


def weigh_pairs(pairs: Sequence[tuple[Run, Run]]) -> Cost:
    """Take start-up off: each pair is an idle process and a run."""
    difference = statistics.median(run.cpu_s - idle.cpu_s for idle, run in pairs)
    whole = statistics.median(run.cpu_s for _, run in pairs)
    idle_cpu = [idle.cpu_s for idle, _ in pairs]
    certain = difference > max(LEAST_SHARE * whole, max(idle_cpu) - min(idle_cpu))
    return Cost(
        difference if certain else None,
        statistics.median(run.wall_s for _, run in pairs),
        max(run.peak_pss_mb for _, run in pairs),
    )


def run_process(command: Sequence[str]) -> Run:
    """Run to the end on one core; raises RuntimeError where the command fails."""
    start_s = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    peak = 0.0
    while True:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        peak = max(peak, _pss_mb(process.pid))
        time.sleep(_POLL_S)
    wall_s = time.perf_counter() - start_s
    process.returncode = os.waitstatus_to_exitcode(status)  # what its own wait would have set
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return Run(wall_s, used.ru_utime + used.ru_stime, peak)


def _pss_mb(pid: int) -> float:
    """Proportional set size of a process and its children; 0 once it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, StopIteration):
        return 0.0
    return total / 1024 + sum(_pss_mb(int(child)) for child in children)

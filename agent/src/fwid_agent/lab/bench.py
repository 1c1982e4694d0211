"""Speed and memory beside others, in the same minutes on the same core, each in its own process.

Nothing here judges: ratios are printed, machines differ. What a process takes to start (ours over a
capture of one packet, the others importing what they need) is measured too, and taken off before
packets a second are counted: a capture of any length pays it once.
"""

import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fwid_agent.capture.files import find_captures, open_capture
from fwid_agent.lab.judging import Judging, measure_judging
from fwid_agent.types import FrameBlock

_POLL_S = 0.02
_ONE_PACKET = "start-up.pcap"


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One program over the same capture."""

    name: str
    packets: int
    seconds: float  # median of whole processes
    packets_per_s: float  # without the start-up of an idle process of the same kind
    ratio: float  # to ours; above 1 is faster
    peak_pss_mb: float  # largest proportional set size of the process and its children


@dataclass(frozen=True, slots=True)
class BenchReport:
    """All rows, and where they were made."""

    machine: str
    python: str
    packets: int
    bytes: int
    repeats: int
    rows: tuple[BenchRow, ...]
    left_out: tuple[str, ...]  # programs that are not installed here
    judging: Judging | None  # None where no device has captures enough


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    command: tuple[str, ...]
    idle: tuple[str, ...]  # the same process, doing nothing


def repeat_captures(paths: Sequence[str], target: Path, packets: int) -> tuple[int, int]:
    """Write a classic pcap of `packets` packets by repeating captures one after the other.

    The captures follow each other without a pause, as a busy home's traffic does: what is measured
    is packets, not the days between them. Returns packets and captured bytes.
    """
    written = size = 0
    captures = find_captures(paths).captures
    now_ns = captures[0].first_ts_ns
    with target.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        while written < packets:
            for capture in captures:
                shift_ns = now_ns - capture.first_ts_ns
                with open_capture(capture.path) as reader:
                    for block in reader:
                        for record in _records(block, shift_ns)[: packets - written]:
                            file.write(record)
                            written += 1
                            size += len(record) - 16
                        now_ns = max(now_ns, int(block.ts_ns.max()) + shift_ns)
                if written >= packets:
                    break
    return written, size


def _records(block: FrameBlock, shift_ns: int) -> list[bytes]:
    raw = block.buffer.tobytes()
    records = []
    for index, ts_ns in enumerate((block.ts_ns + shift_ns).tolist()):
        start, length = int(block.offsets[index]), int(block.captured_bytes[index])
        seconds, rest_ns = divmod(ts_ns, 1_000_000_000)
        header = struct.pack(
            "<IIII", seconds, rest_ns // 1000, length, int(block.wire_bytes[index])
        )
        records.append(header + raw[start : start + length])
    return records


def run_bench(
    paths: Sequence[str], packets: int, repeats: int, on_row: Callable[[BenchRow], None]
) -> BenchReport:
    """Measure every program that is installed over one capture made from `paths`."""
    with tempfile.TemporaryDirectory(prefix="fwid-bench-") as folder:
        capture = Path(folder) / "bench.pcap"
        count, size = repeat_captures(paths, capture, packets)
        repeat_captures(paths, Path(folder) / _ONE_PACKET, 1)
        programs, left_out = _programs(capture, Path(folder))
        rows: list[BenchRow] = []
        ours = 0.0
        for program in programs:
            idle = statistics.median(_run(program.idle)[0] for _ in range(3))
            runs = [_run(program.command) for _ in range(repeats)]
            seconds = statistics.median(run[0] for run in runs)
            rate = count / max(seconds - idle, 1e-6)
            ours = ours or rate
            row = BenchRow(
                program.name, count, seconds, rate, rate / ours, max(run[1] for run in runs)
            )
            rows.append(row)
            on_row(row)
    return BenchReport(
        _machine(),
        sys.version.split()[0],
        count,
        size,
        repeats,
        tuple(rows),
        left_out,
        measure_judging(paths),
    )


def _programs(capture: Path, folder: Path) -> tuple[list[_Program], tuple[str, ...]]:
    python = sys.executable
    path = str(capture)
    fwid = (python, "-m", "fwid_agent.cli.main")
    programs = [
        _Program(
            "fwid replay, packets to verdicts",
            (*fwid, "replay", "--json", path),
            (*fwid, "replay", "--json", str(folder / _ONE_PACKET)),
        )
    ]
    left_out = []
    for name, what in (
        ("nfstream", "nfstream, flow table"),
        ("dpkt", "dpkt, an object a packet"),
        ("scapy", "scapy, full dissection"),
    ):
        idle = (python, "-c", f"import {name}")
        if subprocess.run(idle, capture_output=True, check=False).returncode:
            left_out.append(what)
            continue
        programs.append(_Program(what, (python, "-m", "fwid_agent.lab.readers", name, path), idle))
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        left_out.append("C loop, 5-tuples (no compiler)")
    else:
        loop = folder / "readers"
        source = Path(__file__).with_name("readers.c")
        subprocess.run((compiler, "-O2", "-o", str(loop), str(source)), check=True)
        programs.append(_Program("C loop, 5-tuples", (str(loop), path), ("true",)))
    return programs, tuple(left_out)


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Run to the end on one core; returns seconds and the largest PSS in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _pss_mb(process.pid))
        time.sleep(_POLL_S)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return seconds, peak


def _pss_mb(pid: int) -> float:
    """Proportional set size of a process and its children; 0 once it has ended."""
    total = 0
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total = next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (OSError, StopIteration):
        return 0.0
    return total / 1024 + sum(_pss_mb(int(child)) for child in children)


def draw(report: BenchReport, target: Path) -> None:
    """Draw packets a second and peak memory of every tool into a PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - part of the lab extra

    figure = Figure(figsize=(9, 0.6 * len(report.rows) + 1.6), layout="constrained")
    speed, memory = figure.subplots(1, 2, sharey=True)
    names = [row.name for row in report.rows]
    speed.barh(names, [row.packets_per_s for row in report.rows], color="#3b7dd8")
    speed.set_xscale("log")
    speed.set_xlabel("packets/s on one core")
    memory.barh(names, [row.peak_pss_mb for row in report.rows], color="#8a8f98")
    memory.set_xlabel("peak memory, MB (PSS)")
    speed.invert_yaxis()
    figure.suptitle(f"{report.packets:,} packets, {report.machine}", fontsize=9)
    figure.savefig(target, dpi=120)


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return os.uname().machine
    model = next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), ""
    )
    return f"{model or 'unknown processor'} ({os.uname().machine})"

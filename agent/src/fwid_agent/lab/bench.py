"""Speed and memory beside others, in the same minutes on the same core, each in its own process.

Nothing here judges: ratios are printed, machines differ. What a process takes to start (ours over a
capture of one packet, the others importing what they need) is measured too, and taken off before
packets a second are counted: a capture of any length pays it once.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from fwid_agent.lab.judging import Judging, measure_judging
from fwid_agent.lab.timing import measure
from fwid_agent.lab.workloads import Workload, make_busy_wire, make_home

OnStep = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One program over the same capture; rates are None where start-up's noise hides them."""

    name: str
    packets: int
    seconds: float  # by the clock, median of whole processes
    cpu_seconds: float | None  # of a processor, without start-up
    packets_per_s: float | None  # of a processor's time
    ratio: float | None  # to ours; above 1 is faster
    peak_pss_mb: float  # largest proportional set size of the process and its children


@dataclass(frozen=True, slots=True)
class HomeRow:
    """Ours over a month of a home, where judging units costs more than reading packets."""

    devices: int
    days: int
    packets: int
    verdicts: int
    seconds: float
    cpu_seconds: float | None
    packets_per_s: float | None
    days_per_s: float | None
    peak_pss_mb: float


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
    home: HomeRow | None  # None where the captures are of too few devices
    judging: Judging | None  # None where no device has captures enough


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    command: tuple[str, ...]
    idle: tuple[str, ...]  # the same process, doing nothing


def run_bench(paths: Sequence[str], packets: int, repeats: int, on_step: OnStep) -> BenchReport:
    """Measure every program that is installed over captures made from `paths`."""
    with tempfile.TemporaryDirectory(prefix="fwid-bench-") as name:
        folder = Path(name)
        wire = make_busy_wire(paths, folder / "wire.pcap", packets)
        start_up = make_busy_wire(paths, folder / "start-up.pcap", 1)
        programs, left_out = _programs(wire.path, start_up.path, folder)
        rows: list[BenchRow] = []
        for program in programs:
            rows.append(_row(program, wire, repeats, rows[0] if rows else None))
            on_step(program.name)
        home = make_home(paths, folder / "home.pcap")
        month = _home_row(home, start_up.path, repeats) if home else None
        on_step("a month of a home")
    return BenchReport(
        _machine(),
        sys.version.split()[0],
        wire.packets,
        wire.bytes,
        repeats,
        tuple(rows),
        left_out,
        month,
        measure_judging(paths),
    )


def _row(program: _Program, wire: Workload, repeats: int, ours: BenchRow | None) -> BenchRow:
    cost = measure(program.command, program.idle, repeats)
    rate = wire.packets / cost.cpu_s if cost.cpu_s else None
    base = ours.packets_per_s if ours else rate
    return BenchRow(
        program.name,
        wire.packets,
        cost.wall_s,
        cost.cpu_s,
        rate,
        rate / base if rate and base else None,
        cost.peak_pss_mb,
    )


def _home_row(home: Workload, start_up: Path, repeats: int) -> HomeRow:
    command = (*_replay(), str(home.path))
    printed = subprocess.run(command, capture_output=True, check=True).stdout
    cost = measure(command, (*_replay(), str(start_up)), repeats)
    return HomeRow(
        home.devices,
        home.days,
        home.packets,
        printed.count(b'"type":"verdict"'),
        cost.wall_s,
        cost.cpu_s,
        home.packets / cost.cpu_s if cost.cpu_s else None,
        home.days / cost.cpu_s if cost.cpu_s else None,
        cost.peak_pss_mb,
    )


def _replay() -> tuple[str, ...]:
    return sys.executable, "-m", "fwid_agent.cli.main", "replay", "--json"


def _programs(
    capture: Path, start_up: Path, folder: Path
) -> tuple[list[_Program], tuple[str, ...]]:
    python, path = sys.executable, str(capture)
    programs = [
        _Program(
            "fwid replay, packets to verdicts", (*_replay(), path), (*_replay(), str(start_up))
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


def draw(report: BenchReport) -> bytes:
    """Draw packets a second and peak memory of every tool as a PNG."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - part of the lab extra

    figure = Figure(figsize=(9, 0.6 * len(report.rows) + 1.6), layout="constrained")
    speed, memory = figure.subplots(1, 2, sharey=True)
    names = [row.name for row in report.rows]
    speed.barh(names, [row.packets_per_s or 0 for row in report.rows], color="#3b7dd8")
    speed.set_xscale("log")
    speed.set_xlabel("packets/s of one core")
    memory.barh(names, [row.peak_pss_mb for row in report.rows], color="#8a8f98")
    memory.set_xlabel("peak memory, MB (PSS)")
    speed.invert_yaxis()
    figure.suptitle(f"{report.packets:,} packets, {report.machine}", fontsize=9)
    buffer = BytesIO()
    figure.savefig(buffer, dpi=120)
    return buffer.getvalue()


def _machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return os.uname().machine
    model = next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), ""
    )
    return f"{model or 'unknown processor'} ({os.uname().machine})"

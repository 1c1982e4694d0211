"""python -m tests.system.load [RATE SECONDS]…: the live agent under load, as a table.

CPU is in parts of one core over the time of sending, memory is the share of what is shared (PSS).
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.system.faults.lab import WATCHED, Lab, capturers, lab, pss_mb
from tests.system.software import OLD, runner

_HOME = "# as at home\n"  # windows of an hour, units of a day
_DEFAULT = (200.0, 60.0, 100_000.0, 60.0)
_HEAD = (
    "| packets/s | seconds | sent | counted | lost | agent CPU | capture CPU | memory (PSS) |\n"
    "|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Send at each rate for so many seconds."""
    given = [float(word) for word in sys.argv[1:]] or list(_DEFAULT)
    with tempfile.TemporaryDirectory(prefix="fwid-load-") as folder:
        flood = Path(folder) / "flood"
        source = Path(__file__).with_name("flood.c")
        subprocess.run(["cc", "-O2", "-o", str(flood), str(source)], check=True)
        print(_HEAD, flush=True)
        for number, (rate, seconds) in enumerate(zip(given[::2], given[1::2], strict=True)):
            place = Path(folder) / str(number)
            place.mkdir()
            with lab(place, [runner(OLD), "ethtool"], quick=False) as made:
                print(_measure(made, flood, rate, seconds), flush=True)
                print(_measure_pcapy(made, flood, rate, seconds), flush=True)


def _measure(made: Lab, flood: Path, rate: float, seconds: float) -> str:
    with made.agent(config=_HOME) as agent:
        time.sleep(3)  # what starting costs is not part of it
        parts = {"agent": [agent.process.pid], "capture": capturers(made.home)}
        before = {name: _cpu_s(pids) for name, pids in parts.items()}
        command = made.device.inside(str(flood), "eth0", str(rate), str(seconds))
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        time.sleep(1)
        used = {name: _cpu_s(pids) - before[name] for name, pids in parts.items()}
        memory = {name: sum(pss_mb(pid) for pid in pids) for name, pids in parts.items()}
        assert agent.stop() == 0
        (last,) = (line for line in agent.log if "stopped frames=" in line)
    lost = int(last.rpartition("lost=")[2])
    sent, counted = int(done.stdout), made.counted()
    cpu = {name: f"{100 * value / seconds:.1f} %" for name, value in used.items()}
    return (
        f"| {rate:.0f} | {seconds:.0f} | {sent} | {counted} | {lost} | {cpu['agent']} | "
        f"{cpu['capture']} | {memory['agent']:.0f} + {memory['capture']:.0f} MB |"
    )


def _measure_pcapy(made: Lab, flood: Path, rate: float, seconds: float) -> str:
    """Measure the same by pcapy-ng in the place of the ring, with no agent behind it."""
    loop = str(Path(__file__).with_name("pcapy_loop.py"))
    command = made.home.house.inside(sys.executable, loop, WATCHED, str(seconds + 2))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        flooding = made.device.inside(str(flood), "eth0", str(rate), str(seconds))
        done = subprocess.run(flooding, check=True, capture_output=True, text=True)
        counted, dropped, used_s = process.stdout.readline().split()
    sent = int(done.stdout)
    return (
        f"| {rate:.0f}, by pcapy-ng alone | {seconds:.0f} | {sent} | {counted} | {dropped} | "
        f"| {100 * float(used_s) / seconds:.1f} % | |"
    )


def _cpu_s(pids: list[int]) -> float:
    """Seconds of CPU that processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()

"""What every fault needs: a device that sends counted frames, and an agent beside it."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fwid_agent.store import Store

from tests.system.agent import CONFIG, Agent, agent_on, wait_for
from tests.system.home import Home, Host, run
from tests.system.probe import MAC, read_count

RATE = 200.0  # frames a second that the device sends
WATCHED = "to-device"  # the agent's end of the device's cable
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    fault: str
    injected: str
    survived: str
    lost: str
    recovered: str


@dataclass(frozen=True)
class Lab:
    """A home, its device, and the folder with the store."""

    home: Home
    folder: Path
    device: Host
    quick: bool  # as continuous integration has time for

    @property
    def store(self) -> Path:
        """Path of the store."""
        return self.folder / "fwid.db"

    @contextmanager
    def agent(
        self,
        *,
        folder: Path | None = None,
        config: str = CONFIG,
        port: int = 0,
        wait: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[Agent]:
        """Run an agent at the device's cable."""
        with agent_on(
            *(self.home, folder or self.folder),
            card=WATCHED,
            config=config,
            port=port,
            wait=wait,
            environment=environment,
        ) as agent:
            yield agent

    @contextmanager
    def sending(self, rate: float = RATE) -> Iterator["Sending"]:
        """Let the device send."""
        path = self.folder.parent / f"{self.folder.name}.sent"
        path.unlink(missing_ok=True)
        process = self.home.start(
            self.device, sys.executable, "-m", "tests.system.probe", "eth0", str(rate), str(path)
        )
        sending = Sending(path, process)
        wait_for(sending.count, _PATIENCE_S, "the device sends")
        try:
            yield sending
        finally:
            sending.stop()

    def counted(self, store: Path | None = None) -> int:
        """How many of the device's frames are stored."""
        path = store or self.store
        if not path.exists():
            return 0
        with Store.open(path, create=False) as opened:
            return int({row.device: row.packets_sent for row in opened.devices()}.get(MAC, 0))

    def stored_until_s(self) -> float:
        """When the last frame came that is stored, by the clock of the machine."""
        if not self.store.exists():
            return 0.0
        with Store.open(self.store, create=False) as opened:
            seen = {row.device: row.last_seen_ns for row in opened.devices()}
        return seen.get(MAC, 0) / 1e9

    def until_counted(self, more_than: int, store: Path | None = None) -> float:
        """Wait until more frames than these are stored; gives how many seconds that took."""
        began = time.monotonic()
        wait_for(
            lambda: self.counted(store) > more_than, _PATIENCE_S, f"more than {more_than} stored"
        )
        return time.monotonic() - began

    def check_whole(self, store: Path | None = None) -> None:
        """Fail unless the store is whole and every table in it can be read."""
        path = store or self.store
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        with Store.open(path, create=False) as opened:
            for row in opened.devices():
                opened.windows(row.device)
                opened.verdicts(row.device)
            events = opened.events().events
        assert len({event.id for event in events}) == len(events)


@dataclass(frozen=True)
class Sending:
    """A device that sends."""

    path: Path
    process: subprocess.Popen[bytes]

    def count(self) -> int:
        """How many frames it has sent."""
        return read_count(self.path)

    def stop(self) -> int:
        """End it; gives how many frames it has sent in all."""
        self.process.kill()
        self.process.wait()
        return self.count()


@contextmanager
def lab(folder: Path, ethtool: list[str], *, quick: bool) -> Iterator[Lab]:
    """Make a home with one device."""
    store = folder / "agent"
    store.mkdir()
    with Home(ethtool) as home:
        yield Lab(home, store, home.add("device", 16), quick)


def pss_mb(pid: int) -> float:
    """Memory of a process, its share of what is shared, in MB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise ProcessLookupError(pid)


def processes(home: Home) -> list[int]:
    """Return what runs where the agent is."""
    return [int(pid) for pid in run("ip", "netns", "pids", home.house.namespace).split()]


def capturers(home: Home) -> list[int]:
    """Return the processes of the capture, whoever watches over the others first."""
    found = (
        pid
        for pid in processes(home)
        if b"fwid_agent.service.capturer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    )
    return sorted(found, key=_started)  # numbers begin anew where they have reached their end


def _started(pid: int) -> int:
    """When a process was started, by the kernel's ticks."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


Fault = Callable[[Lab], Row]

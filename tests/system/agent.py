"""The agent on the bridge, and a laptop of the home that talks to it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from fwid_agent.store import Store
from fwid_agent.types import Event

from tests.system.home import BRIDGE, HOUSE_IP, Home, Host

T = TypeVar("T")
PORT = 8127
# Laboratory time: a window is a second, a day four, and as many alarms a unit as at home.
CONFIG = """
window_s = 1
unit_s = 4
learning_units = 4
settle_units = 30
alarms_per_device_year = 2160
"""


@dataclass
class Agent:
    """A running agent, and what it has said so far."""

    process: subprocess.Popen[str]
    store: Path
    log: list[str] = field(default_factory=list)

    def ask(self, *words: str) -> list[dict[str, Any]]:
        """Run a command on the agent's machine; gives the objects that it prints."""
        command = [sys.executable, "-m", "fwid_agent.cli.main", *words, "--json"]
        done = subprocess.run(
            [*command, "--store", str(self.store)], capture_output=True, check=True, timeout=60
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def says(self, words: str, *, after: int = 0, seconds: float = 60) -> str:
        """Wait until it has logged such a line, behind so many others; returns it."""
        try:
            return wait_for(
                lambda: next((line for line in self.log[after:] if words in line), ""),
                seconds,
                words,
            )
        except AssertionError as error:
            error.add_note("\n".join((f"ended with {self.process.poll()}", *self.log[-20:])))
            raise

    def events(self) -> list[Event]:
        """Every event that is stored."""
        with Store.open(self.store, create=False) as store:
            return list(store.events().events)

    def stop(self) -> int:
        """End it as systemd does; gives its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def agent_on(
    home: Home,
    folder: Path,
    *,
    config: str = CONFIG,
    card: str = BRIDGE,
    port: int = PORT,
    wait: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Agent]:
    """Run the agent where the bridge of a home is, on one of the cards there."""
    (folder / "fwid.toml").write_text(config)
    command = home.house.inside(sys.executable, "-m", "fwid_agent.cli.main", "run", card)
    command += ["--store", str(folder / "fwid.db"), "--config", str(folder / "fwid.toml")]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | (environment or {}),
        start_new_session=True,
    )
    agent = Agent(process, folder / "fwid.db")
    reader = threading.Thread(target=_read, args=(process, agent.log))
    reader.start()
    try:
        if wait:
            agent.says("capturing")
            if port:
                agent.says("serving")
        yield agent
    finally:
        if process.poll() is None:
            agent.stop()
        reader.join()


def _read(process: subprocess.Popen[str], log: list[str]) -> None:
    assert process.stderr is not None
    with process.stderr as lines:
        for line in lines:
            log.append(line.rstrip())


@dataclass
class Laptop:
    """A paired client of the home, which hears every event by the WebSocket."""

    process: subprocess.Popen[str]
    heard: list[dict[str, Any]] = field(default_factory=list)

    def hears(self, kind: str, mac: str, seconds: float) -> dict[str, Any]:
        """Wait until such an event of a device has come; returns it."""
        return wait_for(
            lambda: next(
                (one for one in self.heard if (one.get("type"), one.get("device")) == (kind, mac)),
                {},
            ),
            seconds,
            f"{kind} of {mac}",
        )


@contextmanager
def laptop_on(host: Host, agent: Agent) -> Iterator[Laptop]:
    """Pair a client on a host and listen."""
    (code,) = agent.ask("pair")
    command = host.inside(sys.executable, "-m", "tests.system.listen", HOUSE_IP, str(PORT))
    command += [code["code"], code["fingerprint"]]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    laptop = Laptop(process)
    reader = threading.Thread(target=_hear, args=(process, laptop.heard))
    reader.start()
    try:
        yield laptop
    finally:
        process.kill()
        process.wait()
        reader.join()


def _hear(process: subprocess.Popen[str], heard: list[dict[str, Any]]) -> None:
    assert process.stdout is not None
    with process.stdout as lines:
        for line in lines:
            heard.append(json.loads(line))


def wait_for(look: Callable[[], T], seconds: float, what: str) -> T:
    """Look again and again until something is there."""
    until = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.1)
    return found

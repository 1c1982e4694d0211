"""The real processes of a home: an agent that replays captures, and Home Assistant."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
CONFIG = Path(__file__).parent / "config"
START_S = 180  # a slow machine needs most of it


def fwid_command() -> str:
    """The agent's command, from an environment of its own: see scripts/test."""
    command = os.environ.get("FWID_COMMAND") or shutil.which("fwid")
    if command is None:
        raise RuntimeError("FWID_COMMAND has to name the agent's command; scripts/test sets it")
    return command


class Process:
    """A process with a log of its own, ended when its block is left."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def _run(self, command: Sequence[str], answers: Callable[[], bool]) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
        end_s = time.monotonic() + START_S
        while not answers():
            if self._process.poll() is not None or time.monotonic() > end_s:
                self.stop()
                raise RuntimeError(f"{command[0]} did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)


class Agent(Process):
    """`fwid run --replay` with a store of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "agent")
        self.port = free_port()
        # Twenty days are few: accept more false alarms than a home would.
        config = folder / "fwid.toml"
        config.write_text("alarms_per_device_year = 4\n")
        self._store = ["--store", str(folder / "fwid.db")]
        self._options = ["--port", str(self.port), "--config", str(config)]

    def replay(self, captures: Sequence[Path], speed: str = "max") -> None:
        paths = [str(path) for path in captures]
        run = [fwid_command(), "run", "--replay", *paths, "--speed", speed]
        self._run([*run, *self._store, *self._options], self._is_open)

    def wait_for(self, devices: Collection[str], state: str | None = None) -> None:
        """Wait until these were seen, or are in a state: a form lists what is known at first."""
        end_s = time.monotonic() + START_S
        while not self._has(devices, state):
            if time.monotonic() > end_s:
                raise RuntimeError(f"{', '.join(devices)} not {state or 'seen'}")
            time.sleep(0.2)

    def _has(self, devices: Collection[str], state: str | None) -> bool:
        ask = [fwid_command(), "devices", "--json", *self._store]
        lines = subprocess.check_output(ask, text=True).splitlines()
        states = {known["device"]: known["state"] for known in map(json.loads, lines)}
        return all(mac in states and state in (None, states[mac]) for mac in devices)

    def pair(self) -> tuple[str, str]:
        """Return a code, and the fingerprint that the agent shows with it."""
        pair = [fwid_command(), "pair", "--json", *self._store]
        answer = json.loads(subprocess.check_output(pair))
        return answer["code"], answer["fingerprint"]

    def _is_open(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


class HomeAssistant(Process):
    """The real Home Assistant, new, with the integration of this checkout."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "home-assistant")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        shutil.copytree(CONFIG / "custom_components", folder / "custom_components")
        (folder / "custom_components/fwid").symlink_to(ROOT / "custom_components/fwid")
        settings = (CONFIG / "configuration.yaml").read_text()
        (folder / "configuration.yaml").write_text(settings.replace("PORT", str(self.port)))

    def start(self) -> None:
        launcher = Path(__file__).parent / "hass_without_voice.py"
        run = [sys.executable, str(launcher), "--config", str(self.folder), "--skip-pip"]
        self._run(run, self._is_open)

    def _is_open(self) -> bool:
        try:
            with urlopen(f"{self.url}/api/onboarding"):
                return True
        except HTTPError:  # it is there, and has been set up before
            return True
        except URLError:
            return False


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])

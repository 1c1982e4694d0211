"""The real agent in a process of its own, replaying captures; in the agent's own Python."""

import asyncio
import json
import os
import shutil
import socket
from pathlib import Path

FWID = os.environ.get("FWID_AGENT") or shutil.which("fwid")
ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "tests/data/iot-sentinel/D-LinkSensor"
SENSOR = "90:8d:78:a8:e1:43"  # whose software changes in the captures
_CONFIG = "learning_units = 2\nsettle_units = 2\nalarms_per_device_year = 4\ndiscovery = false\n"


class RealAgent:
    """`fwid run --replay`, started and stopped as often as needed on one store and port."""

    def __init__(self, folder: Path, captures: Path = CAPTURES) -> None:
        self._folder = folder
        self._captures = captures
        self._process: asyncio.subprocess.Process | None = None
        self.host = "127.0.0.1"
        with socket.socket() as free:
            free.bind((self.host, 0))
            self.port = int(free.getsockname()[1])
        (folder / "fwid.toml").write_text(_CONFIG)

    @property
    def _store(self) -> str:
        return str(self._folder / "fwid.db")

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        assert FWID is not None
        self._process = await asyncio.create_subprocess_exec(
            FWID, "run", "--replay", str(self._captures), "--store", self._store,
            "--port", str(self.port), "--config", str(self._folder / "fwid.toml"),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(120):
            while self._process.returncode is None:
                try:
                    _, writer = await asyncio.open_connection(self.host, self.port)
                except OSError:
                    await asyncio.sleep(0.1)
                else:
                    writer.close()
                    return
        raise RuntimeError("the agent has ended")

    async def stop(self) -> None:
        """Stop it as a service manager does."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        self._process = None

    async def ask(self, *command: str) -> dict[str, object]:
        """Run one of the agent's commands on its machine; returns its JSON."""
        assert FWID is not None
        process = await asyncio.create_subprocess_exec(
            FWID, *command, "--store", self._store, "--json", stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        return dict(json.loads(out))

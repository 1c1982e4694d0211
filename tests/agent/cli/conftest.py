"""Runs `fwid` in this process as a shell would: arguments in; exit code, output and errors out."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fwid_agent.cli.main import main

CAPTURES = Path(__file__).parents[2] / "data" / "iot-sentinel"
SENSOR = "90:8d:78:a8:e1:43"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def records(self) -> list[dict[str, Any]]:
        """What `--json` printed; every line has to be one object."""
        return [msgspec.json.decode(line, type=dict) for line in self.out.splitlines()]


Fwid = Callable[..., Ended]


@pytest.fixture
def fwid(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Fwid:
    """Run a command in a home of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("FWID_DEBUG", raising=False)

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["fwid", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        monkeypatch.delenv("FWID_DEBUG", raising=False)
        text = capsys.readouterr()
        return Ended(code, text.out, text.err)

    return run


@pytest.fixture(scope="session")
def sensor_captures() -> list[Path]:
    """Real captures of one device, the first five on one date."""
    return sorted((CAPTURES / "D-LinkSensor").glob("Setup-A-*"))


@pytest.fixture
def store(fwid: Fwid, tmp_path: Path, sensor_captures: list[Path]) -> Path:
    """A store with a device that has been replayed."""
    path = tmp_path / "home.db"
    ended = fwid("replay", *sensor_captures, "--unit", "file", "--store", path)
    assert ended.code == 0
    return path

"""Arguments and options that several commands share, and how their text is read."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fwid_agent.config import Config, default_store_path, find_config, load_config
from fwid_agent.errors import UsageError
from fwid_agent.types import parse_mac

_SLOWEST, _FASTEST = 1e-6, 1e9  # times real time; beyond is a slip of the hand
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class UnitName(StrEnum):
    """What counts as one independent observation."""

    DAY = "day"
    FILE = "file"


Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Captures, folders of captures, or - for standard input; read in the order of time.",
    ),
]
Window = Annotated[
    str | None,
    typer.Option(
        metavar="DURATION",
        help="Length of a window: 90s, 15m, 1h, 1d; the configuration's where none is named.",
    ),
]
Unit = Annotated[
    UnitName,
    typer.Option(help="What counts as one observation: each calendar day (UTC), or each file."),
]
Dedup = Annotated[
    bool,
    typer.Option(
        "--dedup", help="Leave out copies within one source too, as a mirror port makes them."
    ),
]
Speed = Annotated[
    str, typer.Option(metavar="FACTOR", help="max, or a multiple of real time such as 60.")
]
Store = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Store file; the user's own where none is named."),
]
ConfigFile = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="Configuration file (fwid.toml).")
]
Device = Annotated[str, typer.Argument(metavar="MAC", help="The device's MAC address.")]


def read_duration(text: str) -> float:
    """Read a duration such as 90s, 15m, 1h or 1d as seconds; raises UsageError."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd])", text.strip().lower())
    seconds = float(match.group(1)) * _SECONDS[match.group(2)] if match else 0.0
    if seconds < 1:
        raise UsageError(f"{text!r} is no duration of a second or more; write 90s, 15m, 1h or 1d")
    return seconds


def read_window(text: str | None, unit: UnitName, config: Config) -> float:
    """Read the length of a window in seconds, by the configuration's rule; raises UsageError."""
    if text is None:
        return config.window_s
    seconds = read_duration(text)
    if unit is UnitName.DAY and config.unit_s % seconds:
        raise UsageError(f"--window {text}: a day of {config.unit_s} s is no multiple of it")
    return seconds


def read_speed(text: str) -> float | None:
    """Read a multiple of real time, None for `max`; raises UsageError."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not _SLOWEST <= speed <= _FASTEST:
        raise UsageError(f"{text!r} is no speed; it is `max` or a multiple of real time such as 60")
    return speed


def read_mac(text: str) -> int:
    """Read a MAC in any notation; raises UsageError."""
    try:
        return parse_mac(text)
    except ValueError as error:
        raise UsageError(f"{error}; write it as aa:bb:cc:dd:ee:ff") from error


def read_config(path: str | None) -> Config:
    """Read the configuration that was named, or the user's own, or the defaults."""
    found = find_config(path)
    return load_config(found) if found else Config()


def store_path(named: str | None) -> Path:
    """Return the store that was named, or the user's own; raises UsageError."""
    if named == "":
        raise UsageError("--store: names no file")
    return Path(named) if named is not None else default_store_path()

"""Settings: defaults, `fwid.toml`, and where files lie unless the command line says otherwise."""

import difflib
import os
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from fwid_agent.errors import UsageError

_Count = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
_Days = Annotated[int, msgspec.Meta(ge=1, le=36_500)]
_Source = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
_Rate = Annotated[float, msgspec.Meta(gt=0, le=10**9)]
_Fingerprint = Annotated[str, msgspec.Meta(pattern="^([0-9A-Fa-f]{2}:?){31}[0-9A-Fa-f]{2}$")]

# Of the agent that runs as a service of the system.
SERVICE_STORE = Path("/var/lib/fwid/fwid.db")
SERVICE_CONFIG = Path("/etc/fwid/fwid.toml")


@dataclass(frozen=True, slots=True)
class Config:
    """Every setting with its default; docs/configuration.md explains each."""

    window_s: _Count = 3600
    unit_s: _Count = 86_400
    learning_units: _Count = 7
    settle_units: _Count = 7
    alarms_per_device_year: _Rate = 0.1
    idle_timeout_s: _Count = 120
    active_timeout_s: _Count = 1800
    max_flows: _Count = 65_536
    max_devices: _Count = 1024
    windows_kept_days: _Days = 14
    units_kept_days: _Days = 730
    discovery: bool = True
    handshakes: bool = False
    refine: Literal["off", "weekly"] = "off"
    identify: Literal["daily", "off"] = "daily"
    retrain: Literal["weekly", "off"] = "weekly"
    sources: tuple[_Source, ...] = ()
    dedup: bool = False
    fritzbox_user: str | None = None
    fritzbox_password_file: str | None = None
    fritzbox_certificate: _Fingerprint | None = None
    fritzbox_tls: bool = True


def load_config(path: Path) -> Config:
    """Read a configuration file; keys that it leaves out keep their defaults.

    Raises:
        UsageError: it cannot be read, is no TOML, or has an unknown key or a wrong value.

    """
    is_json = path.suffix == ".json"  # as Home Assistant writes it
    try:
        text = path.read_text("utf-8")
        values = msgspec.json.decode(text, type=dict[str, Any]) if is_json else tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.DecodeError) as error:
        kind = "JSON" if is_json else "TOML"
        raise UsageError(f"{path}: not a {kind} file: {error}") from error
    try:
        return parse_config(values)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def parse_config(values: dict[str, Any]) -> Config:
    """Check settings and fill in the defaults; raises UsageError."""
    known = [field.name for field in fields(Config)]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0)
            raise UsageError(f"unknown key `{key}`: did you mean `{near[0]}`?")
    try:
        config = msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        reason, _, key = str(error).partition(" - at `$.")
        raise UsageError(f"`{key.rstrip('`')}`: {reason}") from error
    if config.unit_s % config.window_s:
        raise UsageError("`unit_s`: has to be a multiple of `window_s`")
    return config


def find_config(named: str | None) -> Path | None:
    """Return the configuration file that was named, or the user's own, where there is one."""
    if named is not None:
        return Path(named).absolute()
    own = default_config_path()
    # Whoever sudo made of root has root's home as theirs, and may not enter it.
    return own if os.access(own, os.F_OK) else None


def default_config_path() -> Path:
    """Where the user's configuration lies (XDG base directories)."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "fwid.toml"


def default_store_path() -> Path:
    """Where the service's store lies, for those who may read it; else the user's own (XDG).

    Root speaks of the service wherever it is configured, also before it has a store.
    """
    configured = os.geteuid() == 0 and SERVICE_CONFIG.exists()
    if configured or os.access(SERVICE_STORE, os.R_OK):
        return SERVICE_STORE
    return _xdg("XDG_STATE_HOME", ".local/state") / "fwid.db"


def _xdg(variable: str, fallback: str) -> Path:
    """The standard says: a relative path is to be ignored."""
    named = Path(os.environ.get(variable, ""))
    return (named if named.is_absolute() else Path.home() / fallback) / "fwid"

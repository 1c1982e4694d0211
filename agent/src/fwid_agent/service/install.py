"""fwid as a service of systemd: a user, a unit, its configuration, and the removal of all."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from fwid_agent.capture.sources import find_kind
from fwid_agent.config import SERVICE_CONFIG, SERVICE_STORE, Config, load_config
from fwid_agent.errors import UsageError

USER = "fwid"
UNIT = Path("/etc/systemd/system/fwid.service")
_EMPTY = """# Read by the service fwid; `systemctl restart fwid` after a change.
# Every key is explained in docs/configuration.md.
"""


def install(sources: Sequence[str]) -> Config:
    """Make the user, the configuration and the unit, and start it; also an upgrade.

    Args:
        sources: what is to be watched, where no configuration says so yet.

    Returns:
        What it is configured to do.

    Raises:
        UsageError: this is not root or not systemd, the configuration cannot be used or names
            other sources, or the user cannot run the program.

    """
    _check()
    text = _configure(sources)
    if subprocess.run(["id", USER], capture_output=True, check=False).returncode:
        _run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
             str(SERVICE_STORE.parent), "--shell", "/usr/sbin/nologin", USER]
        )  # fmt: skip
    _check_reach()
    if not SERVICE_CONFIG.exists():
        SERVICE_CONFIG.parent.mkdir(exist_ok=True)
        SERVICE_CONFIG.write_text(text, "utf-8")
        # It may name the file of a password.
        shutil.chown(SERVICE_CONFIG, "root", USER)
        SERVICE_CONFIG.chmod(0o640)
    UNIT.write_text(make_unit(), "utf-8")
    _run(["systemctl", "daemon-reload"])
    _run(["systemctl", "enable", UNIT.name])
    _run(["systemctl", "restart", UNIT.name])
    return load_config(SERVICE_CONFIG)


def remove(*, everything: bool) -> None:
    """Stop the service and remove its unit and user; with `everything` also what it remembers."""
    _check()
    subprocess.run(["systemctl", "disable", "--now", UNIT.name], capture_output=True, check=False)
    UNIT.unlink(missing_ok=True)
    _run(["systemctl", "daemon-reload"])
    subprocess.run(["userdel", USER], capture_output=True, check=False)
    if everything:
        for folder in (SERVICE_STORE.parent, SERVICE_CONFIG.parent):
            shutil.rmtree(folder, ignore_errors=True)


def make_configuration(sources: Sequence[str]) -> str:
    """Write a configuration that watches these sources."""
    # Strings of JSON are strings of TOML as well, but for one character.
    listed = json.dumps(list(sources), ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"{_EMPTY}sources = {listed}\n"


def make_unit() -> str:
    """Write the unit for this installation."""
    program = [sys.executable, "-m", "fwid_agent.cli.main", "run"]
    paths = ["--store", str(SERVICE_STORE), "--config", str(SERVICE_CONFIG)]
    command = " ".join([*program, *paths])
    # A program that lies in somebody's home can be read there, and nothing can be written.
    home = "read-only" if Path(sys.prefix).is_relative_to("/home") else "yes"
    text = files("fwid_agent.service").joinpath("fwid.service").read_text("utf-8")
    return text.replace("@COMMAND@", command).replace("@HOME@", home)


def _check() -> None:
    if os.geteuid() != 0:
        raise UsageError("installing a service takes root: use sudo")
    if not Path("/run/systemd/system").is_dir():
        raise UsageError("systemd does not run here; start `fwid run` in another way")


def _configure(sources: Sequence[str]) -> str:
    """Return what the configuration is to be; raises UsageError where another one is there."""
    if SERVICE_CONFIG.exists():
        there = load_config(SERVICE_CONFIG).sources
        if not there:
            raise UsageError(f"{SERVICE_CONFIG}: names no `sources`; add what is to be watched")
        if sources and tuple(sources) != there:
            raise UsageError(
                f"{SERVICE_CONFIG}: watches {', '.join(there)}; change `sources` there instead"
            )
        return SERVICE_CONFIG.read_text("utf-8")
    if not sources:
        raise UsageError("what is to be watched? Name a SOURCE; `ip link` lists the interfaces")
    for source in sources:
        find_kind(source)
    return make_configuration(sources)


def _check_reach() -> None:
    command = ["runuser", "-u", USER, "--", sys.executable, "-c", "import fwid_agent"]
    if subprocess.run(command, capture_output=True, check=False, cwd="/").returncode:
        raise UsageError(
            f"the user {USER} cannot run {sys.executable}; install fwid where everybody may read it"
            " (docs/install.md)"
        )


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")

"""fwid as a service of systemd: a user, a unit, and the removal of both."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from fwid_agent.errors import UsageError

USER = "fwid"
UNIT = Path("/etc/systemd/system/fwid.service")
STORE = Path("/var/lib/fwid/fwid.db")


def install(interface: str) -> None:
    """Make the user, write the unit, and start it; also an upgrade of an older one.

    Raises:
        UsageError: this is not root or not systemd, or the user cannot run the program.

    """
    _check()
    if subprocess.run(["id", USER], capture_output=True, check=False).returncode:
        _run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
             str(STORE.parent), "--shell", "/usr/sbin/nologin", USER]
        )  # fmt: skip
    _check_reach()
    UNIT.write_text(make_unit(interface), "utf-8")
    _run(["systemctl", "daemon-reload"])
    _run(["systemctl", "enable", UNIT.name])
    _run(["systemctl", "restart", UNIT.name])


def remove(*, everything: bool) -> None:
    """Stop the service and remove its unit and user; with `everything` also what it remembers."""
    _check()
    subprocess.run(["systemctl", "disable", "--now", UNIT.name], capture_output=True, check=False)
    UNIT.unlink(missing_ok=True)
    _run(["systemctl", "daemon-reload"])
    subprocess.run(["userdel", USER], capture_output=True, check=False)
    if everything:
        shutil.rmtree(STORE.parent, ignore_errors=True)


def make_unit(interface: str) -> str:
    """Write the unit for this installation and interface."""
    if not interface.isascii() or not interface.replace("-", "").replace(".", "").isalnum():
        raise UsageError(f"{interface!r} is no name of an interface")
    program = [sys.executable, "-m", "fwid_agent.cli.main", "run", interface]
    command = " ".join([*program, "--store", str(STORE)])
    # A program that lies in somebody's home can be read there, and nothing can be written.
    home = "read-only" if Path(sys.prefix).is_relative_to("/home") else "yes"
    text = files("fwid_agent.service").joinpath("fwid.service").read_text("utf-8")
    return text.replace("@COMMAND@", command).replace("@HOME@", home)


def _check() -> None:
    if os.geteuid() != 0:
        raise UsageError("installing a service takes root: use sudo")
    if not Path("/run/systemd/system").is_dir():
        raise UsageError("systemd does not run here; start `fwid run` in another way")


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

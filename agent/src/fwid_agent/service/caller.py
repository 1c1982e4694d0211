"""Whom `fwid run` becomes where root starts it and names nobody.

Root without a single capability still owns root's files: it is nobody to analyse traffic as.
"""

import os
import pwd
import subprocess
import sys
from pathlib import Path

# Run as somebody: ends well where they can read the program, and write to a folder.
_CAN_RUN = "import fwid_agent, os, sys; sys.exit(not os.access(sys.argv[1], int(sys.argv[2])))"


def find_caller() -> pwd.struct_passwd | None:
    """Return who called sudo, where this is root and they can run the program."""
    caller = _find(os.environ.get("SUDO_UID", "")) if os.geteuid() == 0 else None
    return caller if caller and can_run(caller.pw_uid, caller.pw_gid) else None


def choose_user(store: Path, caller: pwd.struct_passwd | None) -> str | None:
    """Return whose the store is, or else who called sudo; None where root has to stay root."""
    there = [path for path in (store, store.parent) if path.exists()]
    owner = _find(str(there[0].stat().st_uid)) if there and os.geteuid() == 0 else None
    folder = next(path for path in store.parents if path.exists())
    # What root has yet to make is given away; it has to be reached nevertheless.
    right = os.W_OK | os.X_OK if folder == store.parent else os.X_OK
    for one in filter(None, (owner, caller)):
        if can_run(one.pw_uid, one.pw_gid, folder, right):
            return one.pw_name
    return None


def can_run(uid: int, gid: int, folder: Path = Path("/"), right: int = os.X_OK) -> bool:
    """Say whether a user can read this program, and has a right to a folder."""
    command = [sys.executable, "-c", _CAN_RUN, str(folder), str(right)]
    try:
        done = subprocess.run(
            command, user=uid, group=gid, extra_groups=[], cwd="/", capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def _find(number: str) -> pwd.struct_passwd | None:
    """Return the user of this number, who is not root."""
    try:
        found = pwd.getpwuid(int(number))
    except (ValueError, KeyError, OverflowError):
        return None
    return found if found.pw_uid != 0 else None

"""Where stacks and corpora are kept, and whose they are.

A corpus is made by root, often through sudo, and judged by whoever called: so it goes to that
user's cache folder, as of the scripts, and what is made is theirs.
"""

import os
import pwd
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of the made corpora; it need not be there."""
    caller = find_caller()
    home = Path(caller.pw_dir) if caller else Path.home()
    base = os.environ.get("XDG_CACHE_HOME") or str(home / ".cache")
    return Path(base) / "fwid" / "corpus"


def stacks_folder() -> Path:
    """Return the folder of the devices' software.

    Under sudo it is root's own: root runs what is in there, so nobody else may write to it.
    """
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "fwid" / "corpus" / "stacks"


def find_caller() -> pwd.struct_passwd | None:
    """Return who called sudo, where this is root; None where nobody did."""
    if os.geteuid() != 0:
        return None
    try:
        caller = pwd.getpwuid(int(os.environ.get("SUDO_UID", "")))
    except (ValueError, KeyError, OverflowError):
        return None
    return caller if caller.pw_uid != 0 else None


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; what is new is the caller's. Raises OSError."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    hand_over(new)


def hand_over(paths: Iterable[Path]) -> None:
    """Give files and folders to who called sudo; links stay links, what is not there is nothing."""
    caller = find_caller()
    if caller is None:
        return
    for path in paths:
        with suppress(OSError):  # a file system may know no owners
            os.chown(path, caller.pw_uid, caller.pw_gid, follow_symlinks=False)

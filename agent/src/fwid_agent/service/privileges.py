"""Giving up rights: what a process does not hold, nobody who breaks into it can use.

Linux capabilities by the system calls themselves (capabilities(7), prctl(2)); Python has no calls
of its own for them.
"""

import ctypes
import os
import pwd
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from fwid_agent.errors import UsageError

CAP_NET_RAW = 13
_VERSION_3 = 0x20080522
_PR_SET_KEEPCAPS, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 8, 24, 38, 47
_AMBIENT_CLEAR_ALL = 4
_STATUS = Path("/proc/self/status")
_LAST_CAPABILITY = Path("/proc/sys/kernel/cap_last_cap")


def find_user(name: str) -> tuple[int, int]:
    """Return a user's uid and gid; raises UsageError where there is no such user."""
    try:
        found = pwd.getpwnam(name)
    except KeyError as error:
        raise UsageError(f"there is no user {name!r}; name another one with --user") from error
    return found.pw_uid, found.pw_gid


def keep_only(capabilities: set[int], user: tuple[int, int] | None) -> None:
    """Become this user (where this is root) and keep these capabilities alone, for good."""
    libc = ctypes.CDLL(None, use_errno=True)
    kept = {number for number in capabilities if _permitted() >> number & 1}
    if os.geteuid() == 0:
        _drop_bounding(libc, kept)
        if user is not None and user[0] != 0:
            _call(libc.prctl, _PR_SET_KEEPCAPS, 1, 0, 0, 0)
            _set_user(user)
    # Also of those that a program file only allows to be taken, as in the container.
    _set_capabilities(libc, kept)
    _call(libc.prctl, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    _call(libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def pass_on_none() -> None:
    """Give whatever is started from now on no right, unless this is root."""
    _call(ctypes.CDLL(None, use_errno=True).prctl, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)


def drop_all(user: tuple[int, int] | None) -> None:
    """Become this user (where this is root); what is executed next has no capability."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        _drop_bounding(libc, set())
        if user is not None and user[0] != 0:
            _set_user(user)
    # What a program file allows is granted only to whoever has it already, from here on. Where a
    # sandbox forbids the call (systemd's @privileged), executing anew takes it: see `check_none`.
    with suppress(PermissionError):
        _set_capabilities(libc, set())
    _call(libc.prctl, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    _call(libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def check_none() -> None:
    """Make sure that this process holds no right; raises UsageError."""
    if _permitted():
        raise UsageError(
            f"{sys.executable} still holds rights that were given up; take them from the file "
            "(`setcap -r`), or install fwid by another Python"
        )


def _permitted() -> int:
    """The capabilities that this process may use, as bits."""
    return int(_status()["CapPrm"], 16)


def _status() -> dict[str, str]:
    return dict(line.split(":", 1) for line in _STATUS.read_text().splitlines())


def _drop_bounding(libc: ctypes.CDLL, kept: set[int]) -> None:
    last = int(_LAST_CAPABILITY.read_text())
    try:
        for number in set(range(last + 1)) - kept:
            _call(libc.prctl, _PR_CAPBSET_DROP, number, 0, 0, 0)
    except PermissionError as error:
        raise UsageError(
            "root may not give up its rights here (CAP_SETPCAP is missing): start as another user"
        ) from error


def _set_user(user: tuple[int, int]) -> None:
    os.setgroups([])
    os.setresgid(user[1], user[1], user[1])
    os.setresuid(user[0], user[0], user[0])


def _set_capabilities(libc: ctypes.CDLL, kept: set[int]) -> None:
    status, wanted = _status(), sum(1 << number for number in kept)
    if int(status["CapPrm"], 16) == int(status["CapEff"], 16) == wanted:
        return  # the call may be forbidden, and is not needed
    low = sum(1 << number for number in kept if number < 32)
    high = sum(1 << (number - 32) for number in kept if number >= 32)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    # effective, permitted, inheritable: of the lower and of the upper half
    data = ctypes.create_string_buffer(struct.pack("=6I", low, low, 0, high, high, 0))
    _call(libc.capset, header, data)


def _call(function: Callable[..., int], *arguments: object) -> None:
    if function(*arguments):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))

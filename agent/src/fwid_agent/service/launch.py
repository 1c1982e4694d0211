"""The first moments of `fwid run`: start the captures, give up every right, become the agent.

Rights are given up by executing anew: a process that is not root, or whose bounding set is empty,
has none afterwards, in no thread and for good (capabilities(7), "Transformation of capabilities
during execve()"). Only the sockets to the capture processes are carried over.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fwid_agent.capture.sources import find_kind
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.service.caller import can_run
from fwid_agent.service.local import is_running
from fwid_agent.service.privileges import drop_all, find_user, pass_on_none
from fwid_agent.service.request import WatchRequest

_OF_STORE = ("", "-wal", "-shm", ".sock")  # what the names of a store's own files end in


def launch(
    request: WatchRequest, user: str | None, shared: Sequence[str], again: Sequence[str]
) -> None:
    """Start a capture for each source and execute `fwid` anew, without rights; does not return.

    Args:
        request: what is to be watched.
        user: whom to become, where this is root.
        shared: arguments of the command and of each capture.
        again: further ones of the command.

    Raises:
        StoreError: another agent runs on the store, or its folder cannot be made.
        UsageError: there is no such user, or they cannot run this program.

    """
    whom = find_user(user) if user else None
    if whom and os.geteuid() == 0:
        _check_reach(whom, user or "")
    claim_store(request.store, whom)
    raw = [source for source in request.sources if find_kind(source).raw]
    captures = {source: _start(source, user, shared) for source in raw}
    # The others need no right; those of root they give up themselves.
    pass_on_none()
    others = [source for source in request.sources if source not in captures]
    captures |= {source: _start(source, user, shared) for source in others}
    # Whatever is piped in is for a capture, whose writer is to learn of its end.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    drop_all(whom)
    program = [sys.executable, "-m", "fwid_agent.cli.main", "run", *shared, *again]
    for source in request.sources:
        program += ["--capture", captures[source]]
    program += ["--", *request.sources]
    try:
        os.execv(sys.executable, program)  # noqa: S606 - it is this program
    except PermissionError as error:
        # As in somebody's home that only they may enter: it takes a right of root's to do so.
        raise UsageError(
            f"{sys.executable}: not to be read once every right is given up; "
            "name its owner with --user, or install fwid where everybody may read it"
        ) from error


def _start(source: str, user: str | None, shared: Sequence[str]) -> str:
    """Start the capture of a source; gives what is carried over of it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", "fwid_agent.service.capturer", "--fd", str(theirs.fileno())]
    command += ["--user", user] if user else []
    command += shared
    with theirs:
        capturer = subprocess.Popen([*command, "--", source], pass_fds=[theirs.fileno()])
    os.set_inheritable(ours.fileno(), True)
    return f"{ours.detach()}:{capturer.pid}"


def _check_reach(whom: tuple[int, int], user: str) -> None:
    """Say now, and not as something odd later, that a user cannot read the program."""
    if not can_run(*whom):
        raise UsageError(
            f"{user} cannot run {sys.executable}; install fwid where every user may read it"
        )


def claim_store(store: Path, whom: tuple[int, int] | None) -> None:
    """Make sure that no other agent runs on the store, and that whoever we become can write it.

    Raises:
        StoreError: another agent runs on it, or its folder cannot be made.

    """
    if is_running(store):
        raise StoreError(f"{store}: another agent is running on this store; stop it first")
    folder = store.parent
    try:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if whom is not None and os.geteuid() == 0:
            # A folder that was there is somebody's: only what is the store's own is given away,
            # and never what a link of theirs leads to.
            for path in (*made, *(store.with_name(store.name + end) for end in _OF_STORE)):
                with suppress(FileNotFoundError):
                    os.chown(path, *whom, follow_symlinks=False)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror or error}") from error

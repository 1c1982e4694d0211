"""A capture as the analysis sees it: its troubles, and its end with all that was captured."""

import os
import socket
import subprocess
import sys

import pytest
from fwid_agent.service import link as module
from fwid_agent.service.feed import SourceHealth
from fwid_agent.service.link import CaptureLink
from fwid_agent.service.records import Content, pack_frames, pack_text

from tests.agent.core.test_copies import block_of

_FRAME = b"\xff" * 6 + bytes.fromhex("900000000002") + b"\x88\xb5" + bytes(50)
# A capture process that has been told to end, and takes its time.
_DEAF = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(); time.sleep(60)"
)


@pytest.mark.parametrize(("patience_s", "read"), [(0.0, 0), (0.3, 40)])
def test_what_is_left_in_the_pipe_is_read_or_counted(
    patience_s: float, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However little time there is: every frame that was captured is read or told as lost."""
    monkeypatch.setattr(module, "_END_S", patience_s)
    process = subprocess.Popen([sys.executable, "-c", _DEAF], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = os.pipe()
    with theirs, process.stdout:
        link = CaptureLink(SourceHealth("eth0", "interface"), 0, ours.detach(), process.pid)
        socket.send_fds(theirs, [pack_text(Content.NOTE, "")], [reading])
        os.close(reading)
        list(link.take(link.filenos()))
        for message in pack_frames(block_of([_FRAME] * 40, list(range(40))), lost=3):
            os.write(writing, message)
        link.begin_stop()
        got = sum(len(block.ts_ns) for block in link.stop())
        os.close(writing)
    process.returncode = 0  # the link has waited for it
    assert (got, link.health.frames, link.health.lost) == (read, read, 3 + 40 - read)
    assert link.over


def test_a_trouble_that_was_over_before_anybody_looked_is_told() -> None:
    """A capture that was killed and has begun again meanwhile has missed packets all the same."""
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        link = CaptureLink(SourceHealth("eth0", "interface"), 0, ours.detach(), process.pid)
        for trouble in ("", "", "killed", ""):
            theirs.send(pack_text(Content.TROUBLE, trouble))
            list(link.take(link.filenos()))
    list(link.stop())
    process.returncode = 0  # the link has waited for it
    assert link.turns[:3] == ["", "killed", ""]
    assert link.health.trouble

"""Giving up rights, where they are others than usual."""

import os
import platform
import re
import subprocess
import sys

import pytest
from fwid_agent.service.privileges import CAP_NET_RAW

_DROP = "from fwid_agent.service.privileges import drop_all; drop_all(None); import os; "
_STATUS = "print([line for line in open('/proc/self/status') if line.startswith('Cap')])"
_AGAIN = f"os.execv({sys.executable!r}, [{sys.executable!r}, '-c', {_STATUS!r}])"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have rights to lose")
def test_what_is_executed_afterwards_has_none() -> None:
    """Root as well, in every set from which a right could come back."""
    command = [sys.executable, "-c", _DROP + _AGAIN]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert [word for word in out.split("\\n'") if ":\\t" in word] != []
    assert all(word.endswith("0" * 16) for word in out.split("\\n'") if ":\\t" in word)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to have rights to lose")
def test_root_that_cannot_give_its_rights_up_is_told() -> None:
    """A container that was left too few rights is no bug of the agent."""
    code = (
        "from fwid_agent.errors import UsageError\n"
        "from fwid_agent.service.privileges import drop_all\n"
        "try:\n    drop_all(None)\nexcept UsageError as error:\n    print(error)\n"
    )
    command = ["setpriv", "--bounding-set=-setpcap", sys.executable, "-c", code]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "CAP_SETPCAP" in out
    assert out.count("\n") == 1


# A filter for system calls (seccomp(2)) that refuses capset(2) as systemd's @privileged does: load
# the number of the call; if it is this one, return EPERM; else allow. Before it, all but the right
# to capture is given up: reading this program took another one.
_CAPSET = {"x86_64": 126, "aarch64": 91}
_SANDBOXED = """
import ctypes, os, struct
from fwid_agent.service.privileges import CAP_NET_RAW, drop_all, keep_only
libc = ctypes.CDLL(None)
one = struct.pack("=6I", *[1 << CAP_NET_RAW] * 3, 0, 0, 0)
assert libc.capset(struct.pack("=Ii", 0x20080522, 0), one) == 0
steps = b"".join(struct.pack("HBBI", *step) for step in (
    (0x20, 0, 0, 0), (0x15, 0, 1, NUMBER), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7FFF0000)))
kept = ctypes.create_string_buffer(steps)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("HxxxxxxP", 4, ctypes.addressof(kept)), 0, 0) == 0
if os.fork() == 0:
    keep_only({CAP_NET_RAW}, None)
else:
    os.wait()
    drop_all(None)
    os.execv("/bin/cat", ["cat", "/proc/self/status"])
print(open("/proc/self/status").read())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody with one right")
@pytest.mark.skipif(platform.machine() not in _CAPSET, reason="the number of the call is not known")
def test_a_sandbox_that_forbids_the_call_changes_nothing() -> None:
    """systemd's does: the service would not start, or would keep the right to capture."""
    code = _SANDBOXED.replace("NUMBER", str(_CAPSET[platform.machine()]))
    rights = "+net_raw,+dac_read_search"
    start = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    given = (f"--inh-caps={rights}", f"--ambient-caps={rights}", f"--bounding-set=-all,{rights}")
    command = [*start, *given, sys.executable, "-u", "-c", code]
    out = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    found = [re.findall(rf"{name}:\t(\w+)", out) for name in ("CapPrm", "CapEff", "CapAmb")]
    one, none = f"{1 << CAP_NET_RAW:016x}", "0" * 16
    assert found == [[one, none], [one, none], [none, none]]

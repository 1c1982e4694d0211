"""Giving up rights, where they are others than usual."""

import os
import subprocess
import sys

import pytest

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

"""The unit that is installed: it starts this program, shut in as tightly as its job allows."""

import shlex
import sys

import pytest
from fwid_agent.errors import UsageError
from fwid_agent.service.install import make_unit


def settings(unit: str) -> dict[str, list[str]]:
    """Every setting of the unit with its values."""
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_runs_this_program_with_one_right() -> None:
    """Whatever else is upgraded, these lines are what the threat model rests on."""
    unit = settings(make_unit("eth0"))
    (command,) = unit["ExecStart"]
    assert shlex.split(command)[0] == sys.executable
    assert shlex.split(command)[3:5] == ["run", "eth0"]
    assert unit["AmbientCapabilities"] == unit["CapabilityBoundingSet"] == ["CAP_NET_RAW"]
    assert unit["User"] == ["fwid"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["NoNewPrivileges"] == ["yes"]
    assert "~@privileged @resources" in unit["SystemCallFilter"]
    assert unit["IPAddressDeny"] == ["any"]
    assert "@" not in command


@pytest.mark.parametrize("name", ["eth0 --debug", "eth0\nUser=root", "", "a/b", "é"])
def test_a_name_that_would_write_into_the_unit_is_refused(name: str) -> None:
    """A unit is a program that root runs."""
    with pytest.raises(UsageError, match="no name of an interface"):
        make_unit(name)

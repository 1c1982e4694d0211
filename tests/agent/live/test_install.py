"""The unit that is installed: it starts this program, shut in as tightly as its job allows."""

import shlex
import sys
import tomllib

from fwid_agent.config import SERVICE_CONFIG, SERVICE_STORE
from fwid_agent.service.install import make_configuration, make_unit
from hypothesis import given
from hypothesis import strategies as st


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
    unit = settings(make_unit())
    (command,) = unit["ExecStart"]
    assert shlex.split(command)[0] == sys.executable
    assert shlex.split(command)[3:] == [
        *("run", "--store", str(SERVICE_STORE)),
        *("--config", str(SERVICE_CONFIG)),
    ]
    assert unit["AmbientCapabilities"] == unit["CapabilityBoundingSet"] == ["CAP_NET_RAW"]
    assert unit["User"] == ["fwid"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["NoNewPrivileges"] == ["yes"]
    assert "~@privileged @resources" in unit["SystemCallFilter"]
    assert unit["IPAddressDeny"] == ["any"]
    assert "@" not in command


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), min_size=1))
def test_any_source_is_written_so_that_it_is_read_again(sources: list[str]) -> None:
    """A name never becomes another key, whatever is in it."""
    assert tomllib.loads(make_configuration(sources)) == {"sources": sources}

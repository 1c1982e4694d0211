"""Every command and option is explained where a person looks for it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fwid_agent.cli.main import app

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text("utf-8")


def commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command below a group, with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


ALL = dict(commands(typer.main.get_command(app), "fwid"))


def section(path: str) -> str:
    """What the page says of a command, up to the next heading."""
    match = re.search(rf"^##+ {path}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match, f"{path} is not in docs/cli.md"
    return match.group(1)


def test_the_commands_are_those_of_the_design() -> None:
    """A command that is lost in registering would not be missed by the tests below."""
    names = [
        "replay",
        "compare",
        "devices",
        "show",
        "accept",
        "relearn",
        "label",
        "report",
        "bench",
    ]
    assert set(ALL) >= {f"fwid {name}" for name in [*names, "lab train", "lab evaluate"]}


@pytest.mark.parametrize("path", ALL)
def test_a_command_is_documented(path: str) -> None:
    """It has a section with an example, and help with an example."""
    help_text = ALL[path].help
    assert f"$ {path}" in section(path)
    assert "Example" in help_text
    assert f"{path} " in help_text or f"{path}\n" in help_text


@pytest.mark.parametrize("path", ALL)
def test_an_option_is_documented(path: str) -> None:
    """The section names every option, and help says what each one does."""
    text = section(path)
    for parameter in ALL[path].params:
        if parameter.name == "help" or getattr(parameter, "hidden", False):
            continue
        assert getattr(parameter, "help", None), f"{path}: {parameter.name} has no help"
        if parameter.param_type_name == "option":
            for name in [*parameter.opts, *parameter.secondary_opts]:
                assert f"`{name}" in text, f"{path}: {name} is not in docs/cli.md"


@pytest.mark.parametrize("path", ALL)
def test_a_documented_option_exists(path: str) -> None:
    """The page promises nothing that is not there."""
    known = {
        name
        for parameter in ALL[path].params
        for name in [*parameter.opts, *parameter.secondary_opts]
    }
    promised = set(re.findall(r"`(--[a-z-]+)", section(path)))
    assert promised <= known


def test_every_command_answers_programs_too() -> None:
    """`--json` is everywhere."""
    without = [
        path for path, command in ALL.items() if "json" not in {p.name for p in command.params}
    ]
    assert without == []

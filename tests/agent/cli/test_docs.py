"""Every command and option is explained where a person looks for it."""

import csv
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from fwid_agent.cli.main import app

from tests.agent.cli.conftest import CAPTURES, SENSOR, Fwid

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "cli.md").read_text("utf-8")
MONTHS = {"04": "april", "05": "may", "07": "july", "09": "september"}
# In the page's order, as a later one goes on with the store of an earlier one.
QUICK = [
    *("replay", "compare", "devices", "show", "accept", "relearn", "label", "kind", "report"),
    *("identify", "refine", "backup", "restore"),
]


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
    assert set(ALL) >= {
        f"fwid {name}" for name in [*names, "lab train", "lab evaluate", "lab days"]
    }


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


@pytest.fixture
def examples_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the page's examples are called in: the sensor's captures, also by month."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "demo.toml", tmp_path / "scripts")
    with (CAPTURES / "labels.csv").open() as labels:
        rows = [row for row in csv.DictReader(labels) if row["mac"] == SENSOR]
    for row in rows:
        for name in ("captures", MONTHS[row["start_utc"][5:7]]):
            (tmp_path / name).mkdir(exist_ok=True)
            shutil.copy(CAPTURES / row["device"] / row["file"], tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def examples(path: str) -> Iterator[tuple[str, list[str]]]:
    """Each call that the page shows of a command, and the lines below it."""
    for block in re.findall(r"^```\n(\$ .*?)^```", section(path), re.MULTILINE | re.DOTALL):
        for example in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            call, *lines = example.rstrip().splitlines()
            yield call, lines


def steady(line: str) -> str:
    """A line without what differs from run to run."""
    line = re.sub(r"[\d.]+ s, [\d,]+ packets/s", "T s, N packets/s", line.rstrip())
    return re.sub(r"^(\S+\.db): [\d,]+ bytes$", r"\1: N bytes", line)


@pytest.mark.usefixtures("examples_folder")
def test_the_examples_are_what_is_printed(fwid: Fwid) -> None:
    """Every line that the page shows comes, in this order; it may leave out others by `…`."""
    for name in QUICK:
        for call, shown in examples(f"fwid {name}"):
            ended = fwid(*shlex.split(call)[1:])
            assert ended.code == 0, ended.err
            printed = iter([steady(line) for line in ended.out.splitlines()])
            for line in shown:
                if line.strip() != "…":
                    assert steady(line) in printed, f"{call}: {line}\n{ended.out}"
            if not any(line.strip() == "…" for line in shown):
                assert len(shown) == len(ended.out.splitlines()), call


@pytest.mark.usefixtures("examples_folder")
def test_the_json_of_a_replay_is_what_is_printed(fwid: Fwid) -> None:
    """Of the lists the page shows the first item only."""
    (block,) = re.findall(r"^```json\n(.*?)^```", section("fwid replay"), re.MULTILINE | re.DOTALL)
    verdict, summary = [msgspec.json.decode(line, type=dict) for line in block.splitlines()]
    call, _ = next(examples("fwid replay"))
    *verdicts, ended = fwid(*shlex.split(call)[1:], "--json").records()
    for record in verdicts:
        del record["reasons"][1:]
    del ended["devices"][1:]
    ended["seconds"] = summary["seconds"]

    assert verdict in verdicts
    assert summary == ended

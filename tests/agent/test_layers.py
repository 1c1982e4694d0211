"""The parts of the agent know each other in one direction only; docs/design.md says why."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import fwid_agent
import pytest

SOURCE = Path(fwid_agent.__file__).parent
BASE = {"aside", "errors", "locking", "tables", "types"}
SHARED = BASE | {"config", "events_json"}
STAGES = {"capture", "core", "model", "store"}

# part: the other parts of the agent that it may import
MAY_IMPORT = {
    "types": set[str](),
    "errors": set[str](),
    "aside": {"errors"},
    "locking": {"errors"},
    "tables": {"errors", "types"},
    "config": BASE,
    "events_json": BASE,
    "core": BASE,
    "capture": SHARED,
    "model": SHARED,
    "store": SHARED,
    "report": BASE | {"core"},
    "api": SHARED,
    "export": SHARED | {"capture", "core"},
    "identify": SHARED | {"core", "model"},
    "refine": SHARED | {"core", "model", "pipeline", "store"},
    "retrain": SHARED | STAGES | {"identify", "pipeline"},
    "pipeline": SHARED | STAGES | {"identify", "report"},
    "service": SHARED | STAGES | {"api", "identify", "pipeline", "refine", "report", "retrain"},
    "cli": SHARED
    | STAGES
    | {
        "api",
        "cli.lab",
        "export",
        "identify",
        "pipeline",
        "refine",
        "report",
        "retrain",
        "service",
    },
    "cli.lab": SHARED | STAGES | {"cli", "identify", "lab", "pipeline"},
    "lab": SHARED
    | STAGES
    | {"api", "cli", "export", "identify", "pipeline", "refine", "retrain", "service"},
}
LAB_COMMANDS = ("cli.bench", "cli.lab")
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")
# What the device pays for only when a person asks for research or figures.
HEAVY = {"dask", "distributed", "keras", "matplotlib", "scipy.stats", "sklearn", "tensorflow"}


def module_name(path: Path) -> str:
    """`SOURCE/core/units.py` is `core.units`; a package's `__init__.py` is `core.__init__`."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts)


def part_of(module: str) -> str:
    """`core.units` is of the part `core`; the commands of the lab are a part of their own."""
    return "cli.lab" if module.startswith(LAB_COMMANDS) else module.partition(".")[0]


def imports(source: str, package: str) -> Iterator[str]:
    """Every absolute name that the source imports, wherever in it, each name of a `from` too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def forbidden(module: str, source: str) -> list[str]:
    """What the module imports and may not."""
    part, package = part_of(module), f"fwid_agent.{module}".rpartition(".")[0]
    wrong = []
    for name in imports(source, package):
        top, _, rest = name.partition(".")
        if top == "fwid_agent":
            allowed = part_of(rest) in MAY_IMPORT[part] | {part}
        elif part == "core":
            allowed = (
                top in sys.stdlib_module_names | {"numpy"}
                or name == "scipy.special"
                or name.startswith("scipy.special.")
            )
        else:
            allowed = True
        if not allowed:
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_module_imports_only_what_its_layer_may(path: Path) -> None:
    """No way back against the data's direction, and a core of numpy and scipy.special alone."""
    assert forbidden(module_name(path), path.read_text()) == []


@pytest.mark.parametrize(
    ("module", "source", "name"),
    [
        ("core.units", "from fwid_agent.store import Store", "fwid_agent.store.Store"),
        ("core.units", "from ..store import Store", "fwid_agent.store.Store"),
        ("core.units", "def f():\n    import fwid_agent.pipeline", "fwid_agent.pipeline"),
        ("core.effect", "from scipy import stats", "scipy.stats"),
        ("core.effect", "import scipy", "scipy"),
        ("core.effect", "import msgspec", "msgspec"),
        ("store.rows", "from fwid_agent import model", "fwid_agent.model"),
        ("capture.files", "import fwid_agent.core.units", "fwid_agent.core.units"),
        ("cli.main", "from fwid_agent.lab import bench", "fwid_agent.lab.bench"),
        ("types", "from fwid_agent.core import units", "fwid_agent.core.units"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str, name: str) -> None:
    """The check above sees each way of writing an import."""
    assert forbidden(module, source) == [name]


def test_only_the_lab_commands_import_the_lab() -> None:
    """Research and its large dependencies stay off the device."""
    assert [part for part, allowed in MAY_IMPORT.items() if "lab" in allowed] == ["cli.lab"]


def test_starting_the_command_loads_nothing_heavy() -> None:
    """`fwid --help` answers at once, and the agent stays small on the device."""
    program = "import sys, fwid_agent.cli.main; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    ).stdout.split()

    assert "fwid_agent.cli.main" in loaded
    assert HEAVY.isdisjoint(loaded)

"""Carries out a Dockerfile step by step, where there is no container engine: for `try-image`."""

import json
import re
import shlex
import shutil
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

from cleanroot import CleanRoot

_BASES = {"debian:12-slim": "bookworm", "debian:13-slim": "trixie"}
# As those images are set up: packages do not stay in the layer that installs them.
_APT_CLEAN = """
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""


@dataclass
class Stage:
    """What a stage of the recipe has come to."""

    root: CleanRoot | None  # None: no files of its own; it stands for the checkout
    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """A step that was carried out."""

    stage: str
    words: str
    seconds: float


class Build:
    """A build from a Dockerfile, with the checkout in place of the stage `source`."""

    def __init__(self, cache: Path, checkout: Path) -> None:
        self.stages: dict[str, Stage] = {}
        self.steps: list[Step] = []
        self._cache = cache
        self._checkout = checkout
        self._name = ""
        self._global: dict[str, str] = {}

    def carry_out(self, dockerfile: Path) -> None:
        """Do what the file says; raises RuntimeError where a step fails."""
        for name, words in read_steps(dockerfile.read_text("utf-8")):
            began = time.monotonic()
            if name == "FROM":
                self._begin(words)
            elif not self._name:
                self._global.update(_pairs(words))
            else:
                self._do(name, words, self.stages[self._name])
            self.steps.append(Step(self._name, f"{name} {words}", time.monotonic() - began))

    def close(self) -> None:
        """Throw all stages away."""
        roots = {id(stage.root): stage.root for stage in self.stages.values() if stage.root}
        for root in roots.values():
            root.__exit__(None, None, None)

    def _begin(self, words: str) -> None:
        base, _, self._name = re.fullmatch(r"(\S+)( AS (\S+))?", words).group(1, 2, 3)  # type: ignore[union-attr]
        if base in self.stages:  # goes on in the same root: its files are the same so far
            self.stages[self._name] = Stage(**{**vars(self.stages[base])})
            self.stages[self._name].env = deepcopy(self.stages[base].env)
        else:
            root = None
            if base != "scratch":
                root = CleanRoot(self._cache, _BASES[base])
                (root.path / "etc/apt/apt.conf.d/clean").write_text(_APT_CLEAN)
            self.stages[self._name] = Stage(root)

    def _do(self, name: str, words: str, stage: Stage) -> None:
        match name:
            case "ARG":
                stage.arguments.update(_pairs(words) or {words: self._global[words]})
            case "ENV":
                stage.env.update(_pairs(_fill(words, stage.env | {"PATH": _path(stage)})))
            case "RUN":
                assert stage.root
                script = f"cd {shlex.quote(stage.folder)} && {words}"
                stage.root.run("sh", "-ec", script, env=stage.arguments | stage.env)
            case "COPY":
                self._copy(words, stage)
            case "WORKDIR":
                stage.folder = words
                assert stage.root
                (stage.root.path / words.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "USER":
                stage.user = words
            case "ENTRYPOINT":
                stage.entrypoint, stage.command = json.loads(words), []
            case "CMD":
                stage.command = json.loads(words)
            case "HEALTHCHECK":
                stage.health = json.loads(words[words.index("[") :])
            case "ADD" if stage.root is None:
                pass  # the checkout itself
            case "LABEL" | "EXPOSE" | "VOLUME":
                pass  # of no consequence without an engine
            case _:
                raise RuntimeError(f"{name} {words}: no way to do that here")

    def _copy(self, words: str, stage: Stage) -> None:
        origin, *sources, target = words.split()
        source = self.stages[origin.removeprefix("--from=")].root
        outside = source.path if source else self._checkout
        assert stage.root
        into = stage.root.path / target.lstrip("/")
        for one in sources:
            path = outside / one.lstrip("/")
            if path.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", ".venv", "*.egg-info", "dist")
                shutil.copytree(path, into, symlinks=True, dirs_exist_ok=True, ignore=ignored)
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, into)


def read_steps(text: str) -> Iterator[tuple[str, str]]:
    """Read a Dockerfile's steps: the instruction, and the rest as one line."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for step in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, words = step.partition(" ")
        if name:
            yield name, words.strip()


def _pairs(words: str) -> dict[str, str]:
    split = (word.partition("=") for word in shlex.split(words))
    return {name: value for name, mark, value in split if mark}


def _fill(words: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match.group(1), ""), words)


def _path(stage: Stage) -> str:
    return stage.env.get("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")

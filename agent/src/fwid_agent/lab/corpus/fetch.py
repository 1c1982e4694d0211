"""Published software in the cache folder: each layer once, with a list of what is in it."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fwid_agent.lab.corpus.build import build, recipe_digest
from fwid_agent.lab.corpus.debian import call, fetch_debian, fetch_source
from fwid_agent.lab.corpus.model import (
    Built,
    CorpusError,
    Debian,
    Device,
    Layer,
    Npm,
    Pip,
    Source,
    Version,
)

OnNote = Callable[[str], None]
_MANIFEST = "versions.json"  # beside the layer's files: package -> version


@dataclass(frozen=True, slots=True)
class Stacks:
    """The layers in the cache folder."""

    folder: Path
    on_note: OnNote

    def paths(self, layers: Sequence[Layer]) -> list[Path]:
        """Return the folders of layers, each fetched where it is not there yet."""
        return [self._ensure(layer) / "root" for layer in layers]

    def contents(self, layers: Sequence[Layer]) -> dict[str, str]:
        """Say which packages are in the layers, and in which version."""
        found: dict[str, str] = {}
        for layer in reversed(layers):
            found |= json.loads((self._ensure(layer) / _MANIFEST).read_text())
        return found

    def label(self, device: Device, version: Version) -> str:
        """Name a version as its publisher does."""
        if version.label:
            return version.label
        contents = self.contents(version.layers)
        found = [contents[name] for name in sorted(contents) if name.startswith(device.main)]
        if not found:
            raise CorpusError(f"{device.name}: {device.main} is not among its own packages")
        return f"{device.main} {contents.get(device.main, found[0])}"

    def _ensure(self, layer: Layer) -> Path:
        digest = hashlib.sha256(repr(layer).encode())
        if isinstance(layer, Built):
            digest.update(recipe_digest(layer))
        mark = digest.hexdigest()[:16]
        place = self.folder / f"{type(layer).__name__.lower()}-{mark}"
        if place.is_dir():
            return place
        over = self.paths(layer.over) if isinstance(layer, Built) else []
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # corpora may be made beside each other
            if not place.is_dir():
                self._fetch(layer, over, place)
        return place

    def _fetch(self, layer: Layer, over: Sequence[Path], place: Path) -> None:
        part = place.with_name(f"{place.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        (part / "root").mkdir(parents=True)
        self.on_note(f"fetching {describe(layer)}")
        versions = _fetch_into(layer, over, part / "root")
        (part / _MANIFEST).write_text(json.dumps(versions, indent=1, sort_keys=True) + "\n")
        part.rename(place)


def _fetch_into(layer: Layer, over: Sequence[Path], target: Path) -> dict[str, str]:
    match layer:
        case Debian():
            return fetch_debian(layer, target)
        case Source():
            return fetch_source(layer, target)
        case Pip():
            return _fetch_pip(layer, target)
        case Npm():
            return _fetch_npm(layer, target)
        case Built():
            build(layer, over, target)
            return {layer.recipe: layer.version}


def describe(layer: Layer) -> str:
    """Say in words what a layer is."""
    match layer:
        case Debian():
            return f"{', '.join(layer.packages)} of Debian {layer.suite}"
        case Source():
            return f"the sources of {layer.package} of Debian {layer.suite}"
        case Pip():
            return ", ".join(layer.requirements)
        case Npm():
            return ", ".join(layer.packages)
        case Built():
            return f"{layer.recipe} {layer.version} (to be compiled)"


def _fetch_pip(layer: Pip, target: Path) -> dict[str, str]:
    python = _need("python3", "pip", "brings the devices' Python packages")
    packages = target / "opt/python"
    call(
        *(python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"),
        *("--target", str(packages), "--python-version", layer.python, "--only-binary=:all:"),
        *layer.requirements,
    )
    versions = {}
    for info in packages.glob("*.dist-info"):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        versions[name] = version
    return versions


def _fetch_npm(layer: Npm, target: Path) -> dict[str, str]:
    npm = _need("npm", "npm", "brings the devices' JavaScript packages")
    packages = target / "opt/node"
    packages.mkdir(parents=True)
    wanted = dict(each.rsplit("@", 1) for each in layer.packages)
    pinned = dict(each.rsplit("@", 1) for each in layer.pinned)
    manifest = {"private": True, "dependencies": wanted, "overrides": pinned}
    (packages / "package.json").write_text(json.dumps(manifest))
    call(
        *(npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev", "--silent"),
        cwd=packages,
        env={**os.environ, "npm_config_update_notifier": "false"},
    )
    lock = json.loads((packages / "package-lock.json").read_text())["packages"]
    return {
        path.removeprefix("node_modules/"): entry["version"]
        for path, entry in lock.items()
        if path.count("node_modules/") == 1 and "version" in entry
    }


def _need(program: str, package: str, why: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise CorpusError(f"needs {program}, which {why}: install {package}")
    return path

"""Which devices are held out together, and the models that never saw them."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

import msgspec
import numpy as np

from fwid_agent.core.image import GlobalScaler
from fwid_agent.lab.cases import LabelledDevice
from fwid_agent.lab.corpus.place import cache_folder
from fwid_agent.lab.feature_cache import code_digest
from fwid_agent.lab.present import Member
from fwid_agent.lab.train import Trained, train
from fwid_agent.model.manifest import (
    PUBLISHED,
    ROW_TWIN,
    model_folder,
    read_file,
    read_manifest,
)
from fwid_agent.pipeline.models import read_prior
from fwid_agent.types import UnitTable

FOLDS = 6


@dataclass(frozen=True, slots=True)
class Fold:
    """Devices to judge, and those that models and thresholds may come from."""

    name: str
    rest: tuple[Member, ...]
    held: tuple[Member, ...]


def make_folds(members: Sequence[Member], count: int = FOLDS) -> list[Fold]:
    """Hold out every family once; families are dealt out so that folds are of a size."""
    families: dict[str, int] = {}
    for member in members:
        families[member.family] = families.get(member.family, 0) + 1
    count = min(count, len(families))
    bins: list[list[str]] = [[] for _ in range(count)]
    filled = [0] * count
    for family in sorted(families, key=lambda name: (-families[name], name)):
        least = filled.index(min(filled))
        bins[least].append(family)
        filled[least] += families[family]
    return [_fold(f"fold {number}", members, held) for number, held in enumerate(bins, 1)]


def make_transfers(members: Sequence[Member]) -> list[Fold]:
    """Hold out every corpus once, together with corpora of the same devices."""
    groups: dict[str, set[str]] = {}
    for member in members:
        groups.setdefault(member.corpus, set()).add(member.family)
    merged: list[tuple[list[str], set[str]]] = []
    for corpus, families in groups.items():
        together = [each for each in merged if each[1] & families]
        apart = [each for each in merged if not each[1] & families]
        names = [name for each in together for name in each[0]] + [corpus]
        merged = [*apart, (names, families.union(*(each[1] for each in together)))]
    if len(merged) < 2:
        return []
    folds = []
    for names, families in merged:
        fold = _fold(" and ".join(names), members, sorted(families))
        folds.append(fold)
    return folds


def _fold(name: str, members: Sequence[Member], families: Sequence[str]) -> Fold:
    return Fold(
        name,
        tuple(member for member in members if member.family not in families),
        tuple(member for member in members if member.family in families),
    )


def shipped_models() -> Trained:
    """Return the models that come with the agent; they are quantised, so both kinds are the same.

    Raises ModelError where one cannot be used.
    """
    folder = model_folder()
    manifest = read_manifest(folder)
    twin, published = (read_file(folder, manifest, name) for name in (ROW_TWIN, PUBLISHED))
    return Trained(
        prior=read_prior(folder),
        row_twin=twin,
        row_twin_float=twin,
        logistic=manifest.logistic,
        published=published,
        published_float=published,
        scaler=GlobalScaler(manifest.scale.low, manifest.scale.high),
        trained_on=manifest.trained_on,
        seed=manifest.seed,
    )


def train_on(members: Sequence[Member], seed: int) -> Trained:
    """Train on these devices, or take what was trained on the very same before."""
    devices = [member.device for member in members]
    file = _model_folder() / f"{_key(devices, seed)}.msgpack"
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.msgpack.decode(file.read_bytes(), type=Trained)
    trained = train(devices, seed, lambda *_: None)
    part = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.msgpack.encode(trained))
        part.replace(file)
    return trained


def _model_folder() -> Path:
    return cache_folder().parent / "models"


def _key(devices: Sequence[LabelledDevice], seed: int) -> str:
    digest = hashlib.sha256(f"{code_digest('fwid_agent.lab.train')} {seed}".encode())
    for device in devices:
        digest.update(f"{device.name} {sorted(device.labels.items())}".encode())
        for field in fields(UnitTable):
            digest.update(np.ascontiguousarray(getattr(device.windows, field.name)).tobytes())
    return digest.hexdigest()

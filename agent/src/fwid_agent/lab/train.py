"""Train everything that is shipped, from a labelled corpus: prior, both networks, manifest."""

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from fwid_agent.core.image import (
    GlobalScaler,
    fit_scaler,
    global_image,
    measure_columns,
    still_image,
)
from fwid_agent.core.periods import make_period
from fwid_agent.core.prior import Prior
from fwid_agent.lab.cases import DAY_NS, LabelledDevice, family_of, unchanged_runs
from fwid_agent.lab.counting import rank_auc
from fwid_agent.lab.known_days import KnownDays
from fwid_agent.lab.networks import convert, train_published, train_row_twin
from fwid_agent.lab.pairs import make_pairs
from fwid_agent.lab.prior_fit import fit_prior
from fwid_agent.lab.trainable import trainable_twin
from fwid_agent.model.encoder import Encoder, unit_length
from fwid_agent.model.manifest import (
    MANIFEST,
    MANIFEST_VERSION,
    PRIOR,
    PUBLISHED,
    ROW_TWIN,
    TRAINABLE,
    Logistic,
    Manifest,
    Range,
)
from fwid_agent.pipeline.models import RowTwin
from fwid_agent.types import F8, I4, I8, U1

TRAINING_PAIRS, HELD_PAIRS = 6000, 600
_REPRESENTATIVE = 400
VETO_QUANTILE = 0.1
OnStep = Callable[[str, int, int], None]  # what, steps done, steps in all


@dataclass(frozen=True, slots=True)
class Trained:
    """Everything that a detector needs, as files hold it."""

    prior: Prior
    row_twin: bytes  # int8
    row_twin_float: bytes
    logistic: Logistic
    published: bytes  # int8
    published_float: bytes
    scaler: GlobalScaler
    trained_on: tuple[str, ...]
    seed: int


def train(devices: Sequence[LabelledDevice], seed: int, on_step: OnStep) -> Trained:
    """Train on these devices and no others."""
    on_step("prior", 0, 1)
    prior = fit_prior({device.name: device.windows for device in _undisturbed(devices)})
    on_step("prior", 1, 1)
    twin, logistic, rows = _train_twin(devices, prior, seed, on_step)
    pictures, who, scaler = session_pictures(devices)
    encoder = train_published(pictures, who, seed, lambda n, of: on_step("published twin", n, of))
    return Trained(
        prior,
        convert(twin, rows, "int16"),
        convert(twin, None),
        logistic,
        convert(encoder, pictures[:: max(len(pictures) // _REPRESENTATIVE, 1)]),
        convert(encoder, None),
        scaler,
        tuple(sorted(device.name for device in devices)),
        seed,
    )


def _undisturbed(devices: Sequence[LabelledDevice]) -> list[LabelledDevice]:
    """Return the devices that say what is usual.

    Where days are known, half of them were made hard on purpose: a tail that is fitted to its
    largest scores would take for usual what a home sees once a month. So these devices are asked
    only where there are no others, and then run by run.
    """
    others = [device for device in devices if KnownDays.of(device) is None]
    return others or [run for device in devices for run in unchanged_runs(device)]


def _train_twin(
    devices: Sequence[LabelledDevice], prior: Prior, seed: int, on_step: OnStep
) -> tuple[Any, Logistic, U1]:
    on_step("pairs", 0, 1)
    pairs = make_pairs(devices, prior, TRAINING_PAIRS, np.random.default_rng(seed))
    on_step("pairs", 1, 1)
    twin, slope = train_row_twin(
        pairs.pictures, pairs.software, seed, lambda n, of: on_step("row-shared twin", n, of)
    )
    trained = RowTwin(Encoder(convert(twin, None), ROW_TWIN), Logistic(slope, 0.0))
    # The network has a veto, so a half is where nine in ten software pairs are: it is to stop what
    # is clearly settings, not to find what is clearly software.
    half = np.quantile(trained.distances(pairs.pictures)[pairs.software], VETO_QUANTILE)
    rows = pairs.pictures.reshape(-1, pairs.pictures.shape[2])
    moved = rows[(rows[:, 2:] != still_image()[0, 2]).any(axis=1)]
    # Rows of any grey too: a device never seen must not leave the range that is calibrated.
    rng = np.random.default_rng(seed)
    any_grey = rng.integers(0, 256, (_REPRESENTATIVE, moved.shape[1])).astype(np.uint8)
    chosen = np.concatenate([moved[:: max(len(moved) // (5 * _REPRESENTATIVE), 1)], any_grey])
    return twin, Logistic(slope, float(-slope * half)), np.concatenate([chosen, still_image()])


def session_pictures(devices: Sequence[LabelledDevice]) -> tuple[U1, I8, GlobalScaler]:
    """Draw every session of these devices on their common scale; also whose each picture is."""
    values, who = [], []
    for number, device in enumerate(devices):
        measured, _ = session_values(device)
        values.append(measured)
        who += [number] * len(measured)
    joined = np.concatenate(values)
    scaler = fit_scaler(joined)
    return global_image(joined, scaler), np.array(who, np.int64), scaler


def session_values(device: LabelledDevice) -> tuple[F8, I4]:
    """Measure every session of a device: columns, and which day each is of."""
    period = make_period(device.windows, "day", DAY_NS)
    return measure_columns(period.observations), period.unit


def held_out_metrics(trained: Trained, held: Sequence[LabelledDevice]) -> dict[str, float]:
    """Measure the networks on devices that they were not trained on.

    What cannot be measured on so few is left out: one device alone is told from no other.
    """
    twin = RowTwin(Encoder(trained.row_twin, ROW_TWIN), trained.logistic)
    pairs = make_pairs(held, trained.prior, HELD_PAIRS, np.random.default_rng(trained.seed + 1))
    distance = twin.distances(pairs.pictures)
    encoder = Encoder(trained.published, PUBLISHED)
    alike, apart = device_likeness(encoder, trained.scaler, held)
    metrics = {
        "software_auc_held_out": rank_auc(distance[~pairs.software], distance[pairs.software]),
        "device_auc_held_out": rank_auc(apart, alike),
        "row_twin_bytes": float(len(trained.row_twin)),
        "published_bytes": float(len(trained.published)),
    }
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def device_likeness(
    encoder: Encoder, scaler: GlobalScaler, devices: Sequence[LabelledDevice]
) -> tuple[F8, F8]:
    """Return the likeness of pairs of sessions: of one device, and of two."""
    values = [session_values(device)[0] for device in devices]
    who = np.repeat(np.arange(len(values)), [len(each) for each in values])
    unit = unit_length(encoder.encode(global_image(np.concatenate(values), scaler)))
    likeness = (unit @ unit.T).astype(np.float64)
    same = who[:, None] == who[None, :]
    upper = np.triu(np.ones_like(same), 1)
    return likeness[same & upper], likeness[~same & upper]


def save(trained: Trained, metrics: dict[str, float], folder: Path) -> None:
    """Write the files that are shipped into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        ROW_TWIN: trained.row_twin,
        PUBLISHED: trained.published,
        TRAINABLE: trainable_twin(trained.row_twin, trained.logistic),
        PRIOR: msgspec.json.format(msgspec.json.encode(trained.prior), indent=1) + b"\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    manifest = Manifest(
        MANIFEST_VERSION,
        trained.seed,
        trained.trained_on,
        {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
        trained.logistic,
        Range(trained.scaler.low, trained.scaler.high),
        {name: round(value, 4) for name, value in metrics.items()},
    )
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (folder / MANIFEST).write_bytes(encoded + b"\n")


def split_devices(
    devices: Sequence[LabelledDevice], held_family: str
) -> tuple[list[LabelledDevice], list[LabelledDevice]]:
    """Leave one vendor's devices out: those to train on, and those held out."""
    held = [device for device in devices if family_of(device.name) == held_family]
    rest = [device for device in devices if family_of(device.name) != held_family]
    return rest, held

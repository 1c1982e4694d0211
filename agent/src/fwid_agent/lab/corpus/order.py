"""What corpus is asked for."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fwid_agent.errors import UsageError
from fwid_agent.lab.corpus.catalogue import DEVICES, QUICK
from fwid_agent.lab.corpus.day import Tempo
from fwid_agent.lab.corpus.model import CorpusError, Device
from fwid_agent.lab.corpus.place import cache_folder, stacks_folder

_DAYS, _QUICK_DAYS = 20, 5
_TEMPO, _QUICK_TEMPO = Tempo(180, 14), Tempo(12, 5)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for; None where he leaves it to us."""

    seed: int
    days: int | None
    day_s: float | None
    devices: tuple[str, ...]
    quick: bool
    handshakes: bool
    homes: int  # at once


@dataclass(frozen=True, slots=True)
class Order:
    """Which corpus is to be made, and where."""

    target: Path
    stacks: Path
    devices: Sequence[Device]
    seed: int
    days: int
    tempo: Tempo
    handshakes: bool
    homes: int


def choose_order(wish: Wish, target: Path | None) -> Order:
    """Turn a wish into an order. Raises UsageError for a device that nobody knows."""
    unknown = set(wish.devices) - {device.name for device in DEVICES}
    if unknown:
        known = ", ".join(device.name for device in DEVICES)
        raise UsageError(f"{min(unknown)}: no such device; there are {known}")
    names = wish.devices or (QUICK if wish.quick else ())
    tempo = _QUICK_TEMPO if wish.quick else _TEMPO
    name = f"quick-{wish.seed}" if wish.quick else f"seed-{wish.seed}"
    return Order(
        target=target or cache_folder() / name,
        stacks=stacks_folder(),
        devices=[device for device in DEVICES if not names or device.name in names],
        seed=wish.seed,
        days=wish.days or (_QUICK_DAYS if wish.quick else _DAYS),
        tempo=Tempo(wish.day_s, tempo.settle_s) if wish.day_s else tempo,
        handshakes=wish.handshakes,
        homes=wish.homes,
    )


def keep_order(order: Order) -> None:
    """Keep beside a corpus what it is made of: two orders never mix, but devices may be added.

    Raises:
        CorpusError: the folder holds the corpus of another order, or a damaged one.

    """
    words: dict[str, Any] = {
        "seed": order.seed,
        "days": order.days,
        "day_s": order.tempo.day_s,
        "handshakes": order.handshakes,
    }
    devices = {
        device.name: hashlib.sha256(repr(device).encode()).hexdigest()[:16]
        for device in order.devices
    }
    path = order.target / "order.json"
    if path.exists():
        try:
            before = json.loads(path.read_text())
            known = dict(before.pop("devices"))
        except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise CorpusError(f"{path} is damaged; remove it, or choose another folder") from error
        if before != words or any(devices.get(name, mark) != mark for name, mark in known.items()):
            raise CorpusError(
                f"{order.target} holds another corpus; choose another folder, or remove it"
            )
        devices = known | devices
    path.write_text(json.dumps({**words, "devices": devices}, indent=1) + "\n")

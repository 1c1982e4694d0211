"""The training loop: a bounded number of steps, in bounded time and memory.

It knows a network only by its LiteRT signatures, and what it learns from only as arrays: any
network of model.trainable is trained by it.
"""

import resource
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fwid_agent.errors import StoreError
from fwid_agent.model.trainable import Trainable
from fwid_agent.types import F4

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a training may cost, and how it learns."""

    steps: int = 200
    rate: float = 1e-3
    frozen: int = 2  # first layers that stay as they are
    seconds: float = 60.0  # of the processor: who steps aside may wait for it for long
    memory_bytes: int = 400 << 20  # resident, of the whole process


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training went."""

    losses: tuple[float, ...]  # of each step's batch, before it
    seconds: float
    finished: bool  # all steps were made


def train(
    network: Trainable,
    examples: tuple[F4, F4],
    bounds: Bounds,
    rng: np.random.Generator,
    clock_s: Callable[[], float] = time.process_time,
) -> Trained:
    """Train on batches that are drawn at random.

    Args:
        network: changed in place.
        examples: [n, ...] inputs, and [n, ...] what is wanted of each.
        bounds: what it may cost.
        rng: draws the batches.
        clock_s: seconds that count.

    Raises:
        ModelError: the network does not fit.
        StoreError: more memory is in use than allowed.

    """
    given, target = examples
    begin_s = clock_s()
    losses: list[float] = []
    while len(losses) < bounds.steps and clock_s() - begin_s < bounds.seconds:
        check_memory(bounds)
        chosen = rng.integers(0, len(given), network.batch)
        losses.append(
            network.step(given[chosen], target[chosen], rate=bounds.rate, frozen=bounds.frozen)
        )
    return Trained(tuple(losses), clock_s() - begin_s, len(losses) == bounds.steps)


def check_memory(bounds: Bounds) -> None:
    """Raise StoreError where the process has used more memory than it may."""
    used = peak_bytes()
    if used > bounds.memory_bytes:
        raise StoreError(
            f"training takes {used >> 20} MB, more than the {bounds.memory_bytes >> 20} MB it may; "
            "nothing was changed"
        )


def peak_bytes() -> int:
    """Most memory that this process has had resident.

    The kernel's other figure counts what was there before the program was started, too: a worker
    would be as large as whoever started it.
    """
    with suppress(OSError, ValueError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

"""From captures to windows, device by device: here, in local processes, or on a Dask cluster.

A device's captures are one pass of the pipeline, so they are one task; tasks know nothing of each
other, which is why the result is the same wherever they run.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeVar

from fwid_agent.config import Config
from fwid_agent.errors import UnreadableInputError, UsageError
from fwid_agent.pipeline.ingest import ReadOptions, read_windows
from fwid_agent.types import UnitTable, format_mac

HOUR_NS = 3600 * 1_000_000_000
# Processes take seconds to start: below, one after the other is done before.
SMALL_BYTES = 256_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """How a corpus is read."""

    window_ns: int = HOUR_NS
    handshakes: bool = False
    cluster: str | None = None  # address of a Dask scheduler; its workers see the same files
    cached: bool = True  # whether windows are kept in the user's cache folder


@dataclass(frozen=True, slots=True)
class Task:
    """One device's captures, and how they are read."""

    name: str
    mac: int
    paths: tuple[str, ...]
    window_ns: int
    handshakes: bool


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a task: windows, or why there are none."""

    windows: UnitTable | None
    path: str = ""
    reason: str = ""
    offset: int | None = None

    def take(self) -> UnitTable:
        """Return the windows; raises UnreadableInputError."""
        if self.windows is None:
            raise UnreadableInputError(self.path, self.reason, self.offset)
        return self.windows


class _OfCaptures(Protocol):
    @property
    def name(self) -> str:
        """Whose captures."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The captures."""


_Task = TypeVar("_Task", bound=_OfCaptures)
_Read = TypeVar("_Read")


def read_task(task: Task) -> Read:
    """Read a device's captures; an error is returned, for it has to travel between processes."""
    config = Config(handshakes=task.handshakes)
    options = ReadOptions(task.window_ns, per_file=True, dedup=False, config=config)
    try:
        tables, faults = read_windows(
            task.paths, options, on_progress=lambda _: None, on_note=lambda _: None
        )
    except UnreadableInputError as error:
        return Read(None, error.path, error.reason, error.offset)
    for fault in faults:
        return Read(None, fault.path, fault.reason, fault.offset)
    if task.mac not in tables:
        folder = str(Path(task.paths[0]).parent)
        return Read(None, folder, f"no packet of {format_mac(task.mac)}")
    return Read(tables[task.mac])


def extract(
    tasks: Sequence[Task], cluster: str | None, on_task: Callable[[str], None]
) -> Iterator[tuple[Task, Read]]:
    """Yield the windows of each task; see `spread`."""
    return spread(read_task, tasks, cluster, on_task)


def spread(
    work: Callable[[_Task], _Read],
    tasks: Sequence[_Task],
    cluster: str | None,
    on_task: Callable[[str], None],
) -> Iterator[tuple[_Task, _Read]]:
    """Yield what comes of each task, in the order given; little work is done in this process.

    Raises:
        UsageError: a cluster is named, and Dask is not installed or nothing answers there.

    """
    processes = min(os.cpu_count() or 1, len(tasks))
    size = sum(Path(path).stat().st_size for task in tasks for path in task.paths)
    small = processes < 2 or size < SMALL_BYTES
    if cluster is None and (small or find_spec("distributed") is None):
        for task in tasks:
            on_task(task.name)
            yield task, work(task)
        return
    with ExitStack() as stack:
        client = _connect(stack, cluster, processes)
        for task, future in [(task, client.submit(work, task, pure=False)) for task in tasks]:
            yield task, future.result()
            on_task(task.name)


def _connect(stack: ExitStack, cluster: str | None, processes: int) -> Any:  # noqa: ANN401 - untyped
    try:
        distributed: Any = import_module("distributed")  # only for large corpora
    except ImportError:
        raise UsageError("a cluster needs Dask: install fwid-agent[lab]") from None
    if cluster is None:
        local = distributed.LocalCluster(
            n_workers=processes,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.ERROR,
        )
        cluster = stack.enter_context(local)
    try:
        return stack.enter_context(distributed.Client(cluster))
    except (OSError, ValueError) as error:
        raise UsageError(f"{cluster}: no Dask scheduler answers there ({error})") from error

"""A process of its own for what takes long, which steps aside for everything else.

It prints a line for each stage, `{"stage": ...}`, and at last the record of the attempt, or
`{"error": ..., "code": ...}`.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from fwid_agent.errors import FwidError, ModelError, StoreError, UsageError

_KINDS = {kind.exit_code: kind for kind in (ModelError, StoreError, UsageError)}
_IDLE, _NICE = "SCHED_IDLE", 19
Say = Callable[[dict[str, Any]], object]
Work = Callable[[Callable[[str], object]], dict[str, Any]]


def command(module: str, *words: object) -> list[str]:
    """Write the command that starts a process."""
    return [sys.executable, "-m", module, *map(str, words)]


def environment() -> dict[str, str]:
    """Return what it is started in: threads that wait for each other are no way to step aside."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def read_answer(lines: Sequence[bytes], doing: str) -> dict[str, Any]:
    """Read what it printed last; raises FwidError where that is an error, or nothing."""
    broken_off = StoreError(f"{doing} ended before its time; nothing was changed")
    try:
        answer = msgspec.json.decode(lines[-1], type=dict[str, Any])
    except (IndexError, msgspec.DecodeError):
        raise broken_off from None
    if "error" in answer:
        raise _KINDS.get(answer.get("code", 4), StoreError)(str(answer["error"]))
    if "outcome" not in answer:
        raise broken_off
    return answer


def work_aside(work: Work, say: Say) -> int:
    """Step aside, work and say what came of it; gives the exit code."""
    step_aside()
    try:
        record = work(lambda stage: say({"stage": stage}))
    except FwidError as error:
        say({"error": str(error), "code": error.exit_code})
        return error.exit_code
    say(record)
    return 0


def step_aside() -> None:
    """Run only where nobody else wants the processor; a sandbox may not let it say so."""
    with suppress(OSError):
        os.nice(_NICE)
    if hasattr(os, _IDLE):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def print_line(record: dict[str, Any]) -> None:
    """Print a line of JSON at once."""
    sys.stdout.buffer.write(msgspec.json.encode(record) + b"\n")
    sys.stdout.buffer.flush()

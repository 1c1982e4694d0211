"""A process of its own that refines a store's network, and steps aside for everything else.

It prints a line for each stage, `{"stage": ...}`, and at last the record of the attempt, or
`{"error": ..., "code": ...}`.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from fwid_agent.errors import FwidError, ModelError, StoreError, UsageError
from fwid_agent.model.shelf import Attempt
from fwid_agent.refine.run import refine_store

_KINDS = {kind.exit_code: kind for kind in (ModelError, StoreError, UsageError)}
_BROKEN_OFF = "refining ended before its time; nothing was changed"


def command(store: Path, unit_s: int, *, dry_run: bool) -> list[str]:
    """Write the command that starts the process."""
    words = [sys.executable, "-m", "fwid_agent.refine.worker", str(store), str(unit_s)]
    return [*words, "dry-run"] if dry_run else words


def environment() -> dict[str, str]:
    """Return what it is started in: threads that wait for each other are no way to step aside."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def read_answer(lines: Sequence[bytes]) -> Attempt:
    """Read what it printed last; raises FwidError where that is an error, or nothing."""
    try:
        answer = msgspec.json.decode(lines[-1], type=dict[str, Any])
    except (IndexError, msgspec.DecodeError):
        raise StoreError(_BROKEN_OFF) from None
    if "error" in answer:
        raise _KINDS.get(answer.get("code", 4), StoreError)(str(answer["error"]))
    if "outcome" not in answer:
        raise StoreError(_BROKEN_OFF)
    return answer


def main(arguments: Sequence[str], say: Callable[[dict[str, Any]], object]) -> int:
    """Refine; gives the exit code."""
    store, unit_s, *rest = arguments
    _step_aside()
    try:
        attempt = refine_store(
            Path(store),
            int(unit_s),
            time.time_ns(),
            lambda stage: say({"stage": stage}),
            dry_run="dry-run" in rest,
        )
    except FwidError as error:
        say({"error": str(error), "code": error.exit_code})
        return error.exit_code
    say(attempt)
    return 0


def _step_aside() -> None:
    """Run only where nobody else wants the processor; a sandbox may not let it say so."""
    with suppress(OSError):
        os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _print(record: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(record) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _print))

"""A process of its own that refines a store's network (aside)."""

import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fwid_agent.aside import Say, print_line, work_aside
from fwid_agent.aside import command as command_of
from fwid_agent.refine.run import refine_store


def command(store: Path, unit_s: int, *, dry_run: bool) -> list[str]:
    """Write the command that starts the process."""
    rest = ["dry-run"] if dry_run else []
    return command_of("fwid_agent.refine.worker", store, unit_s, *rest)


def main(arguments: Sequence[str], say: Say) -> int:
    """Refine; gives the exit code."""
    store, unit_s, *rest = arguments
    refine = partial(
        refine_store, Path(store), int(unit_s), time.time_ns(), dry_run="dry-run" in rest
    )
    return work_aside(lambda on_stage: refine(on_stage=on_stage), say)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], print_line))

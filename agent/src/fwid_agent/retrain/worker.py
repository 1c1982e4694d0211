"""A process of its own that retrains a store's model (aside)."""

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from fwid_agent.aside import Say, print_line, work_aside
from fwid_agent.aside import command as command_of
from fwid_agent.retrain.run import Wish, retrain_store

_MOST_CPU_S = 600  # no training is stopped in the middle: the kernel ends one that never ends


def command(store: Path, unit_s: int, wish: Wish) -> list[str]:
    """Write the command that starts the process."""
    asked = msgspec.json.encode(wish).decode()
    return command_of("fwid_agent.retrain.worker", store, unit_s, asked)


def main(arguments: Sequence[str], say: Say) -> int:
    """Retrain; gives the exit code."""
    store, unit_s, asked = arguments
    wish = msgspec.json.decode(asked, type=Wish)
    return work_aside(
        lambda on_stage: retrain_store(Path(store), int(unit_s), time.time_ns(), wish, on_stage),
        say,
    )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    sys.exit(main(sys.argv[1:], print_line))

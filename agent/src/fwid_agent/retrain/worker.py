"""A process of its own that retrains a store's model (aside)."""

import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from fwid_agent.aside import Say, print_line, work_aside
from fwid_agent.retrain.asked import Wish
from fwid_agent.retrain.run import retrain_store

_MOST_CPU_S = 600  # no forest is stopped in the middle: the kernel ends one that never ends


def main(arguments: Sequence[str], say: Say) -> int:
    """Retrain; gives the exit code."""
    store, unit_s, now_ns, asked = arguments
    wish = msgspec.json.decode(asked, type=Wish)
    return work_aside(
        lambda on_stage: retrain_store(Path(store), int(unit_s), int(now_ns), wish, on_stage), say
    )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_S, _MOST_CPU_S))
    sys.exit(main(sys.argv[1:], print_line))

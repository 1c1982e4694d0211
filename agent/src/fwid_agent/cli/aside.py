"""What takes long, asked of the running agent or else of a process that steps aside."""

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fwid_agent.aside import environment, read_answer
from fwid_agent.cli.options import store_path
from fwid_agent.cli.output import err, say
from fwid_agent.errors import UsageError
from fwid_agent.model.shelf import Attempt, Shelf
from fwid_agent.service.local import ask_agent

_ASK_S = 0.5
_DONE = {"accepted": "accepted", "kept": "not used"}
_WOULD_BE = {"accepted": "would be accepted", "kept": "would not be used"}


def find_store(store: str | None, *, dry_run: bool, roll_back: bool) -> Path:
    """Return the store that is meant; raises UsageError where there is none to work on so."""
    path = store_path(store).absolute()
    if not path.exists():
        raise UsageError(f"{path}: no store there; `fwid run` or `fwid replay --store` makes one")
    if roll_back and dry_run:
        raise UsageError("--roll-back: cannot be tried; leave --dry-run out")
    return path


def ask_and_wait(path: Path, asked: dict[str, Any], standing: str, doing: str) -> Attempt | None:
    """Have the running agent do it, and wait until it has; None where none runs.

    Args:
        path: the agent's store.
        asked: what starts it.
        standing: what to ask how it stands.
        doing: what is shown meanwhile.

    """
    if ask_agent(path, asked) is None:
        return None
    with err.status(doing):
        while answer := ask_agent(path, {"do": standing}):
            if not answer["running"]:
                attempt: Attempt = answer["attempt"]
                return attempt
            time.sleep(_ASK_S)
    raise UsageError(f"{path}: the agent was stopped meanwhile; nothing was changed")


def run_aside(command: Sequence[str], doing: str) -> Attempt:
    """Do it on a store that no agent runs on, in a process that steps aside."""
    with err.status(doing):
        done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=False)
    return read_answer(done.stdout.splitlines(), doing)


def roll_back_shelf(path: Path, asked: str, shelf: Callable[[Path], Shelf]) -> int | None:
    """Use the model before, by the running agent where one runs; gives its number."""
    answer = ask_agent(path, {"do": asked})
    if answer is None:
        kept = shelf(path)
        with kept.alone():
            return kept.roll_back()
    number: int | None = answer["model"]
    return number


def say_outcome(attempt: Attempt) -> None:
    """Say in a line whether what came of it is used, and why not."""
    words = (_WOULD_BE if attempt["dry_run"] else _DONE)[attempt["outcome"]]
    reason = f": {attempt['reason']}" if attempt["reason"] else ""
    say(f"{words}{reason}")


def say_cost(attempt: Attempt, of: str = "") -> None:
    """Say in a line what it was made of, and what it took."""
    say(
        f"  {of}{attempt['devices']} devices, {attempt['days']} days; "
        f"{attempt['seconds']:.1f} s, of the processor {attempt['cpu_s']:.1f} s, "
        f"{attempt['peak_mb']:.0f} MB"
    )

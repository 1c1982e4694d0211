"""`fwid refine`: the network's last layers, refined on the household's own devices."""

import subprocess
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from fwid_agent.aside import environment, read_answer
from fwid_agent.cli.options import ConfigFile, Json, Store, read_config, store_path
from fwid_agent.cli.output import err, print_json, say
from fwid_agent.errors import UsageError
from fwid_agent.service.local import ask_agent

_ASK_S = 0.5


def refine(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it, and change nothing.")
    ] = False,
    roll_back: Annotated[
        bool, typer.Option("--roll-back", help="Use the network before, and not the latest one.")
    ] = False,
    store: Store = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Refine the network on what the devices at home do; what makes it worse is not used.

    Examples:

      fwid refine

      fwid refine --dry-run --store home.db

      fwid refine --roll-back

    """
    path = store_path(store).absolute()
    if not path.exists():
        raise UsageError(f"{path}: no store there; `fwid run` or `fwid replay --store` makes one")
    if roll_back:
        if dry_run:
            raise UsageError("--roll-back: cannot be tried; leave --dry-run out")
        _print_network(_roll_back(path), json=json)
        return
    attempt = _ask(path, dry_run=dry_run)
    if attempt is None:
        attempt = _refine(path, read_config(config).unit_s, dry_run=dry_run)
    if json:
        print_json(attempt)
    else:
        _print_attempt(attempt)


def _ask(path: Path, *, dry_run: bool) -> dict[str, Any] | None:
    """Have the running agent refine, and wait until it has; None where none runs."""
    if ask_agent(path, {"do": "refine", "dry_run": dry_run}) is None:
        return None
    with err.status("refining"):
        while answer := ask_agent(path, {"do": "refinement"}):
            if not answer["running"]:
                attempt: dict[str, Any] = answer["attempt"]
                return attempt
            time.sleep(_ASK_S)
    raise UsageError(f"{path}: the agent was stopped meanwhile; nothing was changed")


def _refine(path: Path, unit_s: int, *, dry_run: bool) -> dict[str, Any]:
    """Refine a store that no agent runs on, in a process that steps aside."""
    from fwid_agent.refine.worker import command  # noqa: PLC0415 - scipy is slow to load

    asked = command(path, unit_s, dry_run=dry_run)
    with err.status("refining"):
        done = subprocess.run(asked, env=environment(), stdout=subprocess.PIPE, check=False)
    return read_answer(done.stdout.splitlines(), "refining")


def _roll_back(path: Path) -> int | None:
    answer = ask_agent(path, {"do": "roll_back"})
    if answer is None:
        from fwid_agent.model.history import History  # noqa: PLC0415

        history = History(path)
        with history.alone():
            return history.roll_back()
    number: int | None = answer["model"]
    return number


def _print_network(number: int | None, *, json: bool) -> None:
    if json:
        print_json({"model": number})
    else:
        say(f"in use: {_name(number)}")


def _print_attempt(attempt: dict[str, Any]) -> None:
    if attempt["rolled_back"]:
        say(f"rolled back: {attempt['rolled_back']}")
    if attempt["outcome"] == "too_little":
        say(attempt["reason"])
        return
    done = {"accepted": "accepted", "kept": "not used"}
    wanted = {"accepted": "would be accepted", "kept": "would not be used"}
    words = (wanted if attempt["dry_run"] else done)[attempt["outcome"]]
    reason = f": {attempt['reason']}" if attempt["reason"] else ""
    say(f"{words}{reason}")
    before, after = attempt["before"], attempt["after"]
    say("  on the newest days, which it has not learnt from:")
    say(f"  made-up software told from days as they were: {before['auc']:.3f} → {after['auc']:.3f}")
    say(
        f"  days as they were that would pass as software: {before['alarms']} → {after['alarms']} "
        f"of {after['alike']}"
    )
    say(
        f"  {attempt['devices']} devices, {attempt['days']} days; "
        f"{attempt['seconds']:.1f} s, of the processor {attempt['cpu_s']:.1f} s, "
        f"{attempt['peak_mb']:.0f} MB"
    )
    if not attempt["dry_run"]:
        say(f"in use: {_name(attempt['model'])}")


def _name(number: int | None) -> str:
    return "the network that came with the agent" if number is None else f"refined network {number}"

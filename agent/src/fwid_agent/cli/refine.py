"""`fwid refine`: the network's last layers, refined on the household's own devices."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fwid_agent.cli.aside import (
    ask_and_wait,
    find_store,
    roll_back_shelf,
    run_aside,
    say_cost,
    say_outcome,
)
from fwid_agent.cli.options import ConfigFile, Json, Store, read_config
from fwid_agent.cli.output import print_json, say
from fwid_agent.model.shelf import Shelf


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
    path = find_store(store, dry_run=dry_run, roll_back=roll_back)
    if roll_back:
        _print_network(_roll_back(path), json=json)
        return
    asked = {"do": "refine", "dry_run": dry_run}
    attempt = ask_and_wait(path, asked, "refinement", "refining")
    if attempt is None:
        attempt = _refine(path, read_config(config).unit_s, dry_run=dry_run)
    if json:
        print_json(attempt)
    else:
        _print_attempt(attempt)


def _refine(path: Path, unit_s: int, *, dry_run: bool) -> dict[str, Any]:
    """Refine a store that no agent runs on, in a process that steps aside."""
    from fwid_agent.refine.worker import command  # noqa: PLC0415 - scipy is slow to load

    asked = command(path, unit_s, dry_run=dry_run)
    return run_aside(asked, "refining")


def _roll_back(path: Path) -> int | None:
    def load(path: Path) -> Shelf:
        from fwid_agent.model.history import History  # noqa: PLC0415 - slow to load

        return History(path)

    return roll_back_shelf(path, "roll_back", load)


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
    say_outcome(attempt)
    before, after = attempt["before"], attempt["after"]
    say("  on the newest days, which it has not learnt from:")
    say(f"  made-up software told from days as they were: {before['auc']:.3f} → {after['auc']:.3f}")
    say(
        f"  days as they were that would pass as software: {before['alarms']} → {after['alarms']} "
        f"of {after['alike']}"
    )
    say_cost(attempt)
    if not attempt["dry_run"]:
        say(f"in use: {_name(attempt['model'])}")


def _name(number: int | None) -> str:
    return "the network that came with the agent" if number is None else f"refined network {number}"

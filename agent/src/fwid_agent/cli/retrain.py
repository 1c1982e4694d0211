"""`fwid retrain`: the model that identifies devices, trained on the household's own."""

import time
from enum import StrEnum
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

_MOST_FROZEN = 3


class TypeName(StrEnum):
    """What can be trained."""

    FOREST = "forest"
    TREE = "tree"
    FC = "fc"
    CONV1D = "conv1d"


def retrain(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come of it, and change nothing.")
    ] = False,
    roll_back: Annotated[
        bool, typer.Option("--roll-back", help="Use the model before, and not the latest one.")
    ] = False,
    model: Annotated[
        TypeName | None,
        typer.Option("--model", help="What is trained: a forest, or fc without scikit-learn."),
    ] = None,
    frozen: Annotated[
        int,
        typer.Option(
            metavar="LAYERS", min=0, max=_MOST_FROZEN, help="First layers that stay as they are."
        ),
    ] = 0,
    believe_labels: Annotated[
        bool,
        typer.Option("--believe-labels", help="What devices are said to be is right as it is."),
    ] = False,
    store: Store = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Learn what the devices at home behave like; a model that is worse is not used.

    Examples:

      fwid retrain

      fwid retrain --dry-run --model fc

      fwid retrain --roll-back

    """
    path = find_store(store, dry_run=dry_run, roll_back=roll_back)
    if roll_back:
        _print_model(_roll_back(path), json=json)
        return
    wish = {
        "kind": model and model.value,
        "frozen": frozen,
        "believe": believe_labels,
        "dry_run": dry_run,
    }
    attempt = ask_and_wait(path, {"do": "retrain", "wish": wish}, "retraining", "retraining")
    if attempt is None:
        attempt = _retrain(path, read_config(config).unit_s, wish)
    if json:
        print_json(attempt)
    else:
        _print_attempt(attempt)


def _retrain(path: Path, unit_s: int, wish: dict[str, Any]) -> dict[str, Any]:
    """Retrain a store's model that no agent runs on, in a process that steps aside."""
    from fwid_agent.retrain.asked import Wish, command  # noqa: PLC0415 - slow to load

    asked = command(path, unit_s, time.time_ns(), Wish(**wish))
    return run_aside(asked, "retraining")


def _roll_back(path: Path) -> int | None:
    def load(path: Path) -> Shelf:
        from fwid_agent.identify.kept import Identifiers  # noqa: PLC0415 - slow to load

        return Identifiers(path)

    return roll_back_shelf(path, "roll_back_identifier", load)


def _print_model(number: int | None, *, json: bool) -> None:
    if json:
        print_json({"model": number})
    else:
        say(f"in use: {_name(number)}")


def _print_attempt(attempt: dict[str, Any]) -> None:
    if attempt["outcome"] == "too_little":
        say(attempt["reason"])
        return
    say_outcome(attempt)
    before, after, all_ = attempt["before"], attempt["after"], attempt["all"]
    say("  on the newest day, which it has not learnt from:")
    say(f"  devices named rightly: {all_['right']} of {all_['days']}, wrongly: {all_['wrong']}")
    if before["days"]:
        say(
            f"  of those that the model in use knows: {before['right']} → {after['right']} of "
            f"{after['days']}; macro-F1 of flows {before['macro_f1']:.3f} → {after['macro_f1']:.3f}"
        )
    for doubted in attempt["doubted"]:
        say(
            f"  {doubted['device']} is called {doubted['label']} and behaves like "
            f"{doubted['behaves_like']}; if its name is right: fwid retrain --believe-labels"
        )
    if attempt["flooded"]:
        say(f"  days left out, for a device had many times its usual flows: {attempt['flooded']}")
    say_cost(attempt, f"{attempt['type']}: ")
    if not attempt["dry_run"]:
        say(f"in use: {_name(attempt['model'])}")


def _name(number: int | None) -> str:
    return (
        "the model that came with the agent" if number is None else f"model {number} of this home"
    )

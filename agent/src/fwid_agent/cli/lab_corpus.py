"""`fwid lab corpus`: makes the corpus."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, print_json, say


def corpus(
    target: Annotated[
        str | None, typer.Argument(metavar="[FOLDER]", help="Folder that the corpus goes to.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Seed of every random choice.")] = 1,
    days: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=3, max=1000, help="Days of each device: 20.")
    ] = None,
    day: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=10, help="Length of a day: 180.")
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this device; may be repeated.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Three devices and five days of 12 s, to see it work.")
    ] = False,
    homes: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, help="How many days are made at once.")
    ] = 4,
    handshakes: Annotated[
        bool,
        typer.Option(help="Whether ClientHello, DNS, DHCP and announcements are kept whole."),
    ] = True,
    json: Json = False,
) -> None:
    """Make a corpus: real device software in changing versions, captured day by day.

    Needs root, for network namespaces of its own. What is there already is kept: run it again to go
    on where it ended. Without FOLDER the corpus goes to the user's cache folder.

    Examples:

      fwid lab corpus

      fwid lab corpus captures/ --seed 2

      fwid lab corpus /tmp/short --quick

    """
    from fwid_agent.lab.corpus.make import make_corpus  # noqa: PLC0415 - research only
    from fwid_agent.lab.corpus.order import Wish, choose_order  # noqa: PLC0415

    wish = Wish(seed, days, day, tuple(device or ()), quick, handshakes, homes)
    order = choose_order(wish, Path(target) if target else None)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("days", total=order.days)
        made = make_corpus(
            order,
            on_day=lambda done: bar.update(task, completed=done),
            on_note=lambda words: err.print(f"• {words}"),
        )
    if json:
        print_json({"out": str(order.target), "devices": len(order.devices), "made": made})
        return
    say(f"{made} device-days made, {len(order.devices)} devices, {order.days} days")
    say(f"the corpus is in {order.target}")

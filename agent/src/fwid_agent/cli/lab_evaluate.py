"""`fwid lab evaluate`: the detectors side by side on a labelled corpus."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, make_table, out, print_json


def evaluate(
    corpus: Annotated[str, typer.Argument(help="Folder with labels.csv and DEVICE/FILE.")],
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 1,
    http: Annotated[
        bool, typer.Option(help="Whether HTTP counts; without it downloads do not.")
    ] = True,
    json: Json = False,
) -> None:
    """Compare the detectors, one vendor left out of training at a time.

    Examples:

      fwid lab evaluate captures/

      fwid lab evaluate captures/ --no-http --json

    """
    from fwid_agent.lab.corpora import load_corpus  # noqa: PLC0415 - research only
    from fwid_agent.lab.evaluate import (  # noqa: PLC0415
        evaluate as run,
    )
    from fwid_agent.lab.evaluate import summarise, to_record, without_http  # noqa: PLC0415

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        devices = load_corpus(Path(corpus), lambda name: bar.advance(task))
        if not http:
            devices = [without_http(device) for device in devices]
        scored = run(
            devices,
            seed,
            lambda what, done, total: bar.update(
                task, description=what, completed=done, total=total
            ),
        )
    results = summarise(scored, seed)
    if json:
        print_json(to_record(results, scored))
        return
    table = make_table("method", "stable right", "changed found", "unverified calm", ">AUC")
    for result in results:
        table.add_row(
            result.method,
            str(result.stable),
            str(result.changed),
            str(result.unverified),
            f"{result.auc:.2f}",
        )
    out.print(table)

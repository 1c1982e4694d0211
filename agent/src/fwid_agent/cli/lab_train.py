"""`fwid lab train`: make the models that are shipped."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.output import err, out
from fwid_agent.errors import UsageError


def train(
    corpus: Annotated[str, typer.Argument(help="Folder with labels.csv and DEVICE/FILE.")],
    target: Annotated[str, typer.Option("--out", help="Folder that the models go to.")],
    hold_out: Annotated[
        str, typer.Option(help="Vendor whose devices are left out and measured on.")
    ] = "D-Link",
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 1,
) -> None:
    """Train the prior and both twin networks on a labelled corpus.

    Examples:

      fwid lab train captures/ --out models/ --seed 1

    """
    from fwid_agent.lab.corpora import load_corpus  # noqa: PLC0415 - research only
    from fwid_agent.lab.train import held_out_metrics, save, split_devices  # noqa: PLC0415
    from fwid_agent.lab.train import train as run  # noqa: PLC0415

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        tasks = {"reading": bar.add_task("reading", total=None)}
        devices = load_corpus(Path(corpus), lambda name: bar.advance(tasks["reading"]))
        rest, held = split_devices(devices, hold_out)
        if not rest or not held:
            raise UsageError(f"{corpus}: needs devices of {hold_out!r} and of others")

        def on_step(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done)

        trained = run(rest, seed, on_step)
        metrics = held_out_metrics(trained, held)
    save(trained, metrics, Path(target))
    out.print(f"trained on {len(rest)} devices, measured on {len(held)} held out ({hold_out})")
    for name, value in metrics.items():
        out.print(f"  {name}: {value:.4g}")
    out.print(f"models are in {target}")

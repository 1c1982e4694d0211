"""`fwid lab`: research, with the extra `lab`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, make_table, out, print_json, say
from fwid_agent.errors import UsageError

if TYPE_CHECKING:
    from fwid_agent.lab.evaluate import MethodResult

app = typer.Typer(
    help="Research: training and evaluation. Needs the extra `lab`.", no_args_is_help=True
)


@app.command()
def train(
    corpus: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Folder with labels.csv and DEVICE/FILE.")
    ],
    target: Annotated[
        str, typer.Option("--out", metavar="FOLDER", help="Folder that the models go to.")
    ],
    hold_out: Annotated[
        str,
        typer.Option(metavar="VENDOR", help="Vendor whose devices are left out and measured on."),
    ] = "D-Link",
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Seed of every random choice.")] = 1,
    json: Json = False,
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
    if json:
        print_json(
            {"out": target, "trained_on": len(rest), "held_out": len(held), "metrics": metrics}
        )
        return
    say(f"trained on {len(rest)} devices, measured on {len(held)} held out ({hold_out})")
    for name, value in metrics.items():
        say(f"  {name}: {value:.4g}")
    say(f"models are in {target}")


@app.command()
def evaluate(
    corpus: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Folder with labels.csv and DEVICE/FILE.")
    ],
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Seed of every random choice.")] = 1,
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
    from fwid_agent.lab.evaluate import evaluate as run  # noqa: PLC0415
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
    for protocol in dict.fromkeys(result.protocol for result in results):
        say(f"{protocol}:")
        _print_results([result for result in results if result.protocol == protocol])


def _print_results(results: "list[MethodResult]") -> None:
    table = make_table(
        "method",
        "stable right",
        "changed found",
        "unverified calm",
        "mixed found",
        ">AUC",
        ">AUC, unverified as stable",
    )
    for result in results:
        table.add_row(
            result.method,
            str(result.stable),
            str(result.changed),
            str(result.unverified),
            f"{result.mixed.hits}/{result.mixed.total}",
            f"{result.auc:.2f}",
            f"{result.auc_assumed:.2f}",
        )
    out.print(table)

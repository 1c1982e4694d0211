"""`fwid lab train-identifier`: make what comes with the agent to identify devices by."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, say
from fwid_agent.errors import UsageError


def train_identifier(
    captures: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Folder with labels.csv and DEVICE/FILE.")
    ],
    target: Annotated[
        str, typer.Option("--out", metavar="FOLDER", help="Where the models are written.")
    ],
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Seed of the training.")] = 1,
    json: Json = False,
) -> None:
    """Train the model of real devices, and make the networks that are trained at home.

    The captures are IoT SENTINEL's: which of its devices are one family stands in the code.

    Examples:

      fwid lab train-identifier captures/iot-sentinel --out identify/

    """
    from fwid_agent.lab.identification.samples import Reading, load_home  # noqa: PLC0415 - research
    from fwid_agent.lab.identification.shipped import train_shipped, write_models  # noqa: PLC0415

    folder = Path(target)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        home = load_home(
            Path(captures),
            Reading(per_file=True),
            lambda name: bar.update(task, description=name),
        )
        try:
            model, metrics = train_shipped(home, seed)
        except ValueError as error:
            raise UsageError(f"{captures}: {error}") from error
        sizes = write_models(
            model, metrics, folder, lambda name: bar.update(task, description=name)
        )
    for name, size in sizes.items():
        say(f"{folder / name}: {size:,} bytes")
    for name, value in metrics.items():
        say(f"{name.replace('_', ' ')}: {value:.0f}")

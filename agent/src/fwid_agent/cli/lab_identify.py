"""`fwid lab identify`: how well devices are identified, and for how long."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.options import Json, Unit, UnitName, read_duration
from fwid_agent.cli.output import err, make_table, out, print_json, say
from fwid_agent.errors import UsageError

if TYPE_CHECKING:
    from fwid_agent.lab.identification.study import Study


def identify(
    homes: Annotated[
        list[str],
        typer.Argument(metavar="HOME...", help="Folders with labels.csv; the first is home."),
    ],
    target: Annotated[
        str | None,
        typer.Option("--out", metavar="FOLDER", help="Folder that tables and figures go to."),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this part of the study; may be repeated."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this kind of model; may be repeated."),
    ] = None,
    epochs: Annotated[
        int, typer.Option(metavar="NUMBER", min=1, help="Epochs that networks are trained for.")
    ] = 60,
    idle_timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="Pause that ends a flow.")
    ] = "120s",
    active_timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="Age at which a flow is cut.")
    ] = "30m",
    unit: Unit = UnitName.DAY,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Dask scheduler that captures are read on."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="NUMBER", help="Seed of every random choice.")] = 1,
    json: Json = False,
) -> None:
    """Train on some days and ask about later ones, other uses and other homes.

    Examples:

      fwid lab identify captures/ --out study/

      fwid lab identify home-a/ home-b/ --model forest --model fc --part horizon --part sites

    """
    from fwid_agent.lab.identification.experiments import Options  # noqa: PLC0415 - research only
    from fwid_agent.lab.identification.figures import draw_figures  # noqa: PLC0415
    from fwid_agent.lab.identification.models import KINDS  # noqa: PLC0415
    from fwid_agent.lab.identification.samples import Reading, Timeouts, load_home  # noqa: PLC0415
    from fwid_agent.lab.identification.study import PARTS, run_study  # noqa: PLC0415
    from fwid_agent.lab.identification.tables import to_record, write_tables  # noqa: PLC0415

    parts, kinds = _chosen("--part", part, PARTS), _chosen("--model", model, KINDS)
    timeouts = Timeouts(read_duration(idle_timeout), read_duration(active_timeout))
    reading = Reading(timeouts, unit is UnitName.FILE, cluster)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        read = [
            load_home(Path(home), reading, lambda name: bar.update(task, description=name))
            for home in homes
        ]
        options = Options(kinds, epochs, seed)
        for study in run_study(
            read, parts, options, lambda what: bar.update(task, description=what, advance=1)
        ):
            # After each part: a study takes long, and may be ended before its time.
            written = write_tables(study, Path(target)) if target else []
    written += draw_figures(study, Path(target)) if target else []
    if json:
        print_json(to_record(study))
        return
    _print(study)
    if written:
        say(f"{len(written)} tables and figures are in {target}")


def _chosen(option: str, named: list[str] | None, all_: tuple[str, ...]) -> tuple[str, ...]:
    wrong = [name for name in named or () if name not in all_]
    if wrong:
        raise UsageError(f"{option} {wrong[0]}: there are {', '.join(all_)}")
    return tuple(name for name in all_ if not named or name in named)


def _print(study: "Study") -> None:
    for name, devices, days, flows in study.homes:
        say(f"{name}: {devices} devices, {days} days, {flows:,} flows")
    table = make_table("published", "here", "by")
    for claim in study.claims:
        table.add_row(claim.published, claim.verdict, claim.numbers)
    out.print(table)

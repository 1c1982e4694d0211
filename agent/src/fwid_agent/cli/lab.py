"""`fwid lab`: research, with the extra `lab`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.lab_corpus import corpus
from fwid_agent.cli.lab_evaluate import evaluate, print_hard_days
from fwid_agent.cli.lab_identify import identify
from fwid_agent.cli.lab_refine import refine
from fwid_agent.cli.lab_train_identifier import train_identifier
from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, make_table, out, print_json, say
from fwid_agent.errors import UsageError

if TYPE_CHECKING:
    from fwid_agent.lab.noticed import Noticed

app = typer.Typer(
    help="Research: training and evaluation. Needs the extra `lab`.", no_args_is_help=True
)
app.command()(corpus)
app.command()(refine)
app.command()(train_identifier)
app.command()(evaluate)
app.command()(identify)


@app.command()
def train(
    corpora: Annotated[
        list[str],
        typer.Argument(metavar="FOLDER...", help="Folders with labels.csv and DEVICE/FILE."),
    ],
    target: Annotated[
        str, typer.Option("--out", metavar="FOLDER", help="Folder that the models go to.")
    ],
    hold_out: Annotated[
        str | None,
        typer.Option(
            metavar="FAMILY",
            help="Vendor, or kind of made device, that is left out and measured on; "
            "D-Link where there is any, else the smallest of several devices.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, help="Seed of every random choice.")
    ] = 1,
    json: Json = False,
) -> None:
    """Train the prior and both twin networks on labelled corpora.

    Examples:

      fwid lab train captures/ --out models/ --seed 1

      fwid lab train captures/ ~/.cache/fwid/corpus/seed-1 --out models/

      fwid lab train ~/.cache/fwid/corpus/seed-1 --out models/ --hold-out Python

    """
    from fwid_agent.lab.extract import Reading  # noqa: PLC0415 - research only
    from fwid_agent.lab.present import choose_held, read_days  # noqa: PLC0415
    from fwid_agent.lab.train import held_out_metrics, save  # noqa: PLC0415
    from fwid_agent.lab.train import train as run  # noqa: PLC0415

    try:  # before minutes are spent on what could not be kept
        Path(target).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        tasks = {"reading": bar.add_task("reading", total=None)}
        folders = [Path(corpus) for corpus in corpora]
        members = read_days(folders, Reading(), lambda name: bar.advance(tasks["reading"]))
        family = choose_held(members, hold_out)
        rest = [member.device for member in members if member.family != family]
        held = [member.device for member in members if member.family == family]

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
    say(f"trained on {len(rest)} devices, measured on {len(held)} held out ({family})")
    for name, value in metrics.items():
        say(f"  {name}: {value:.4g}")
    say(f"models are in {target}")


@app.command()
def days(
    corpora: Annotated[
        list[str],
        typer.Argument(metavar="FOLDER...", help="Folders with labels.csv and DEVICE/FILE."),
    ],
    learning: Annotated[
        int, typer.Option(metavar="DAYS", min=2, help="Days that are learnt before any is judged.")
    ] = 3,
    rate: Annotated[
        float,
        typer.Option(
            metavar="NUMBER", min=0.001, max=300, help="False alarms per device-year to aim at."
        ),
    ] = 0.1,
    simulate: Annotated[
        int,
        typer.Option(
            metavar="YEARS",
            min=0,
            help="Watch device-years of captures drawn anew instead, unchanged.",
        ),
    ] = 0,
    handshakes: Annotated[
        bool, typer.Option("--handshakes", help="Read handshakes too, where the captures have any.")
    ] = False,
    json: Json = False,
) -> None:
    """Judge devices day by day, as an agent does, and count what a home would have noticed.

    Devices whose version is known on every day count. A change is visible where an oracle that
    knows the labels and all days tells both versions apart; of several folders it takes devices of
    one name for the same device.

    Examples:

      fwid lab days corpus/ --learning 3

      fwid lab days corpus/ --handshakes

    """
    from fwid_agent.core.evidence import Judge  # noqa: PLC0415 - research only
    from fwid_agent.lab.daily import run_daily  # noqa: PLC0415
    from fwid_agent.lab.extract import Reading  # noqa: PLC0415
    from fwid_agent.lab.noticed import DAYS_A_YEAR, look_for, summarise, to_record  # noqa: PLC0415
    from fwid_agent.lab.present import kin_of, read_days  # noqa: PLC0415
    from fwid_agent.lab.resample import run_years  # noqa: PLC0415
    from fwid_agent.pipeline.models import load_model, load_prior  # noqa: PLC0415

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        members = read_days(
            [Path(corpus) for corpus in corpora],
            Reading(handshakes=handshakes),
            lambda name: bar.advance(task),
        )
        devices = [member.device for member in members]
        judge = Judge(load_prior(), load_model(), rate / DAYS_A_YEAR)
        if simulate:
            outcomes = list(run_years(devices, judge, learning, simulate, seed=1))
        else:
            outcomes = list(run_daily(devices, judge, learning))
        if not outcomes:
            raise UsageError(f"{', '.join(corpora)}: no device has a version on each of its days")
        kin = {member.device.name: kin_of(member, members) for member in members}
        seen = look_for(outcomes, devices, kin)
    noticed = summarise(outcomes, seen)
    if json:
        print_json(to_record(noticed, outcomes, seen))
        return
    _print_noticed(noticed)


def _print_noticed(noticed: "Noticed") -> None:
    alarms, most = noticed.alarms, noticed.alarms.interval()[1]
    say(
        f"{noticed.devices} devices: {alarms.events} false alarms in {alarms.time:.2f} "
        f"device-years (at most {most:.2f} a device-year)"
    )
    say(f"visible changes told: {noticed.told}; invisible ones: {noticed.told_invisible}")
    if noticed.delay_median is not None:
        say(f"told after {noticed.delay_median:.1f} days (median), {noticed.delay_90:.1f} (90 %)")
        table = make_table("visible changes", "told")
        for name, count in {**noticed.by_change, **noticed.by_update}.items():
            table.add_row(name or "of unknown kind", str(count))
        out.print(table)
    print_hard_days(noticed)

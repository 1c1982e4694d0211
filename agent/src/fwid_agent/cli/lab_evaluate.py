"""`fwid lab evaluate`: the bench of the detectors."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, make_table, out, print_json, say
from fwid_agent.errors import UsageError

if TYPE_CHECKING:
    from fwid_agent.lab.bench_run import Bench, Header
    from fwid_agent.lab.bench_tables import Tables
    from fwid_agent.lab.counting import Rate
    from fwid_agent.lab.evaluate import MethodResult
    from fwid_agent.lab.noticed import Noticed


def evaluate(
    corpora: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FOLDER]...", help="Folders with labels.csv and DEVICE/FILE."),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--out", metavar="FOLDER", help="Folder for results and plots.")
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="NUMBER", min=0, help="Seed of every random choice.")
    ] = 1,
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
        typer.Option(metavar="YEARS", min=0, help="Also watch device-years of days drawn anew."),
    ] = 0,
    http: Annotated[
        bool, typer.Option(help="Whether HTTP counts; without it downloads do not.")
    ] = True,
    handshakes: Annotated[
        bool, typer.Option("--handshakes", help="Read handshakes too, where the captures have any.")
    ] = False,
    shipped: Annotated[
        bool,
        typer.Option("--shipped", help="The models as shipped, instead of some without each fold."),
    ] = False,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="As --shipped, with two folds and few levels, to see it work."
        ),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="NUMBER", min=1, help="Processes; as many as cores.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Dask scheduler that reads captures.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare the detectors on every corpus that is here, with devices they have never seen.

    Without FOLDER these are the captures beside the checkout and all that `fwid lab corpus` made.
    What was read and trained before is kept in the cache folder and not done again.

    Examples:

      fwid lab evaluate --out results/

      fwid lab evaluate captures/ --no-http --json

      fwid lab evaluate tests/data/made-corpus --quick

    """
    from fwid_agent.lab.bench_record import make_record, write_record  # noqa: PLC0415 - research
    from fwid_agent.lab.bench_run import run_bench  # noqa: PLC0415
    from fwid_agent.lab.bench_tables import tabulate  # noqa: PLC0415
    from fwid_agent.lab.extract import Reading  # noqa: PLC0415
    from fwid_agent.lab.fold_run import Ask  # noqa: PLC0415
    from fwid_agent.lab.present import find_corpora, leave_out_http, read_corpora  # noqa: PLC0415

    folders = [Path(folder) for folder in corpora or ()] or find_corpora()
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        reading = Reading(handshakes=handshakes, cluster=cluster)
        found = read_corpora(folders, reading, lambda name: bar.advance(task))
        if not http:
            found = [leave_out_http(corpus) for corpus in found]
        ask = Ask(
            seed,
            learning,
            rate,
            handshakes=handshakes,
            shipped=shipped or quick,
            years=simulate,
            quick=quick,
        )
        bench = run_bench(
            found,
            ask,
            jobs or (1 if quick else os.cpu_count() or 1),
            lambda done, total: bar.update(
                task, description="judging", completed=done, total=total
            ),
            folds=2 if quick else None,
        )
        tables = tabulate(bench, seed)
    record = make_record(bench, tables)
    files = []
    if target is not None:
        from fwid_agent.lab.bench_plots import draw_plots  # noqa: PLC0415
        from fwid_agent.lab.bench_words import write_words  # noqa: PLC0415

        try:
            files = [write_record(record, Path(target))]
            files.append(write_words(bench, tables, Path(target)))
            files += draw_plots(bench, tables, Path(target)) if tables else []
        except OSError as error:
            raise UsageError(f"{error.filename}: {error.strerror}") from error
    if json:
        print_json(record)
        return
    _print_bench(bench, tables)
    for file in files:
        say(f"wrote {file}")


def _print_bench(bench: "Bench", tables: "Tables | None") -> None:
    from fwid_agent.lab.bench_record import drift_counts  # noqa: PLC0415 - research only
    from fwid_agent.lab.evaluate import summarise  # noqa: PLC0415

    _print_header(bench.header)
    if tables is not None:
        _print_rows(tables)
        _print_kinds(tables)
        _print_drift(drift_counts(bench))
    for name, folds in (("", bench.folds), ("trained on other corpora only, ", bench.transfers)):
        scored = [each for fold in folds for each in fold.dates]
        results = summarise(scored, bench.header.seed)
        for protocol in dict.fromkeys(result.protocol for result in results):
            say(f"{name}{protocol}:")
            print_methods([result for result in results if result.protocol == protocol])


def _print_header(header: "Header") -> None:
    for name, digest in header.corpora.items():
        say(f"corpus {name}: sha256 {digest[:16]}")
    versions = ", ".join(f"{name} {version}" for name, version in header.versions.items())
    say(f"seed {header.seed}; models {header.models}; {versions}")
    say("handshakes are read" if header.handshakes else "headers only")
    say(f"{header.learning} days learnt, {header.rate:g} false alarms a device-year aimed at")


def _print_rows(tables: "Tables") -> None:
    say(
        f"{tables.visible} changes are visible, {tables.invisible} are not; of "
        f"{tables.too_few.total} the oracle cannot say, for there are too few days"
    )
    table = make_table(
        "detector",
        "stable cases right",
        "changed found",
        "visible found",
        ">AUC",
        "false alarms",
        ">at most a year",
        "visible told",
        ">days",
        "told at the default's alarms",
    )
    for row in tables.rows:
        noticed = row.noticed
        table.add_row(
            row.row,
            str(row.stable),
            f"{row.changed.hits}/{row.changed.total}",
            str(row.changed_visible),
            f"{row.auc:.2f}",
            _rate(noticed.alarms),
            f"{noticed.alarms.interval()[1]:.1f}",
            str(noticed.told),
            _delay(noticed),
            str(row.told_at_default),
        )
    out.print(table)


def _rate(rate: "Rate") -> str:
    return f"{rate.events} in {rate.time:.2f} years"


def _delay(noticed: "Noticed") -> str:
    if noticed.delay_median is None:
        return "-"
    return f"{noticed.delay_median:.3g}, 90 %: {noticed.delay_90:.3g}"


def _print_kinds(tables: "Tables") -> None:
    kinds = tables.kinds
    default = tables.rows[-1].noticed
    table = make_table("the default", "visible told", "false alarms", ">days")
    groups = {
        **{f"corpus {name}": each for name, each in kinds.by_corpus.items()},
        **{f"units of {length:g} days": each for length, each in kinds.by_length.items()},
        **{f"trained elsewhere: {name}": each for name, each in tables.transfers.items()},
    }
    for name, each in groups.items():
        table.add_row(name, str(each.told), _rate(each.alarms), _delay(each))
    for name, count in {**default.by_change, **default.by_update}.items():
        table.add_row(name or "of unknown kind", str(count), "", "")
    out.print(table)
    table = make_table("days in a verdict", "stable right", "changed found", "visible found")
    for images, counts in kinds.by_images.items():
        table.add_row(str(images), *(str(count) for count in counts))
    out.print(table)
    print_hard_days(default)
    if tables.simulated is not None:
        most = tables.simulated.interval()[1]
        say(f"simulated: {_rate(tables.simulated)}, at most {most:.2f} a device-year")


def _print_drift(lines: "list[dict[str, object]]") -> None:
    if not lines:
        return
    table = make_table("drifts", ">share a day", "told as a change", "as other behaviour", ">days")
    for line in lines:
        table.add_row(
            str(line["what"]),
            f"{line['speed']:g}",
            str(line["alarmed"]),
            str(line["different"]),
            "-" if line["days_median"] is None else str(line["days_median"]),
        )
    out.print(table)


def print_hard_days(noticed: "Noticed") -> None:
    """Print false alarms by what happened on the day."""
    table = make_table("days of one version", ">days", ">false alarms")
    for name, each in noticed.alarms_by_hard.items():
        table.add_row(name, f"{each.time:.0f}", f"{each.events}")
    out.print(table)


def print_methods(results: "list[MethodResult]") -> None:
    """Print the detectors on cases of dates."""
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

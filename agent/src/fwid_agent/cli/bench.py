"""`fwid bench`: speed and memory beside other tools."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fwid_agent.cli.files import write_whole
from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, make_table, out, print_json
from fwid_agent.errors import UsageError

if TYPE_CHECKING:
    from fwid_agent.lab.bench import BenchReport

_TOO_NOISY = "too noisy"


def bench(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Captures to repeat.")],
    packets: Annotated[int, typer.Option(metavar="COUNT", help="Packets to measure on.")] = 400_000,
    repeats: Annotated[
        int, typer.Option(metavar="COUNT", help="Runs of each tool; the median counts.")
    ] = 3,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Also draw the figures into this PNG.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure fwid from file to verdicts beside other tools, on one core and one capture.

    Start-up is taken off; rates are of the processor's time, which a busy machine changes least.
    Tools that are not installed are left out and named. Examples:

      fwid bench captures/

      fwid bench captures/ --packets 1000000 --plot bench.png --json

    """
    from fwid_agent.lab.bench import draw, run_bench  # noqa: PLC0415 - only this command needs it

    if packets < 1 or repeats < 1:
        raise UsageError("--packets and --repeats count from 1")
    report = run_bench(paths, packets, repeats, lambda name: err.print(f"{name}: done"))
    if plot:
        write_whole(Path(plot), draw(report))
    if json:
        print_json(asdict(report))
    else:
        _print(report)


def _print(report: "BenchReport") -> None:
    from fwid_agent.lab.judging import HOME_DEVICES  # noqa: PLC0415 - only this command needs it
    from fwid_agent.lab.workloads import LEAST_HOME_DEVICES  # noqa: PLC0415

    out.print(f"{report.machine}, Python {report.python}: {report.packets:,} packets\n")
    columns = "tool", ">packets/s", ">to fwid", ">CPU s", ">whole run s", ">peak MB (PSS)"
    table = make_table(*columns)
    for row in report.rows:
        table.add_row(
            row.name,
            _rate(row.packets_per_s),
            "" if row.ratio is None else f"{row.ratio:.3g}",
            "" if row.cpu_seconds is None else f"{row.cpu_seconds:.2f}",
            f"{row.seconds:.2f}",
            f"{row.peak_pss_mb:.0f}",
        )
    out.print(table)
    if report.home:
        home = report.home
        days = "" if home.days_per_s is None else f", {home.days_per_s:,.1f} days/s"
        out.print(
            f"\n{home.days} days of a home of {home.devices} devices ({home.packets:,} packets, "
            f"{home.verdicts:,} units judged): {_rate(home.packets_per_s)} packets/s{days}, "
            f"{home.peak_pss_mb:.0f} MB"
        )
    else:
        out.print(f"left out, a month of a home: it takes {LEAST_HOME_DEVICES} folders of captures")
    if report.judging:
        out.print(
            f"judging a day of {HOME_DEVICES} devices: {report.judging.whole_ms:.0f} ms, "
            f"of which decisions {report.judging.decision_ms:.0f} ms"
        )
    if any(row.packets_per_s is None for row in report.rows):
        out.print(f"{_TOO_NOISY}: starting varies as much as the work takes; raise --packets")
    for name in report.left_out:
        out.print(f"left out, not installed: {name}")


def _rate(value: float | None) -> str:
    return _TOO_NOISY if value is None else f"{value:,.0f}"

"""`fwid bench`: speed and memory beside other tools."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, make_table, out, print_json
from fwid_agent.errors import UsageError


def bench(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Captures to repeat.")],
    packets: Annotated[int, typer.Option(metavar="COUNT", help="Packets to measure on.")] = 200_000,
    repeats: Annotated[
        int, typer.Option(metavar="COUNT", help="Runs of each tool; the median counts.")
    ] = 3,
    plot: Annotated[
        str | None, typer.Option(metavar="FILE", help="Also draw the figures into this PNG.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure fwid from file to verdicts beside other tools, on one core and one capture.

    Tools that are not installed are left out and named. Examples:

      fwid bench captures/

      fwid bench captures/ --packets 1000000 --plot bench.png --json

    """
    from fwid_agent.lab.bench import draw, run_bench  # noqa: PLC0415 - only this command needs it
    from fwid_agent.lab.judging import HOME_DEVICES  # noqa: PLC0415

    if packets < 1 or repeats < 1:
        raise UsageError("--packets and --repeats count from 1")
    report = run_bench(paths, packets, repeats, lambda row: err.print(f"{row.name}: done"))
    if plot:
        draw(report, Path(plot))
    if json:
        print_json(asdict(report))
        return
    out.print(f"{report.machine}, Python {report.python}: {report.packets:,} packets\n")
    table = make_table("tool", ">packets/s", ">to fwid", ">seconds", ">peak MB (PSS)")
    for row in report.rows:
        table.add_row(
            row.name,
            f"{row.packets_per_s:,.0f}",
            f"{row.ratio:.3g}",
            f"{row.seconds:.2f}",
            f"{row.peak_pss_mb:.0f}",
        )
    out.print(table)
    if report.judging:
        out.print(
            f"judging a day of {HOME_DEVICES} devices: {report.judging.whole_ms:.0f} ms, "
            f"of which decisions {report.judging.decision_ms:.0f} ms"
        )
    for name in report.left_out:
        out.print(f"left out, not installed: {name}")

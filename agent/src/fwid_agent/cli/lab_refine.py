"""`fwid lab refine`: what refinement at home would bring, on labelled captures."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from fwid_agent.cli.options import Json
from fwid_agent.cli.output import err, make_table, out, print_json
from fwid_agent.errors import UsageError


def refine(
    corpus: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Folder with labels.csv and DEVICE/FILE.")
    ],
    learning: Annotated[
        int,
        typer.Option(metavar="DAYS", min=1, help="First days of each device that are learnt from."),
    ] = 7,
    json: Json = False,
) -> None:
    """Refine on the first days of devices, and measure on the later ones: seen at home or not.

    Each number of frozen layers is tried. A device that was not seen is asked about by a network
    that was refined on the other devices.

    Examples:

      fwid lab refine corpus/ --learning 7

    """
    from fwid_agent.lab.corpora import load_corpus  # noqa: PLC0415 - research only
    from fwid_agent.lab.refining import FROZEN, run_bench, to_record  # noqa: PLC0415
    from fwid_agent.lab.refining_published import run_published  # noqa: PLC0415

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("reading", total=None)
        devices = load_corpus(Path(corpus), lambda _: bar.advance(task))
        rows = list(
            run_bench(
                devices,
                learning,
                FROZEN,
                lambda what, done, total: bar.update(
                    task, description=what, completed=done, total=total
                ),
            )
        )
        bar.update(task, description="published kind")
        published = list(run_published(devices, learning)) if rows else []
    if not rows:
        raise UsageError(f"{corpus}: no device has {learning} days of one version and later ones")
    if json:
        print_json({"row_shared": to_record(rows), "published": [asdict(r) for r in published]})
        return
    table = make_table(
        "network",
        ">frozen",
        ">AUC, real",
        ">AUC, made up",
        "unchanged days that pass",
        "changes that pass",
        ">false alarms",
        "changes told",
        ">CPU",
        ">memory",
    )
    for row in rows:
        table.add_row(
            row.network,
            "" if row.frozen is None else str(row.frozen),
            f"{row.auc_real:.3f}",
            f"{row.auc_made_up:.3f}",
            str(row.passed_alike),
            str(row.passed_changed),
            str(row.false_alarms),
            str(row.told),
            f"{row.seconds:.1f} s" if row.frozen is not None else "",
            f"{row.peak_mb:.0f} MB" if row.frozen is not None else "",
        )
    out.print(table)
    table = make_table("published kind, by MAC address", ">AUC, devices", ">AUC, versions", ">CPU")
    for each in published:
        seconds = f"{each.seconds:.1f} s" if each.seconds else ""
        devices_auc, versions_auc = f"{each.auc_device:.3f}", f"{each.auc_version:.3f}"
        table.add_row(each.network, devices_auc, versions_auc, seconds)
    out.print(table)

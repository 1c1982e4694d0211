"""`fwid replay`: captures through the whole pipeline, as if they were live."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fwid_agent.cli.options import (
    ConfigFile,
    Dedup,
    Json,
    Paths,
    Speed,
    Unit,
    UnitName,
    Window,
    read_config,
    read_speed,
    read_window,
    store_path,
)
from fwid_agent.cli.output import (
    make_table,
    note,
    out,
    print_json,
    reading,
    say,
    styled,
    told_reasons,
)
from fwid_agent.errors import StoreError

if TYPE_CHECKING:
    from fwid_agent.pipeline import Summary, VerdictLine
    from fwid_agent.pipeline.messages import DeviceLine


def replay(
    paths: Paths,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Keep what is learnt in this file; without it, nothing is."
        ),
    ] = None,
    window: Window = None,
    unit: Unit = UnitName.DAY,
    speed: Speed = "max",
    dedup: Dedup = False,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Run captures through the whole pipeline and print every verdict.

    Examples:

      fwid replay captures/

      fwid replay --store home.db --json today.pcapng

      tcpdump -U -w - | fwid replay -

    """
    from fwid_agent.pipeline import ReplayRequest, Summary  # noqa: PLC0415 - scipy is slow to load
    from fwid_agent.pipeline import replay as run_replay  # noqa: PLC0415

    settings = read_config(config)
    if store is not None and not store_path(store).parent.is_dir():
        raise StoreError(f"{store}: there is no folder {Path(store).parent}; make it first")
    request = ReplayRequest(
        tuple(paths),
        store,
        read_window(window, unit, settings),
        unit.value,
        read_speed(speed),
        dedup,
        settings,
    )
    with reading() as progress:
        for line in run_replay(request, on_progress=progress, on_note=note):
            if json:
                print_json(line)
            elif isinstance(line, Summary):
                _print_summary(line)
            else:
                _print_verdict(line)


def _print_verdict(line: "VerdictLine") -> None:
    g = f"  g = {line.g:.2f}" if line.g is not None else ""
    say(f"{line.time[:10]}  {line.device}  v{line.version} ", styled(line.state), g)
    for reason in line.reasons[: told_reasons(line.verdict, line.state)]:
        say(f"              • {reason.text}")


def _print_summary(summary: "Summary") -> None:
    out.print()
    if summary.devices:
        _print_devices(summary.devices)
    rate = summary.packets / summary.seconds if summary.seconds else 0
    out.print(
        f"{summary.packets:,} packets, {summary.bytes:,} bytes, {summary.flows:,} flows, "
        f"{summary.undecoded:,} undecoded, {summary.copies:,} copies; "
        f"{summary.seconds:.1f} s, {rate:,.0f} packets/s"
    )


def _print_devices(devices: "Sequence[DeviceLine]") -> None:
    table = make_table("device", "state", ">sent", ">received", ">bytes", ">windows", "")
    for device in devices:
        marks = [
            name
            for name, on in (("gateway", device.gateway), ("randomised MAC", device.randomised))
            if on
        ]
        table.add_row(
            device.mac,
            styled(device.state),
            f"{device.packets_sent:,}",
            f"{device.packets_received:,}",
            f"{device.bytes:,}",
            f"{device.windows:,}",
            ", ".join(marks),
        )
    out.print(table)
    out.print()

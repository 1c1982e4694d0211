"""`fwid report`: a page of figures from a store."""

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fwid_agent.cli.devices import device_events, find_device
from fwid_agent.cli.files import write_whole
from fwid_agent.cli.options import (
    ConfigFile,
    Json,
    Store,
    read_config,
    read_mac,
    store_path,
)
from fwid_agent.cli.output import print_json, say
from fwid_agent.core.devices import is_randomised
from fwid_agent.errors import UsageError
from fwid_agent.report.words import describe_reason
from fwid_agent.store import DeviceName, DeviceRow, VerdictRow
from fwid_agent.store import Store as OpenStore
from fwid_agent.types import Event, format_mac, format_time

if TYPE_CHECKING:
    from fwid_agent.report.model import ReportDevice, ReportEvent, ReportVerdict


def report(
    target: Annotated[str, typer.Argument(metavar="OUT.html", help="The page to write.")],
    store: Store = None,
    device: Annotated[
        list[str] | None,
        typer.Option(metavar="MAC", help="Only this device; may be given several times."),
    ] = None,
    pictures: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Also write the fingerprints there, as PNG files."),
    ] = None,
    config: ConfigFile = None,
    json: Json = False,
) -> None:
    """Write a self-contained page of figures: what each device did, and what was decided.

    Examples:

      fwid report home.html

      fwid report sensor.html --store home.db --device 90:8d:78:a8:e1:43 --pictures figures/

    """
    from fwid_agent.report.model import Report  # noqa: PLC0415 - only this command draws
    from fwid_agent.report.page import render_report  # noqa: PLC0415

    unit_ns = read_config(config).unit_s * 1_000_000_000
    with OpenStore.open(store_path(store), create=False) as opened:
        if Path(target).exists() and Path(target).samefile(opened.path):
            raise UsageError(f"{target}: is the store; name another file for the page")
        judged = opened.states()
        wanted = [find_device(opened, read_mac(each)) for each in device or ()]
        drawn = tuple(
            _read_device(opened, row, judged[row.device], unit_ns)
            for row in wanted or opened.devices()
            if row.device in judged
        )
        source = opened.path.name
    page = render_report(Report(format_time(time.time_ns()), source, drawn))
    write_whole(Path(target), page.encode())
    written = _write_pictures(drawn, Path(pictures)) if pictures else []
    if json:
        print_json({"page": target, "devices": len(drawn), "pictures": written})
        return
    say(f"{target}: {len(drawn)} devices")
    if pictures:
        say(f"{pictures}: {len(written)} pictures")


def _read_device(store: OpenStore, row: DeviceRow, memory: str, unit_ns: int) -> "ReportDevice":
    from fwid_agent.pipeline.fingerprints import draw_fingerprints  # noqa: PLC0415 - loads Pillow
    from fwid_agent.pipeline.memory import (  # noqa: PLC0415 - scipy is slow to load
        read_watch,
        remembers_since,
    )
    from fwid_agent.report.model import ReportDevice  # noqa: PLC0415

    watch, _ = read_watch(
        memory, store.units(row.device, unit_ns, remembers_since(memory, unit_ns)), unit_ns
    )
    events = device_events(store, row.device)
    return ReportDevice(
        mac=format_mac(row.device),
        state=watch.state.state.value,
        version=watch.state.version,
        next_version=watch.state.next_version,
        since=format_time(watch.state.since_ns),
        first_seen=format_time(row.first_seen_ns),
        last_seen=format_time(row.last_seen_ns),
        packets_sent=row.packets_sent,
        packets_received=row.packets_received,
        randomised=is_randomised(row.device),
        verdicts=tuple(_verdict(each) for each in store.verdicts(row.device)),
        events=tuple(_event(each) for each in events),
        labels=store.labels(row.device),
        pictures=draw_fingerprints(watch, events),
        name=store.names().get(row.device, DeviceName()).shown or "",
    )


def _verdict(row: VerdictRow) -> "ReportVerdict":
    from fwid_agent.report.model import ReportVerdict  # noqa: PLC0415

    decision, effect = row.decision, row.decision.effect
    return ReportVerdict(
        time=format_time(row.unit_start_ns),
        state=row.state.value,
        version=row.version,
        verdict=decision.verdict.value,
        similarity=_finite(decision.similarity_test),
        g=_finite(effect.g) if effect else None,
        g_low=_finite(effect.low) if effect else None,
        g_high=_finite(effect.high) if effect else None,
        reasons=tuple(describe_reason(each.key, each.params) for each in decision.reasons),
        missing=decision.missing,
    )


def _event(event: Event) -> "ReportEvent":
    from fwid_agent.report.model import ReportEvent  # noqa: PLC0415

    versions = ""
    if event.from_version != event.to_version and event.from_version is not None:
        versions = f": {event.from_version} → {event.to_version}"
    expected = " (an update was expected)" if event.expected else ""
    return ReportEvent(
        time=event.time,
        title=event.type.value.replace("_", " ") + versions + expected,
        reasons=tuple(describe_reason(each.key, each.params) for each in event.reasons),
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _write_pictures(devices: "tuple[ReportDevice, ...]", folder: Path) -> list[str]:
    written = []
    if not folder.parent.is_dir():
        raise UsageError(f"{folder}: there is no folder {folder.parent}; make it first")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made ({error.strerror or error})") from error
    for device in devices:
        for picture in device.pictures:
            name = f"{device.mac.replace(':', '')}-{picture.name}.png"
            write_whole(folder / name, picture.png)
            written.append(str(folder / name))
    return written

"""`fwid export`: headers of chosen devices for research, after a look and a yes."""

import csv
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fwid_agent.cli.files import writing_whole
from fwid_agent.cli.options import Json, read_mac
from fwid_agent.cli.output import make_table, note, out, print_json, say
from fwid_agent.config import default_store_path
from fwid_agent.errors import UsageError
from fwid_agent.types import format_mac

if TYPE_CHECKING:
    from fwid_agent.export.run import Chosen, GivenSummary

_EPOCH = date(1970, 1, 1)
_MOST_DAYS = 36_500
_LABEL_COLUMNS = ["device", "file", "mac", "start_utc", "category"]
_NAME = re.compile(r"[\w .-]{1,64}")


@dataclass(frozen=True, slots=True)
class _Device:
    mac: int
    name: str = ""
    category: str = ""


def export(
    captures: Annotated[
        list[str], typer.Argument(metavar="CAPTURE...", help="Captures, or folders of captures.")
    ],
    target: Annotated[
        str, typer.Option("--out", metavar="FILE", help="The capture (pcapng) that is written.")
    ],
    device: Annotated[
        list[str],
        typer.Option(
            metavar="MAC[=NAME[:CATEGORY]]",
            help="A device whose frames are given, and what research may call it; repeatable.",
        ),
    ],
    days: Annotated[
        str,
        typer.Option(
            metavar="DAYS",
            help="2026-01-05, 2026-01-05..2026-01-11, several by commas, or all.",
        ),
    ] = "all",
    key: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="This home's key; made where there is none yet."),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would be given, and write nothing.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Consent to this export without being asked.")
    ] = False,
    json: Json = False,
) -> None:
    """Write headers of chosen devices for research: no names, no payload, no true address.

    Examples:

      fwid export captures/ --device 90:8d:78:a8:e1:43 --out sensor.pcapng --preview

      fwid export captures/ --device 908d78a8e143=sensor:Appliance --days 2016-04-21 --out s.pcapng

    """
    from fwid_agent.export.pseudonyms import read_key  # noqa: PLC0415 - slow to load
    from fwid_agent.export.run import Chosen  # noqa: PLC0415
    from fwid_agent.export.run import export as run  # noqa: PLC0415

    devices = [_read_device(each) for each in device]
    chosen = Chosen(tuple(dict.fromkeys(each.mac for each in devices)), _read_days(days))
    path = Path(target)
    _check_target(path, captures)
    known = _known_labels(path) if any(each.name or each.category for each in devices) else []
    secret = read_key(Path(key) if key else default_store_path().with_name("export.key"))
    seen = run(captures, chosen, secret, lambda _: None, note)
    if not json or preview:
        _show(seen, devices, chosen, path, json)
    if preview:
        return
    _ask(path, yes)
    with writing_whole(path) as file:
        given = run(captures, chosen, secret, file.write, note)
    labels = _labels(given, devices, path)
    if labels:
        with writing_whole(path.with_name("labels.csv")) as file:
            file.write(_write_labels([*known, *labels]))
    if json:
        print_json(_record(given, devices, path))
        return
    say(f"{path}: {given.bytes:,} bytes; read it with any tool before you give it away")


def _read_device(text: str) -> _Device:
    mac, _, rest = text.partition("=")
    name, _, category = rest.partition(":")
    for each in (name, category):
        if each and not _NAME.fullmatch(each):
            raise UsageError(f"--device {text}: a name is of letters, digits, dots and dashes")
    return _Device(read_mac(mac), name.strip(), category.strip())


def _read_days(text: str) -> frozenset[int]:
    """Return days since the epoch; empty for all of them."""
    if text == "all":
        return frozenset()
    result: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("..")
        try:
            begin, end = (date.fromisoformat(each.strip()) for each in (first, last or first))
        except ValueError:
            raise UsageError(
                f"--days {text}: write days as 2026-01-05 or 2026-01-05..2026-01-11"
            ) from None
        if end < begin:
            raise UsageError(f"--days {text}: ends before it begins")
        if (end - begin).days >= _MOST_DAYS:
            raise UsageError(f"--days {text}: is more than a hundred years")
        result |= {(begin - _EPOCH).days + step for step in range((end - begin).days + 1)}
    return frozenset(result)


def _show(
    summary: "GivenSummary",
    devices: Sequence[_Device],
    chosen: "Chosen",
    path: Path,
    as_json: bool,
) -> None:
    if as_json:
        print_json(_record(summary, devices, path))
        return
    table = make_table("device", "is called", "day", ">packets")
    for mac in chosen.devices:
        for day in summary.days(mac):
            table.add_row(
                format_mac(mac),
                format_mac(summary.names[mac]),
                (_EPOCH + timedelta(days=day)).isoformat(),
                f"{summary.packets[mac, day]:,}",
            )
    out.print(table)
    say(f"{summary.bytes:,} bytes; {summary.left_out:,} frames without readable headers left out")
    say("given: times, EtherType, IP version, protocol, TTL and length, ports, TCP flags, window")
    say("  and the options of a connection's start; the makers of the devices' network cards")
    say("not given: payload, names, numbers and checksums; addresses go under pseudonyms")
    for device in devices:
        if device.name or device.category:
            called = ", ".join(each for each in (device.name, device.category) if each)
            say(f"and in labels.csv: {format_mac(summary.names[device.mac])} is {called}")
    for mac in chosen.devices:
        say(f"the first frames of {format_mac(mac)}, as they are given:")
        for line in summary.samples.get(mac, ()):
            say(f"  {line}")


def _ask(path: Path, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody was there to consent; look with --preview, then say --yes")
    answer = typer.prompt(f"Type yes to write this to {path}", default="no")
    if answer.strip().lower() != "yes":
        raise UsageError("nothing was written: the answer was not yes")


def _check_target(path: Path, captures: Sequence[str]) -> None:
    """Refuse to write over what is read."""
    for capture in map(Path, captures):
        inside = capture.is_dir() and capture.resolve() in path.resolve().parents
        if path.exists() and (inside or (capture.exists() and path.samefile(capture))):
            raise UsageError(f"--out {path}: is one of the captures that are read; name another")


def _known_labels(path: Path) -> list[list[str]]:
    """Read the labels of other exports that lie beside this one; they stay."""
    beside = path.with_name("labels.csv")
    try:
        with beside.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file)) or [[]]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{beside}: cannot be added to: {error}") from error
    if header != _LABEL_COLUMNS:
        raise UsageError(
            f"{beside}: holds labels of something else; name a folder of its own for --out"
        )
    return [row for row in rows if row[1:2] != [path.name]]


def _write_labels(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_LABEL_COLUMNS)
    writer.writerows(rows)
    return text.getvalue().encode()


def _labels(summary: "GivenSummary", devices: Sequence[_Device], path: Path) -> list[list[str]]:
    """Return the labels of the devices that were named, one line a device and day."""
    rows = []
    for device in devices:
        if not device.name and not device.category:
            continue
        called = format_mac(summary.names[device.mac])
        for day in summary.days(device.mac):
            begins = datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            rows.append([device.name or called, path.name, called, begins, device.category])
    return rows


def _record(summary: "GivenSummary", devices: Sequence[_Device], path: Path) -> dict[str, Any]:
    return {
        "out": str(path),
        "bytes": summary.bytes,
        "left_out": summary.left_out,
        "devices": [_record_device(summary, each) for each in devices],
    }


def _record_device(summary: "GivenSummary", device: _Device) -> dict[str, Any]:
    return {
        "mac": format_mac(device.mac),
        "given_as": format_mac(summary.names[device.mac]),
        "name": device.name or None,
        "category": device.category or None,
        "packets": {
            (_EPOCH + timedelta(days=day)).isoformat(): summary.packets[device.mac, day]
            for day in summary.days(device.mac)
        },
        "samples": summary.samples.get(device.mac, []),
    }

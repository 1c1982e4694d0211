"""`fwid devices`, `show`, `accept`, `relearn`, `label`: ask and steer a store."""

import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from fwid_agent.cli.compare import decision_record
from fwid_agent.cli.options import Device, Json, Store, read_mac, store_path
from fwid_agent.cli.output import make_table, out, plain, print_json, say, styled, told_reasons
from fwid_agent.core.devices import is_randomised
from fwid_agent.core.stability import Accepted, DeviceState, Relearn
from fwid_agent.errors import UsageError
from fwid_agent.events_json import event_record
from fwid_agent.report.words import describe_reason
from fwid_agent.store import DeviceName, DeviceRow, IdentificationRow, VerdictRow
from fwid_agent.store import Store as OpenStore
from fwid_agent.types import Event, format_mac, format_time

_VERDICTS_SHOWN = 14
_NAMES = {Accepted: "accept", Relearn: "relearn"}


def devices(store: Store = None, json: Json = False) -> None:
    """List the devices of a store with their state.

    Examples:

      fwid devices

      fwid devices --store home.db --json

    """
    from fwid_agent.pipeline.steer import read_state  # noqa: PLC0415 - scipy is slow to load

    with OpenStore.open(store_path(store), create=False) as opened:
        judged = opened.states()
        records = [
            _device_record(opened, row, read_state(opened, row.device))
            for row in opened.devices()
            if row.device in judged
        ]
    if json:
        for record in records:
            print_json(record)
        return
    table = make_table("device", "state", ">version", "since", "last seen", ">packets sent", "name")
    for record in records:
        table.add_row(
            record["device"],
            styled(record["state"]),
            plain((record["label"] or str(record["version"])) + _towards(record)),
            _minute(record["since"]),
            _minute(record["last_seen"]),
            f"{record['packets_sent']:,}",
            plain(record["name"] or ""),
        )
    out.print(table)


def show(device: Device, store: Store = None, json: Json = False) -> None:
    """Show one device: its state, its versions and what was decided of late.

    Examples:

      fwid show 90:8d:78:a8:e1:43 --store home.db

    """
    from fwid_agent.pipeline.steer import read_state  # noqa: PLC0415 - scipy is slow to load

    mac = read_mac(device)
    with OpenStore.open(store_path(store), create=False) as opened:
        row = find_device(opened, mac)
        record = _device_record(opened, row, read_state(opened, mac))
        verdicts = opened.verdicts(mac)
        events = device_events(opened, mac)
    if json:
        record["verdicts"] = [_verdict_record(verdict) for verdict in verdicts]
        record["events"] = [event_record(event) for event in events]
        print_json(record)
        return
    say(f"{record['device']}  ", styled(record["state"]), f" since {_minute(record['since'])}")
    if record["name"]:
        say(f"  {record['name']}")
    if record["kind"]:
        say(f"  said to be {record['kind']['label']}")
    if record["identified"]:
        say(f"  behaves like {_likeness(record['identified'])}")
    label = f" ({record['label']})" if record["label"] else ""
    version = f"{record['version']}{label}{_towards(record)}"
    say(f"  version {version}, {len(verdicts)} units judged")
    for event in events:
        say(f"  {_minute(event.time)}  {event.type.value.replace('_', ' ')}{_versions(event)}")
        for reason in event.reasons:
            say(f"      • {describe_reason(reason.key, reason.params)}")
    if verdicts:
        say("")
    for verdict in verdicts[-_VERDICTS_SHOWN:]:
        _print_verdict(verdict)


def accept(device: Device, store: Store = None, json: Json = False) -> None:
    """Accept a change: what the device does now is its new normal.

    Examples:

      fwid accept 90:8d:78:a8:e1:43

    """
    _steer(device, store, Accepted(), json)


def relearn(device: Device, store: Store = None, json: Json = False) -> None:
    """Forget what is usual for a device and learn it anew.

    Examples:

      fwid relearn 90:8d:78:a8:e1:43

    """
    _steer(device, store, Relearn(), json)


def label(
    device: Device,
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="The version's name, such as 1.7.5.")
    ],
    number: Annotated[
        int | None,
        typer.Option(metavar="NUMBER", help="Which version; the present one where none is named."),
    ] = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Name a version of a device.

    Examples:

      fwid label 90:8d:78:a8:e1:43 1.7.5

      fwid label 90:8d:78:a8:e1:43 1.1.0 --number 1

    """
    from fwid_agent.pipeline.steer import read_state  # noqa: PLC0415 - scipy is slow to load

    mac = read_mac(device)
    with OpenStore.open(store_path(store), create=False) as opened:
        row = find_device(opened, mac)
        state = read_state(opened, mac)
        known = state.version if number is None else number
        if known not in state.known_versions:
            raise UsageError(
                f"{format_mac(mac)} has no version {known}; the latest is {state.last_version}"
            )
        opened.label(mac, known, version)
        record = _device_record(opened, row, state)
    if json:
        print_json(record)
    else:
        say(f"{format_mac(mac)}: version {known} is {version}")


def find_device(store: OpenStore, mac: int) -> DeviceRow:
    """Return the device of a store; raises UsageError where it is not in there."""
    for row in store.devices():
        if row.device == mac:
            return row
    raise UsageError(f"{store.path}: no device {format_mac(mac)}; `fwid devices` lists them")


def device_events(store: OpenStore, mac: int) -> list[Event]:
    """Return all events of one device that the store keeps, oldest first."""
    found: list[Event] = []
    page = store.events()
    while page.events:
        found += [event for event in page.events if event.device == format_mac(mac)]
        page = store.events(page.events[-1].seq)
    return found


def _steer(device: str, named: str | None, given: Accepted | Relearn, json: bool) -> None:
    from fwid_agent.pipeline.steer import read_state, steer  # noqa: PLC0415 - scipy is slow to load
    from fwid_agent.service.local import ask_agent  # noqa: PLC0415

    mac, path = read_mac(device), store_path(named)
    with OpenStore.open(path, create=False) as opened:
        row = find_device(opened, mac)
        asked = {"do": _NAMES[type(given)], "device": format_mac(mac)}
        # A running agent has the device in its memory, so it is the one to tell.
        if ask_agent(path, asked) is None:
            steer(opened, mac, given, time.time_ns())
        state = read_state(opened, mac)
        record = _device_record(opened, row, state)
    if json:
        print_json(record)
    else:
        say(f"{format_mac(mac)}: ", styled(state.state.value), f", version {state.version}")


def _device_record(store: OpenStore, row: DeviceRow, state: DeviceState) -> dict[str, Any]:
    fields = asdict(row)
    kind = store.kinds().get(row.device)
    taken = store.latest_identifications().get(row.device)
    return {
        "device": format_mac(row.device),
        "name": store.names().get(row.device, DeviceName()).shown,
        "kind": None if kind is None else asdict(kind),
        "identified": None if taken is None else _identified_record(taken),
        "state": state.state.value,
        "version": state.version,
        "label": store.labels(row.device).get(state.version),
        "next_version": state.next_version,
        "since": format_time(state.since_ns),
        "first_seen": format_time(row.first_seen_ns),
        "last_seen": format_time(row.last_seen_ns),
        **{name: fields[name] for name in ("packets_sent", "packets_received", "bytes")},
        "randomised": is_randomised(row.device),
    }


def _identified_record(row: IdentificationRow) -> dict[str, Any]:
    return {
        "time": format_time(row.start_ns),
        "label": row.answer.label,
        "category": row.answer.category,
        "certainty": row.answer.certainty,
        "model": row.model,
    }


def _likeness(identified: dict[str, Any]) -> str:
    like = identified["label"] or "none that I know"
    by = "this home's model" if identified["model"] == "home" else "the model that came with fwid"
    return f"{like} ({identified['certainty']:.0%}, by {by})"


def _verdict_record(verdict: VerdictRow) -> dict[str, Any]:
    return {
        "time": format_time(verdict.unit_start_ns),
        "state": verdict.state.value,
        "version": verdict.version,
        **decision_record(verdict.decision),
    }


def _print_verdict(verdict: VerdictRow) -> None:
    decision = verdict.decision
    g = f"  g = {decision.effect.g:.2f}" if decision.effect else ""
    day = format_time(verdict.unit_start_ns)[:10]
    say(f"  {day}  v{verdict.version}  ", styled(verdict.state.value), g)
    shown = told_reasons(decision.verdict.value, verdict.state.value)
    for reason in decision.reasons[:shown]:
        say(f"      • {describe_reason(reason.key, reason.params)}")


def _versions(event: Event) -> str:
    if event.from_version is None or event.from_version == event.to_version:
        return ""
    return f": {event.from_version} → {event.to_version}"


def _towards(record: dict[str, Any]) -> str:
    """Write what the version is becoming while a change is open."""
    return f" → {record['next_version']}" if record["next_version"] else ""


def _minute(time_text: str) -> str:
    return time_text[:16].replace("T", " ")

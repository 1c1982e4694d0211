"""`fwid devices`, `show`, `accept`, `relearn`, `label`: ask and steer a store."""

import time
from dataclasses import asdict
from typing import Annotated, Any

import typer

from fwid_agent.cli.compare import decision_record
from fwid_agent.cli.options import Device, Json, Store, read_mac, store_path
from fwid_agent.cli.output import make_table, out, print_json, styled
from fwid_agent.cli.words import describe_reason
from fwid_agent.core.devices import is_randomised
from fwid_agent.core.stability import Accepted, DeviceState, Relearn
from fwid_agent.errors import UsageError
from fwid_agent.events_json import event_record
from fwid_agent.pipeline.steer import read_state, steer
from fwid_agent.store import DeviceRow, VerdictRow
from fwid_agent.store import Store as OpenStore
from fwid_agent.types import format_mac, format_time


def devices(store: Store = None, json: Json = False) -> None:
    """List the devices of a store with their state.

    Examples:

      fwid devices

      fwid devices --store home.db --json

    """
    with OpenStore.open(store_path(store), create=False) as opened:
        rows = [(row, read_state(opened, row.device)) for row in opened.devices()]
        records = [_device_record(opened, row, state) for row, state in rows]
    if json:
        for record in records:
            print_json(record)
        return
    table = make_table("device", "state", ">version", "since", "last seen", ">packets sent")
    for record in records:
        table.add_row(
            record["device"],
            styled(record["state"]),
            record["label"] or str(record["version"]),
            record["since"][:16].replace("T", " "),
            record["last_seen"][:16].replace("T", " "),
            f"{record['packets_sent']:,}",
        )
    out.print(table)


def show(device: Device, store: Store = None, json: Json = False) -> None:
    """Show one device: its state, its versions and what was decided of late.

    Examples:

      fwid show 90:8d:78:a8:e1:43 --store home.db

    """
    mac = read_mac(device)
    with OpenStore.open(store_path(store), create=False) as opened:
        row = _find(opened, mac)
        state = read_state(opened, mac)
        record = _device_record(opened, row, state)
        verdicts = opened.verdicts(mac)
        events = [e for e in opened.events().events if e.device == record["device"]]
    if json:
        record["verdicts"] = [_verdict_record(verdict) for verdict in verdicts]
        record["events"] = [event_record(event) for event in events]
        print_json(record)
        return
    out.print(f"{record['device']}  {styled(record['state'])} since {record['since'][:16]}")
    label = f" ({record['label']})" if record["label"] else ""
    out.print(f"  version {record['version']}{label}, {len(verdicts)} units judged")
    for verdict in verdicts[-14:]:
        _print_verdict(verdict)


def accept(device: Device, store: Store = None) -> None:
    """Accept a change: what the device does now is its new normal.

    Examples:

      fwid accept 90:8d:78:a8:e1:43

    """
    _steer(device, store, Accepted(), "accepted")


def relearn(device: Device, store: Store = None) -> None:
    """Forget what is usual for a device and learn it anew.

    Examples:

      fwid relearn 90:8d:78:a8:e1:43

    """
    _steer(device, store, Relearn(), "learning anew")


def label(
    device: Device,
    version: Annotated[str, typer.Argument(help="The version's name, such as 1.7.5.")],
    number: Annotated[
        int | None, typer.Option(help="Which version; the present one where none is named.")
    ] = None,
    store: Store = None,
) -> None:
    """Name a version of a device.

    Examples:

      fwid label 90:8d:78:a8:e1:43 1.7.5

    """
    mac = read_mac(device)
    with OpenStore.open(store_path(store), create=False) as opened:
        _find(opened, mac)
        state = read_state(opened, mac)
        known = state.version if number is None else number
        if known not in state.known_versions:
            raise UsageError(
                f"{format_mac(mac)} has no version {known}; it has had {state.last_version}"
            )
        opened.label(mac, known, version)
    out.print(f"{format_mac(mac)}: version {known} is {version}")


def _steer(device: str, store: str | None, given: Accepted | Relearn, said: str) -> None:
    mac = read_mac(device)
    with OpenStore.open(store_path(store), create=False) as opened:
        _find(opened, mac)
        state = steer(opened, mac, given, time.time_ns())
    out.print(f"{format_mac(mac)}: {said}; {styled(state.state.value)}, version {state.version}")


def _find(store: OpenStore, mac: int) -> DeviceRow:
    for row in store.devices():
        if row.device == mac:
            return row
    raise UsageError(f"{store.path}: no device {format_mac(mac)}; `fwid devices` lists them")


def _device_record(store: OpenStore, row: DeviceRow, state: DeviceState) -> dict[str, Any]:
    fields = asdict(row)
    return {
        "device": format_mac(row.device),
        "state": state.state.value,
        "version": state.version,
        "label": store.labels(row.device).get(state.version),
        "since": format_time(state.since_ns),
        "first_seen": format_time(row.first_seen_ns),
        "last_seen": format_time(row.last_seen_ns),
        **{name: fields[name] for name in ("packets_sent", "packets_received", "bytes")},
        "randomised": is_randomised(row.device),
    }


def _verdict_record(verdict: VerdictRow) -> dict[str, Any]:
    return {
        "time": format_time(verdict.unit_start_ns),
        "state": verdict.state.value,
        "version": verdict.version,
        **decision_record(verdict.decision),
    }


def _print_verdict(verdict: VerdictRow) -> None:
    decision = verdict.decision
    g = f"g = {decision.effect.g:5.2f}" if decision.effect else ""
    day = format_time(verdict.unit_start_ns)[:10]
    out.print(f"  {day}  v{verdict.version}  {styled(verdict.state.value)}  {g}")
    if decision.verdict.value in ("changed", "different"):
        for reason in decision.reasons:
            out.print(f"      • {describe_reason(reason.key, reason.params)}")

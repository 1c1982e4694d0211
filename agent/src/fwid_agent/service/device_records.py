"""Devices and what was decided of them, as the API's messages want them, read from the store."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from fwid_agent.api.contract import Record
from fwid_agent.config import Config
from fwid_agent.core.devices import is_randomised
from fwid_agent.core.scan import BASELINE_UNITS
from fwid_agent.core.stability import DeviceState
from fwid_agent.core.vantage import judge_vantage
from fwid_agent.pipeline.identifying import agrees
from fwid_agent.pipeline.memory import read_watch_state
from fwid_agent.report.words import describe_reason
from fwid_agent.store import DeviceName, DeviceRow, IdentificationRow, Store, VerdictRow
from fwid_agent.types import (
    SEEN,
    Event,
    EventReason,
    EventType,
    Kind,
    Reason,
    State,
    Vantage,
    Verdict,
    format_mac,
    format_time,
)

_SECOND_NS = 1_000_000_000
# Devices are quiet at night, and a device that was moved is soon seen as it is now.
_SEEN_NS = 86_400 * _SECOND_NS
_CALM = (Verdict.STABLE, Verdict.INSUFFICIENT)
_CHANGES = (EventType.VERSION_CHANGED, EventType.RETURNED_TO_KNOWN_VERSION)


def device_records(store: Store, config: Config, now_ns: int) -> list[Record]:
    """All devices: `messages.Device` each."""
    home = _read_home(store)
    return [_device(store, row, home, config, now_ns) for row in store.devices()]


def device_record(store: Store, config: Config, now_ns: int, mac: int) -> Record | None:
    """One device: `messages.Device`; None where it was never seen."""
    for row in store.devices():
        if row.device == mac:
            return _device(store, row, _read_home(store), config, now_ns)
    return None


def identified_record(row: IdentificationRow, kind: Kind | None) -> Record:
    """What a device behaves like: `messages.Identified`."""
    return {
        "label": row.answer.label,
        "category": row.answer.category,
        "certainty": row.answer.certainty,
        "model": row.model,
        "time": format_time(row.start_ns),
        "agrees": agrees(row, kind),
    }


def judged_record(verdict: VerdictRow) -> Record:
    """What was decided of one unit: `messages.Judged`."""
    decision = verdict.decision
    effect = decision.effect
    return {
        "time": format_time(verdict.unit_start_ns),
        "state": verdict.state.value,
        "version": verdict.version,
        "verdict": decision.verdict.value,
        "cause": decision.cause.value,
        "g": _number(effect.g) if effect else None,
        "g_low": _number(effect.low) if effect else None,
        "g_high": _number(effect.high) if effect else None,
        "similarity_baseline": _number(decision.similarity_baseline),
        "similarity_test": _number(decision.similarity_test),
        "reasons": _reasons(decision.reasons),
        # A calm unit's small surprises are no reasons.
        "reason_texts": [] if decision.verdict in _CALM else _texts(decision.reasons),
        "missing": decision.missing or None,
    }


def history_records(verdicts: Sequence[VerdictRow], since_ns: int) -> list[Record]:
    """What was decided of units from a time on, each with what was usual until then."""
    records: list[Record] = []
    calm: deque[float] = deque(maxlen=BASELINE_UNITS)
    version = None
    for verdict in verdicts:
        if verdict.version != version:
            calm.clear()
            version = verdict.version
        record = judged_record(verdict)
        if len(calm) > 1:
            record |= {"usual_low": min(calm), "usual_high": max(calm)}
        if verdict.unit_start_ns >= since_ns:
            records.append(record)
        similarity = verdict.decision.similarity_test
        if verdict.decision.verdict in _CALM and math.isfinite(similarity):
            calm.append(similarity)
    return records


def count_partly_seen(store: Store) -> int:
    """Count the devices of which only a part is seen from here."""
    whole = (Vantage.ALL, Vantage.UNKNOWN)
    return sum(_vantage(seen) not in whole for seen in store.seen(_SEEN_NS).values())


def find_state(store: Store, mac: int) -> DeviceState | None:
    """The state of a device, None while it has none."""
    return _state(store.states().get(mac))


@dataclass(frozen=True, slots=True)
class _Home:
    """What is read once for all devices."""

    states: Mapping[int, str]
    mutes: Mapping[int, int | None]
    names: Mapping[int, DeviceName]
    alarms: Mapping[str, Event]
    changes: Mapping[str, Event]
    wrong: Sequence[str]
    seen: Mapping[int, Sequence[int]]
    kinds: Mapping[int, Kind]
    identified: Mapping[int, IdentificationRow]


def _read_home(store: Store) -> _Home:
    return _Home(
        store.states(),
        store.mutes(),
        store.names(),
        store.latest_events(EventType.VERSION_CHANGED),
        store.latest_events(*_CHANGES),
        store.wrong_alarms(),
        store.seen(_SEEN_NS),
        store.kinds(),
        store.latest_identifications(),
    )


def _device(store: Store, row: DeviceRow, home: _Home, config: Config, now_ns: int) -> Record:
    name, mac = home.names.get(row.device, DeviceName()), format_mac(row.device)
    until_ns = home.mutes.get(row.device)
    muted = row.device in home.mutes and (until_ns is None or until_ns > now_ns)
    alarm, change = home.alarms.get(mac), home.changes.get(mac)
    seen = home.seen.get(row.device, (0,) * len(SEEN))
    record: Record = {
        "device": mac,
        "state": None,
        "first_seen": format_time(row.first_seen_ns),
        "last_seen": format_time(row.last_seen_ns),
        "packets_sent": row.packets_sent,
        "packets_received": row.packets_received,
        "bytes": row.bytes,
        "randomised": is_randomised(row.device),
        "name": name.shown,
        "name_source": "person" if name.given else "device" if name.learnt else None,
        "muted": muted,
        "muted_until": format_time(until_ns) if muted and until_ns else None,
        "last_change": change.time if change else None,
        "alarm_event": alarm.id if alarm else None,
        "alarm_was_wrong": alarm is not None and alarm.id in home.wrong,
        "vantage": _vantage(seen).value,
        "sizes_reliable": not seen[SEEN.index("merged")],
    }
    kind, identified = home.kinds.get(row.device), home.identified.get(row.device)
    record["kind"] = None if kind is None else asdict(kind)
    if identified is not None and config.identify != "off":
        record["identified"] = identified_record(identified, kind)
    state = _state(home.states.get(row.device))
    if state is not None:
        record |= _state_record(state, store.labels(row.device), config, now_ns)
        record |= _evidence(state, store.latest_verdict(row.device), alarm)
    return record


def _state_record(
    state: DeviceState, labels: Mapping[int, str], config: Config, now_ns: int
) -> Record:
    left = max(config.learning_units - state.learned_units, 0)
    ready_ns = now_ns + left * config.unit_s * _SECOND_NS
    expected_ns = state.expected_until_ns
    return {
        "state": state.state.value,
        "version": state.version,
        "label": labels.get(state.version),
        "since": format_time(state.since_ns),
        "learned_units": min(state.learned_units, config.learning_units),
        "learning_units": config.learning_units,
        "ready_at": format_time(ready_ns) if state.state is State.LEARNING else None,
        "versions": [
            {"version": number, "label": labels.get(number)} for number in state.known_versions
        ],
        "update_expected_until": None if expected_ns is None else format_time(expected_ns),
    }


def _evidence(state: DeviceState, latest: VerdictRow | None, alarm: Event | None) -> Record:
    """What the last unit said, and why the device is in its state."""
    record: Record = {}
    if latest is not None:
        judged = judged_record(latest)
        record = {
            "similarity": judged["similarity_test"],
            **{name: judged[name] for name in ("g", "cause", "reasons", "reason_texts")},
        }
    # The units after a change are compared with the new version: only the alarm says why.
    if State.CHANGED in (state.state, state.before_quiet) and alarm is not None:
        record |= {
            "cause": alarm.cause.value,
            "reasons": _reasons(alarm.reasons),
            "reason_texts": _texts(alarm.reasons),
        }
    return record


def _vantage(seen: Sequence[int]) -> Vantage:
    counts = dict(zip(SEEN, seen, strict=True))
    return judge_vantage(counts["sent"], counts["received"], counts["multicast"])


def _state(text: str | None) -> DeviceState | None:
    return None if text is None else read_watch_state(text)


def _reasons(reasons: Sequence[Reason | EventReason]) -> list[dict[str, Any]]:
    return [{"key": reason.key, "params": dict(reason.params)} for reason in reasons]


def _texts(reasons: Sequence[Reason | EventReason]) -> list[str]:
    return [describe_reason(reason.key, reason.params) for reason in reasons]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None

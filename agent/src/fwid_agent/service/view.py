"""What the API sees of the running agent: the store to read from, the analysis to ask."""

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from importlib.metadata import version
from typing import Any

from fwid_agent.api.contract import Record, Which
from fwid_agent.core.devices import is_randomised
from fwid_agent.core.stability import Accepted, DeviceState, ExpectUpdate, Relearn
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.pipeline.memory import read_watch, read_watch_state
from fwid_agent.report.words import describe_reason
from fwid_agent.service.watcher import Watcher, WatchRequest
from fwid_agent.store import DeviceRow, EventPage, Store, VerdictRow
from fwid_agent.types import Event, State, Verdict, format_mac, format_time

_ANSWER_S = 5.0
_SECOND_NS = 1_000_000_000


class AgentView:
    """The running agent as api.contract describes it."""

    def __init__(self, request: WatchRequest, watcher: Watcher) -> None:
        self._request = request
        self._watcher = watcher
        self._started = format_time(time.time_ns())
        self._subscribers: list[Callable[[Event], None]] = []
        self._here = threading.local()  # SQLite wants a connection for each thread

    # --- in the event loop -----------------------------------------------------------------------

    def tell(self, events: Sequence[Event]) -> None:
        """Tell subscribers of stored events."""
        for event in events:
            for callback in tuple(self._subscribers):
                callback(event)

    def subscribe(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Have each event told; returns how to end it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def ready(self) -> bool:
        """Whether packets are captured and judged."""
        return self._watcher.ready.is_set() and not self._watcher.health.trouble

    def health(self) -> Record:
        """What a person asks first when something seems wrong."""
        health, counters = self._watcher.health, self._watcher.counters
        return {
            "interface": self._request.interface,
            "capturing": not health.trouble,
            "trouble": health.trouble,
            "frames": counters.frames,
            "lost": health.lost,
            "devices": counters.devices,
        }

    # --- reading ---------------------------------------------------------------------------------

    def info(self) -> Record:
        """Who the agent is, and what it captures."""
        store = self._store()
        return {
            "id": str(store.agent),
            "version": version("fwid-agent"),
            "started": self._started,
            "capture": self.health(),
            "last_seq": store.events(limit=1).last_seq,
        }

    def devices(self) -> list[Record]:
        """All devices."""
        store = self._store()
        states, mutes = store.states(), store.mutes()
        return [self._record(store, row, states, mutes) for row in store.devices()]

    def device(self, mac: int) -> Record | None:
        """One device, None where it was never seen."""
        store = self._store()
        for row in store.devices():
            if row.device == mac:
                return self._record(store, row, store.states(), store.mutes())
        return None

    def history(self, mac: int, since_ns: int) -> list[Record]:
        """What was decided of units from this time on, oldest first."""
        return [_judged(verdict) for verdict in self._store().verdicts(mac, since_ns)]

    def image(self, mac: int, which: Which) -> bytes | None:
        """A fingerprint image as PNG; None while there is none."""
        from fwid_agent.pipeline.fingerprints import draw_fingerprints  # noqa: PLC0415 - Pillow

        store = self._store()
        text = store.states().get(mac)
        if text is None:
            return None
        unit_ns = self._request.config.unit_s * _SECOND_NS
        watch, _ = read_watch(text, store.units(mac, unit_ns), unit_ns)
        name = format_mac(mac)
        events = [event for event in _all_events(store) if event.device == name]
        for picture in draw_fingerprints(watch, events):
            if picture.name == which:
                return picture.png
        return None

    def events(self, after_seq: int, limit: int) -> EventPage:
        """Stored events after `after_seq`, oldest first."""
        return self._store().events(after_seq, limit)

    def metrics(self) -> Mapping[str, float]:
        """Figures by their Prometheus names, without the prefix."""
        health, counters = self._watcher.health, self._watcher.counters
        return {
            "capture_up": float(not health.trouble),
            "frames_total": counters.frames,
            "frame_bytes_total": counters.bytes,
            "frames_lost_total": health.lost,
            "frames_undecoded_total": counters.undecoded,
            "frame_copies_total": counters.copies,
            "flows_total": counters.flows,
            "packets_of_unknown_devices_total": counters.overflow,
            "devices": counters.devices,
        }

    # --- doing -----------------------------------------------------------------------------------

    def enrol(self, mac: int) -> None:
        """Watch a device that was seen: it is watched already, or it was never seen."""
        self._find(mac)

    def accept(self, mac: int) -> None:
        """Take what the device does now as its new normal."""
        self._steer(mac, Accepted())

    def relearn(self, mac: int) -> None:
        """Forget what is usual for the device and learn it anew."""
        self._steer(mac, Relearn())

    def expect_update(self, mac: int, until_ns: int) -> None:
        """Mark changes until then as expected."""
        self._steer(mac, ExpectUpdate(until_ns))

    def mute(self, mac: int, until_ns: int | None) -> None:
        """Raise no alarm until then, or until further notice."""
        self._find(mac)
        self._store().mute(mac, until_ns, time.time_ns())

    def wrong_alarm(self, mac: int, event_id: str) -> None:
        """Keep that a person calls this event's alarm wrong."""
        self._find(mac)
        store = self._store()
        name = format_mac(mac)
        if not any(event.id == event_id and event.device == name for event in _all_events(store)):
            raise UsageError(f"{name} has no event {event_id}")
        store.call_wrong(event_id, time.time_ns())

    def label(self, mac: int, version: int, text: str) -> None:
        """Name a version."""
        store = self._store()
        state = _state(store.states().get(mac))
        if state is None or version not in state.known_versions:
            raise UsageError(f"{format_mac(mac)} has no version {version}")
        store.label(mac, version, text)

    # --- within ----------------------------------------------------------------------------------

    def _store(self) -> Store:
        store: Store | None = getattr(self._here, "store", None)
        if store is None:
            store = self._here.store = Store.open(self._request.store, create=False)
        return store

    def _find(self, mac: int) -> None:
        if mac not in self._store().states():
            raise UsageError(f"{format_mac(mac)}: no such device was seen")

    def _steer(self, mac: int, given: Accepted | Relearn | ExpectUpdate) -> None:
        asked = self._watcher.ask(lambda home: home.steer(mac, given, time.time_ns()))
        try:
            asked.result(_ANSWER_S)
        except FutureTimeoutError as error:
            raise StoreError("the analysis is busy; try again in a while") from error

    def _record(
        self,
        store: Store,
        row: DeviceRow,
        states: Mapping[int, str],
        mutes: Mapping[int, int | None],
    ) -> Record:
        state = _state(states.get(row.device))
        record: Record = {
            "device": format_mac(row.device),
            "state": None if state is None else state.state.value,
            "first_seen": format_time(row.first_seen_ns),
            "last_seen": format_time(row.last_seen_ns),
            "packets_sent": row.packets_sent,
            "packets_received": row.packets_received,
            "bytes": row.bytes,
            "randomised": is_randomised(row.device),
        }
        until_ns = mutes.get(row.device)
        now_ns = time.time_ns()
        record["muted"] = row.device in mutes and (until_ns is None or until_ns > now_ns)
        record["muted_until"] = format_time(until_ns) if record["muted"] and until_ns else None
        if state is not None:
            record |= self._state_record(store, row.device, state)
        return record

    def _state_record(self, store: Store, mac: int, state: DeviceState) -> Record:
        config, labels = self._request.config, store.labels(mac)
        learning = state.state is State.LEARNING
        left = max(config.learning_units - state.learned_units, 0)
        ready_ns = time.time_ns() + left * config.unit_s * _SECOND_NS
        record: Record = {
            "version": state.version,
            "label": labels.get(state.version),
            "since": format_time(state.since_ns),
            "learned_units": min(state.learned_units, config.learning_units),
            "learning_units": config.learning_units,
            "ready_at": format_time(ready_ns) if learning else None,
            "versions": [
                {"version": number, "label": labels.get(number)} for number in state.known_versions
            ],
            "update_expected_until": None
            if state.expected_until_ns is None
            else format_time(state.expected_until_ns),
        }
        verdicts = store.verdicts(mac, time.time_ns() - 14 * config.unit_s * _SECOND_NS)
        if verdicts:
            record["similarity"] = _number(verdicts[-1].decision.similarity_test)
            told = _telling(verdicts, state.state)
            record["cause"] = told.decision.cause.value
            record["reasons"] = _reasons(told)
            record["reason_texts"] = _texts(told)
        return record


def _state(text: str | None) -> DeviceState | None:
    return None if text is None else read_watch_state(text)


def _telling(verdicts: Sequence[VerdictRow], state: State) -> VerdictRow:
    """Return the verdict that says why the device is in its state."""
    if state is State.CHANGED:
        for verdict in reversed(verdicts):
            if verdict.decision.verdict is Verdict.CHANGED:
                return verdict
    return verdicts[-1]


def _all_events(store: Store) -> list[Event]:
    found: list[Event] = []
    page = store.events()
    while page.events:
        found += page.events
        page = store.events(page.events[-1].seq)
    return found


def _judged(verdict: VerdictRow) -> Record:
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
        "reasons": _reasons(verdict),
        "reason_texts": _texts(verdict),
        "missing": decision.missing or None,
    }


def _reasons(verdict: VerdictRow) -> list[dict[str, Any]]:
    return [
        {"key": reason.key, "params": dict(reason.params)} for reason in verdict.decision.reasons
    ]


def _texts(verdict: VerdictRow) -> list[str]:
    """Words for what differs; a stable unit's small surprises are none."""
    if verdict.decision.verdict in (Verdict.STABLE, Verdict.INSUFFICIENT):
        return []
    return [describe_reason(reason.key, reason.params) for reason in verdict.decision.reasons]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None

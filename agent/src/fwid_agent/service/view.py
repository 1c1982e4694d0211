"""What the API sees of the running agent: the store to read from, the analysis to ask."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from importlib.metadata import version
from pathlib import Path
from secrets import token_hex

from fwid_agent.api.answers import convert
from fwid_agent.api.contract import Record, Which
from fwid_agent.api.messages import (
    Changed,
    Identification,
    Identified,
    ModelChanged,
    NewlyIdentified,
    Notice,
)
from fwid_agent.api.values import Category, Source
from fwid_agent.core.stability import Accepted, ExpectUpdate, Relearn
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.pipeline.identifying import Answer
from fwid_agent.pipeline.memory import read_watch, remembers_since
from fwid_agent.report.words import describe_reason
from fwid_agent.service.contact_records import contact_records
from fwid_agent.service.device_records import (
    count_partly_seen,
    device_record,
    device_records,
    find_state,
    history_records,
    identified_record,
)
from fwid_agent.service.feed import SourceHealth
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.retrainer import Retrainer
from fwid_agent.service.watcher import Watcher
from fwid_agent.store import EventPage, Store
from fwid_agent.store.backup import back_up
from fwid_agent.types import Event, Kind, format_mac, format_time

_ANSWER_S = 5.0
_COPY = "fwid-backup-"
_SECOND_NS = 1_000_000_000


class AgentView:
    """The running agent as api.contract describes it."""

    def __init__(self, request: WatchRequest, watcher: Watcher) -> None:
        self._request = request
        self._watcher = watcher
        self._started = format_time(watcher.clock.now_ns())
        self._subscribers: list[Callable[[Event | Notice], None]] = []
        self._drawn: tuple[tuple[int, str], dict[str, bytes]] | None = None  # the latest pictures
        self.retrainer: Retrainer | None = None  # given once there is an event loop
        self._here = threading.local()  # SQLite wants a connection for each thread

    # --- in the event loop -----------------------------------------------------------------------

    def tell(self, events: Sequence[Event]) -> None:
        """Tell subscribers of stored events."""
        for event in events:
            for callback in tuple(self._subscribers):
                callback(event)

    def tell_judged(self, news: Sequence[Answer] = ()) -> None:
        """Tell subscribers that states may have changed, and what devices newly behave like."""
        self.tell_beside(Changed())
        for answer in news:
            identified = convert(identified_record(answer.row, answer.kind), Identified)
            mac = format_mac(answer.row.device)
            self.tell_beside(NewlyIdentified(device=mac, identified=identified))

    def tell_model(self, record: Record | None) -> None:
        """Tell subscribers how the model that identifies devices stands now."""
        identification = None if record is None else convert(record, Identification)
        self.tell_beside(ModelChanged(identification=identification))

    def tell_beside(self, notice: Notice) -> None:
        """Tell subscribers what is no event."""
        for callback in tuple(self._subscribers):
            callback(notice)

    def subscribe(self, callback: Callable[[Event | Notice], None]) -> Callable[[], None]:
        """Have each event told, and what is none; returns how to end it."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def reason_texts(self, event: Event) -> list[str]:
        """The reasons of an event in words."""
        return [describe_reason(reason.key, reason.params) for reason in event.reasons]

    def ready(self) -> bool:
        """Whether packets are captured and judged."""
        return self._watcher.ready.is_set() and _capturing(self._watcher.sources)

    def count_devices(self) -> int:
        """How many devices there are."""
        return self._watcher.counters.devices

    # --- reading ---------------------------------------------------------------------------------

    def info(self) -> Record:
        """Who the agent is, and what it captures."""
        store = self._store()
        return {
            "id": str(store.agent),
            "version": version("fwid-agent"),
            "started": self._started,
            "time": format_time(self._now_ns()),
            "capture": self._capture(store),
            "last_seq": store.events(limit=1).last_seq,
            "unit_s": self._request.config.unit_s,
            "alarms_per_device_year": self._request.config.alarms_per_device_year,
            "identification": self.retrainer and self.retrainer.record(),
        }

    def devices(self) -> list[Record]:
        """All devices."""
        return device_records(self._store(), self._request.config, self._now_ns())

    def device(self, mac: int) -> Record | None:
        """One device, None where it was never seen."""
        return device_record(self._store(), self._request.config, self._now_ns(), mac)

    def history(self, mac: int, since_ns: int) -> list[Record]:
        """What was decided of units from this time on, oldest first."""
        self._find(mac)
        return history_records(self._store().verdicts(mac), since_ns)

    def contacts(self, mac: int, since_ns: int) -> list[Record]:
        """How much it talked, and with whom, from this time on, oldest first."""
        self._find(mac)
        return contact_records(self._store(), self._request.config, mac, since_ns)

    def image(self, mac: int, which: Which) -> bytes | None:
        """A fingerprint image as PNG; None while there is none."""
        store = self._store()
        text = store.states().get(mac)
        if text is None:
            return None
        # All of a device are drawn together, and whoever asks for one asks for the others too.
        if self._drawn is None or self._drawn[0] != (mac, text):
            self._drawn = ((mac, text), self._draw(store, mac, text))
        return self._drawn[1].get(which)

    def events(self, after_seq: int, limit: int, device: str | None = None) -> EventPage:
        """Stored events after `after_seq`, oldest first; of one device where it is named."""
        return self._store().events(after_seq, limit, device=device)

    def backup(self) -> Path:
        """Copy the store; the copy is the caller's to remove."""
        folder = self._request.store.parent
        for left in folder.glob(f"{_COPY}*"):  # of a power cut: there is one copy at a time
            left.unlink(missing_ok=True)
        target = folder / f"{_COPY}{token_hex(8)}"
        back_up(self._request.store, target)
        return target

    def metrics(self) -> Mapping[str, float]:
        """Figures by their Prometheus names, without the prefix."""
        sources, counters = self._watcher.sources, self._watcher.counters
        return {
            "capture_up": float(_capturing(sources)),
            "frames_total": counters.frames,
            "frame_bytes_total": counters.bytes,
            "frames_lost_total": sum(source.lost for source in sources),
            "frames_undecoded_total": counters.undecoded,
            "frame_copies_total": counters.copies,
            "frames_merged_total": sum(source.merged for source in sources),
            "flows_total": counters.flows,
            "flows_evicted_total": counters.evicted,
            "packets_of_unknown_devices_total": counters.overflow,
            "devices_forgotten_total": counters.forgotten,
            "windows_lost_total": counters.lost_windows,
            "devices": counters.devices,
            "devices_partly_seen": count_partly_seen(self._store()),
        }

    # --- doing -----------------------------------------------------------------------------------

    def enrol(self, mac: int) -> None:
        """Watch a device that was seen, and never forget it."""
        self._find(mac)
        self._store().want(mac)

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
        self._store().mute(mac, until_ns, self._now_ns())

    def wrong_alarm(self, mac: int, event_id: str) -> None:
        """Keep that a person calls this event's alarm wrong."""
        self._find(mac)
        store, name = self._store(), format_mac(mac)
        if not any(event.id == event_id for event in _all_events(store, name)):
            raise UsageError(f"{name} has no event {event_id}")
        store.call_wrong(event_id, self._now_ns())

    def label(self, mac: int, version: int, text: str) -> None:
        """Name a version."""
        store = self._store()
        state = find_state(store, mac)
        if state is None or version not in state.known_versions:
            raise UsageError(f"{format_mac(mac)} has no version {version}")
        store.label(mac, version, text)

    def name(self, mac: int, text: str | None) -> None:
        """Call a device so; None: what it calls itself again."""
        self._find(mac)
        self._store().name(mac, text)

    def set_kind(
        self, mac: int, label: str | None, category: Category | None, source: Source
    ) -> None:
        """Keep what a device is said to be; None: forget what this source said."""
        self._find(mac)
        if label is None:
            self._store().drop_kind(mac, source)
        else:
            self._store().put_kind(mac, Kind(label, category, source))

    def retrain(self) -> Record:
        """Start to train the model that identifies devices."""
        return self._retraining().ask() or {}

    def roll_back_identifier(self) -> Record:
        """Use the model before again."""
        return self._retraining().ask_roll_back() or {}

    # --- within ----------------------------------------------------------------------------------

    def _retraining(self) -> Retrainer:
        if self.retrainer is None:
            raise UsageError("this agent does not identify devices")
        return self.retrainer

    def _draw(self, store: Store, mac: int, text: str) -> dict[str, bytes]:
        """Draw the pictures of a device whose watch is this text."""
        from fwid_agent.pipeline.fingerprints import draw_fingerprints  # noqa: PLC0415 - Pillow

        unit_ns = self._request.config.unit_s * _SECOND_NS
        watch, _ = read_watch(
            text, store.units(mac, unit_ns, remembers_since(text, unit_ns)), unit_ns
        )
        pictures = draw_fingerprints(watch, _all_events(store, format_mac(mac)))
        return {picture.name: picture.png for picture in pictures}

    def _capture(self, store: Store) -> Record:
        """How the capture is: `messages.CaptureHealth`."""
        sources, counters = self._watcher.sources, self._watcher.counters
        return {
            "capturing": _capturing(sources),
            "trouble": "; ".join(source.trouble for source in sources if source.trouble),
            "frames": counters.frames,
            "lost": sum(source.lost for source in sources),
            "copies": counters.copies,
            "merged": sum(source.merged for source in sources),
            "undecoded": counters.undecoded,
            "unfollowed": counters.overflow,
            "flows_evicted": counters.evicted,
            "forgotten": counters.forgotten,
            "lost_windows": counters.lost_windows,
            "devices": counters.devices,
            "partly_seen": count_partly_seen(store),
            "sources": [_source_record(source) for source in sources],
        }

    def _now_ns(self) -> int:
        return self._watcher.clock.now_ns()

    def _store(self) -> Store:
        store: Store | None = getattr(self._here, "store", None)
        if store is None:
            store = self._here.store = Store.open(self._request.store, create=False)
        return store

    def _find(self, mac: int) -> None:
        if all(row.device != mac for row in self._store().devices()):
            raise UsageError(f"{format_mac(mac)}: no such device was seen")

    def _steer(self, mac: int, given: Accepted | Relearn | ExpectUpdate) -> None:
        asked = self._watcher.ask(lambda home: home.steer(mac, given, self._now_ns()))
        try:
            asked.result(_ANSWER_S)
        except FutureTimeoutError as error:
            raise StoreError("the analysis is busy; try again in a while") from error


def _capturing(sources: Sequence[SourceHealth]) -> bool:
    """One source that is away does not stop the others."""
    return any(not source.trouble for source in sources)


def _source_record(health: SourceHealth) -> Record:
    return {
        "source": health.source,
        "kind": health.kind,
        "capturing": not health.trouble,
        "trouble": health.trouble,
        "frames": health.frames,
        "lost": health.lost,
        "copies": health.copies,
        "merged": health.merged,
    }


def _all_events(store: Store, device: str) -> list[Event]:
    found: list[Event] = []
    page = store.events(device=device)
    while page.events:
        found += page.events
        page = store.events(page.events[-1].seq, device=device)
    return found

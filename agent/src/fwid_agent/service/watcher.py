"""The analysis: a thread that feeds the home with frames, and alone writes the store."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from fwid_agent.core.age import BelievedTime
from fwid_agent.errors import CaptureError, FwidError, StoreError, StoreLostError
from fwid_agent.identify.kept import in_use as identifier_in_use
from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.identifying import Answer, Identifying
from fwid_agent.pipeline.ingest import SECOND_NS, ReadOptions
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.refined import InUse, load_twin
from fwid_agent.service.addresses import own_addresses
from fwid_agent.service.clock import Clock
from fwid_agent.service.feed import Feed, SourceHealth
from fwid_agent.service.logs import name_device
from fwid_agent.service.request import WatchRequest
from fwid_agent.store import Store, VerdictRow, alone
from fwid_agent.types import Event, format_mac

_TICK_S = 0.25
_ROUND_S = 60.0
_NEWCOMERS_S = 30.0  # whoever has just started the agent does not wait for the end of the hour
_GRACE_NS = 2 * SECOND_NS  # frames of a unit that are still on their way when it ends
_log = logging.getLogger("fwid")

Command = Callable[[Home], Any]


@dataclass(slots=True)
class Counters:
    """What was seen since the start; read by other threads, written by the analysis alone."""

    frames: int = 0
    bytes: int = 0
    undecoded: int = 0
    copies: int = 0
    flows: int = 0
    devices: int = 0
    evicted: int = 0  # of the flows: closed early, for there were too many
    overflow: int = 0  # packets of addresses beyond the table of devices
    forgotten: int = 0  # devices, to make room for others
    lost_windows: int = 0  # that could not be stored for so long that newer ones took their place
    latest_ns: int = 0


class Watcher(threading.Thread):
    """Feeds, judges and stores until it is stopped.

    Other threads talk to it by `ask`; what happens is told by `on_events`, that units were judged
    by `on_judged`, with what devices behave like other than before, and that it is over by
    `on_end`, all called in this thread, once everything is stored.
    """

    def __init__(
        self,
        request: WatchRequest,
        feed: Feed,
        on_events: Callable[[Sequence[Event]], None],
        on_end: Callable[[], object],
        on_judged: Callable[[Sequence[Answer]], object] = lambda _: None,
    ) -> None:
        super().__init__(name="analysis")
        self.counters = Counters()
        self.error: Exception | None = None  # why the thread ended, if not because it was told to
        self.ready = threading.Event()  # what the store holds is known, or why it never will be
        self._request = request
        self._on_events = on_events
        self._on_end = on_end
        self._on_judged = on_judged
        self._feed = feed
        self._commands: queue.SimpleQueue[tuple[Command, Future[Any]]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._round_s = time.monotonic()
        self._trouble = ""  # of the store

    @property
    def clock(self) -> Clock:
        """The time that units end by."""
        return self._feed.clock

    @property
    def sources(self) -> Sequence[SourceHealth]:
        """How each source is."""
        return self._feed.sources

    def ask(self, command: Command) -> Future[Any]:
        """Let the analysis do something with the home between two blocks."""
        answer: Future[Any] = Future()
        self._commands.put((command, answer))
        return answer

    def alive(self) -> bool:
        """Whether the analysis has come round lately: judging hundreds of devices takes a while."""
        return time.monotonic() - self._round_s < _ROUND_S

    def stop(self) -> None:
        """End soon, and store everything before."""
        self._stopping.set()

    def run(self) -> None:
        """Watch until stopped."""
        try:
            with alone(self._request.store), Store.open(self._request.store) as store:
                self._watch(store)
        except Exception as error:  # whatever it is, it is told where the agent ends
            self.error = error
        finally:
            self._stopping.set()
            self.ready.set()  # or never: nobody has to wait any longer
            self._refuse_commands()
            self._on_end()

    def _watch(self, store: Store) -> None:
        config = self._request.config
        ledger = Ledger(store, self._on_events)
        window_ns = config.window_s * SECOND_NS
        several = len(self.sources) > 1
        options = ReadOptions(
            window_ns,
            False,
            config.dedup,
            config,
            own=own_addresses(),
            several_sources=several,
            flows=config.identify != "off",
        )
        network = load_twin(self._request.store)
        _tell_network(network)
        identifying = None
        if options.flows:
            identifying = Identifying(store, identifier_in_use(store.path), _log.warning)
        home = Home(options, "day", ledger, network.twin, identifying)
        home.restore(store)
        self._feed.begin(home, ledger)
        self.ready.set()
        believed = BelievedTime(ledger.believed_ns(), self.clock.steady_ns())
        borders = _Borders(config.window_s * SECOND_NS, self.clock.now_ns() - _GRACE_NS)
        newcomers = _Newcomers()
        while not self._stopping.is_set():
            self._round_s = time.monotonic()
            try:
                self._feed.step(_TICK_S)
            except CaptureError as error:
                self.error = error
                self._stopping.set()
            self._count(home)
            self._obey(home)
            now_ns = self.clock.now_ns() - _GRACE_NS
            if borders.passed(now_ns) or newcomers.wait_no_longer(len(home.ingest.devices)):
                self._save(home, now_ns, believed, ledger)
        self._feed.end()
        home.commit()
        self._count(home)
        lost = sum(source.lost for source in self.sources)
        counters = self.counters
        _log.info("stopped frames=%d copies=%d lost=%d", counters.frames, counters.copies, lost)

    def _save(self, home: Home, now_ns: int, believed: BelievedTime, ledger: Ledger) -> None:
        """End what has ended. Where the store fails, nothing is lost: it stays to be stored."""
        try:
            judged = list(home.end_units(now_ns))
            for verdict in judged:
                self._tell_judged(verdict, name_device(ledger.agent, verdict.device))
            home.collect()
            home.commit()
            # Of a time that may be wrong, no more is forgotten than frames have reached.
            old_ns = min(believed.follow(now_ns, self.clock.steady_ns()), home.ingest.typical_ns)
            ledger.compact(old_ns, self._request.config)
            if self._trouble:
                lost = ledger.lost_windows
                _log.info("the store takes what is new again lost_windows=%d", lost)
            self._trouble = ""
            forgotten = self._make_room(home)
            if judged or forgotten:
                self._on_judged(home.take_news())
        except StoreLostError:
            raise  # to go on would be to watch for nobody
        except StoreError as error:
            if str(error) != self._trouble:
                _log.warning("%s", error)
            self._trouble = str(error)
            if ledger.lost_windows and not self.counters.lost_windows:
                _log.warning("too much waits to be stored: the oldest of it is given up")
            self.counters.lost_windows = ledger.lost_windows

    def _tell_judged(self, verdict: VerdictRow, name: str) -> None:
        _log.info(
            "judged device=%s verdict=%s state=%s", name, verdict.decision.verdict, verdict.state
        )
        _log.debug("device=%s address=%s", name, format_mac(verdict.device))

    def _make_room(self, home: Home) -> int:
        config = self._request.config
        # Silence is measured in what has been read: where the analysis is behind, nobody is silent.
        now_ns = home.ingest.typical_ns
        forgotten = home.make_room(now_ns, config.max_devices, config.window_s * SECOND_NS)
        if forgotten:
            _log.warning(
                "forgot %d addresses that were hardly seen, to make room for others", forgotten
            )
            self.counters.forgotten += forgotten
        return forgotten

    def _obey(self, home: Home) -> None:
        while True:
            try:
                command, answer = self._commands.get_nowait()
            except queue.Empty:
                return
            try:
                answer.set_result(command(home))
            except FwidError as error:
                answer.set_exception(error)

    def _refuse_commands(self) -> None:
        while True:
            try:
                _, answer = self._commands.get_nowait()
            except queue.Empty:
                return
            answer.set_exception(self.error or StoreError("the agent is stopping"))

    def _count(self, home: Home) -> None:
        ingest, counters = home.ingest, self.counters
        counters.frames = ingest.packets
        counters.bytes = ingest.bytes
        counters.undecoded = sum(ingest.undecoded.values())
        counters.copies = ingest.copies.total()
        counters.flows = ingest.flows_so_far()
        evicted = ingest.evicted_so_far()
        if evicted and not counters.evicted:
            _log.warning(
                "more than %d connections at once: those that were silent longest are taken for "
                "ended (`max_flows`)",
                self._request.config.max_flows,
            )
        counters.evicted = evicted
        counters.devices = len(home.devices)
        if ingest.devices.overflow and not counters.overflow:
            _log.warning(
                "more than %d addresses, perhaps made up: further ones are not followed, only "
                "counted (`max_devices`)",
                self._request.config.max_devices,
            )
        counters.overflow = ingest.devices.overflow
        counters.latest_ns = ingest.latest_ns


def _tell_network(in_use: InUse) -> None:
    """Log which network judges, where it is not the one that came with the agent."""
    if in_use.note:
        _log.warning("the network that came with the agent judges: %s", in_use.note)
    elif in_use.number is not None:
        _log.info("the refined network judges number=%d", in_use.number)


class _Borders:
    """Tells when time has reached another window; a clock that is set back counts as well."""

    def __init__(self, window_ns: int, now_ns: int) -> None:
        self._window_ns = window_ns
        self._last = now_ns // window_ns

    def passed(self, now_ns: int) -> bool:
        window = now_ns // self._window_ns
        before, self._last = self._last, window
        return window != before


class _Newcomers:
    """Tells when devices that are not stored yet have waited long enough to be shown."""

    def __init__(self) -> None:
        self._told = 0
        self._told_s = time.monotonic()

    def wait_no_longer(self, devices: int) -> bool:
        self._told = min(self._told, devices)  # some may have been forgotten
        if devices == self._told or time.monotonic() - self._told_s < _NEWCOMERS_S:
            return False
        self._told, self._told_s = devices, time.monotonic()
        return True

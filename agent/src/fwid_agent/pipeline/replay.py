"""Captures through the whole pipeline, as if they were live."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from fwid_agent.capture.files import CaptureFile
from fwid_agent.core.devices import is_randomised
from fwid_agent.errors import UnreadableInputError
from fwid_agent.identify.kept import in_use
from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.identifying import Identifying
from fwid_agent.pipeline.ingest import SECOND_NS, ReadOptions, list_readable
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.messages import (
    DeviceLine,
    OnNote,
    OnProgress,
    ReasonLine,
    ReplayRequest,
    Summary,
    VerdictLine,
)
from fwid_agent.pipeline.pace import Pace, cut_in_time
from fwid_agent.pipeline.refined import load_twin
from fwid_agent.pipeline.sessions import read_session
from fwid_agent.report.words import describe_reason
from fwid_agent.store import Store, VerdictRow, alone
from fwid_agent.types import format_mac, format_time


def replay(
    request: ReplayRequest, *, on_progress: OnProgress, on_note: OnNote
) -> Iterator[VerdictLine | Summary]:
    """Yield a line for every unit that ends, and a summary.

    What was read before a capture breaks off, and beside one that is none, is judged, stored and
    summed up; then the fault is raised.

    Raises:
        UnreadableInputError: a capture cannot be read (further).
        StoreError: the store cannot be used.

    """
    with ExitStack() as stack:
        store = None
        if request.store:
            stack.enter_context(alone(path := Path(request.store)))
            store = stack.enter_context(Store.open(path))
        identifying = None
        if store and request.config.identify != "off":
            identifying = Identifying(store, in_use(store.path), on_note)
        run = _Run(request, Ledger(store), identifying)
        if store:
            run.home.restore(store)
        captures, faults = list_readable(request.paths, on_note)
        for capture in captures:
            try:
                yield from run.read(capture, on_progress, on_note)
            except UnreadableInputError as error:
                faults.append(error)
            yield from run.end_session()
        yield from run.end()
        yield run.summary()
        for fault in faults[1:]:
            on_note(str(fault))
        if faults:
            raise faults[0]


class _Run:
    """One replay: every capture is a session of its own."""

    def __init__(
        self, request: ReplayRequest, ledger: Ledger, identifying: Identifying | None
    ) -> None:
        self._started_s = time.monotonic()
        self._request = request
        self._ledger = ledger
        per_file = request.unit == "file"
        window_ns = int(request.window_s * SECOND_NS)
        config = request.config
        flows = request.store is not None and config.identify != "off"
        options = ReadOptions(window_ns, per_file, request.dedup, config, flows=flows)
        twin = load_twin(Path(request.store) if request.store else None).twin
        self.home = Home(options, request.unit, ledger, twin, identifying)
        self._pace = Pace(request.speed)

    def read(
        self, capture: CaptureFile, on_progress: OnProgress, on_note: OnNote
    ) -> Iterator[VerdictLine]:
        """Read one capture."""
        if self._request.unit == "day":
            yield from _lines(self.home.end_units(capture.first_ts_ns))
        for block in read_session(self.home, self._ledger, capture, on_progress, on_note):
            for piece in cut_in_time(block, self._request.speed):
                # Not behind the piece: of a capture that has not ended, not all may be stored.
                if self._request.unit == "day":
                    yield from _lines(self.home.end_units(self.home.ingest.latest_ns))
                self._pace.wait(piece)
                self.home.feed(piece)

    def end_session(self) -> Iterator[VerdictLine]:
        """End the capture that was begun last, also where it broke off."""
        self.home.end_session()
        per_file = self._request.unit == "file"
        now_ns = None if per_file else self.home.ingest.latest_ns
        yield from _lines(self.home.end_units(now_ns))
        self.home.commit()

    def end(self) -> Iterator[VerdictLine]:
        """Judge the units that are still open."""
        yield from _lines(self.home.end_units(None))
        self.home.commit()
        # One frame of a far future would make all before it old, and be forgotten with it.
        self._ledger.compact(self.home.ingest.typical_ns, self._request.config)

    def summary(self) -> Summary:
        """Say what was read, and where each device stands."""
        ingest, counts = self.home.ingest, self.home.ingest.devices.counts()
        devices = self.home.devices
        lines = [
            DeviceLine(
                format_mac(int(mac)),
                int(counts.packets_sent[index]),
                int(counts.packets_received[index]),
                int(counts.bytes[index]),
                devices[int(mac)].windows if int(mac) in devices else 0,
                devices[int(mac)].watch.state.state.value if int(mac) in devices else "quiet",
                bool(counts.gateway[index]),
                is_randomised(int(mac)),
            )
            for index, mac in enumerate(counts.mac)
        ]
        return Summary(
            ingest.packets,
            ingest.bytes,
            sum(ingest.undecoded.values()),
            dict(ingest.undecoded),
            ingest.copies.total(),
            ingest.flows_so_far(),
            tuple(sorted(lines, key=lambda line: -line.bytes)),
            round(time.monotonic() - self._started_s, 3),
        )


def _lines(verdicts: Iterable[VerdictRow]) -> Iterator[VerdictLine]:
    for verdict in verdicts:
        decision = verdict.decision
        yield VerdictLine(
            format_time(verdict.unit_start_ns),
            decision.device,
            verdict.state.value,
            verdict.version,
            decision.verdict.value,
            decision.effect.g if decision.effect else None,
            tuple(
                ReasonLine(each.key, dict(each.params), describe_reason(each.key, each.params))
                for each in decision.reasons
            ),
        )

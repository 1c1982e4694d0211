"""Captures through the whole pipeline, as if they were live: units end, are judged and stored."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from fwid_agent.capture.files import CaptureFile, open_capture
from fwid_agent.core.devices import is_randomised
from fwid_agent.core.evidence import Judge
from fwid_agent.core.stability import Rules
from fwid_agent.core.watch import Method, Watch, begin, judge_unit
from fwid_agent.errors import UnreadableInputError
from fwid_agent.pipeline.ingest import Ingest, ReadOptions, list_captures, read_blocks
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.memory import read_watch, write_watch
from fwid_agent.pipeline.messages import (
    DeviceLine,
    OnNote,
    OnProgress,
    ReasonLine,
    ReplayRequest,
    Summary,
    VerdictLine,
)
from fwid_agent.pipeline.models import load_model, load_prior
from fwid_agent.store import Store, VerdictRow
from fwid_agent.tables import merge_tables, select_periods
from fwid_agent.types import (
    SUM_INDEX,
    Decision,
    FrameBlock,
    UnitTable,
    format_mac,
    format_time,
)

SECOND_NS = 1_000_000_000
_YEAR_S = 365.25 * 86_400
_NEVER_NS = -(2**62)
_HIGHEST_CHANCE = 0.1  # of a false alarm a unit, whatever rate is asked for


@dataclass(slots=True)
class _Device:
    """One device during the run."""

    watch: Watch
    judged_ns: int  # start of the newest judged unit
    open: list[UnitTable] = field(default_factory=list)  # windows of units that have not ended
    windows: int = 0  # with traffic


def replay(
    request: ReplayRequest, *, on_progress: OnProgress, on_note: OnNote
) -> Iterator[VerdictLine | Summary]:
    """Yield a line for every unit that ends, and a summary.

    What was read before a capture breaks off is judged, stored and summed up; then the fault is
    raised.

    Raises:
        UnreadableInputError: a capture cannot be read (further).
        StoreError: the store cannot be used.

    """
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(Path(request.store))) if request.store else None
        run = _Run(request, Ledger(store))
        if store:
            run.restore(store)
        faults: list[UnreadableInputError] = []
        for capture in list_captures(request.paths, on_note):
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
    """One replay: feeds the stages, and ends and judges units as time passes."""

    def __init__(self, request: ReplayRequest, ledger: Ledger) -> None:
        config = request.config
        self._started_s = time.monotonic()
        self._request = request
        self._ledger = ledger
        self._unit_ns = config.unit_s * SECOND_NS
        chance = min(config.alarms_per_device_year * config.unit_s / _YEAR_S, _HIGHEST_CHANCE)
        self._method = Method(
            Judge(load_prior(), load_model(), chance),
            request.unit,
            self._unit_ns,
            Rules(ledger.agent, config.learning_units, config.settle_units),
        )
        self._ingest = Ingest(
            ReadOptions(
                int(request.window_s * SECOND_NS), request.unit == "file", request.dedup, config
            )
        )
        self._devices: dict[int, _Device] = {}
        self._border_ns = _NEVER_NS  # units that began before it have been judged
        self._pace = _Pace(request.speed)

    def read(
        self, capture: CaptureFile, on_progress: OnProgress, on_note: OnNote
    ) -> Iterator[VerdictLine]:
        """Read one capture; every capture is a session of its own."""
        if self._request.unit == "day":
            yield from self._end_units(capture.first_ts_ns)
        session, counted = self._ledger.open_session(capture)
        self._ingest.begin_session(session, capture.first_ts_ns)
        with open_capture(capture.path) as reader:
            for block in read_blocks(reader, on_progress, on_note):
                self._feed(block, min(counted, len(block.ts_ns)))
                counted = max(counted - len(block.ts_ns), 0)
                if self._request.unit == "day":
                    yield from self._end_units(self._ingest.latest_ns)

    def end_session(self) -> Iterator[VerdictLine]:
        """End the capture that was begun last, also where it broke off."""
        self._ingest.end_session()
        self._collect()
        if self._request.unit == "file":
            yield from self._end_units(None)
        self._commit()

    def end(self) -> Iterator[VerdictLine]:
        """Judge the units that are still open."""
        yield from self._end_units(None)
        self._commit()
        newest_ns = int(self._ingest.devices.counts().last_ns.max(initial=0))
        self._ledger.compact(newest_ns, self._request.config)

    def summary(self) -> Summary:
        """Say what was read, and where each device stands."""
        ingest, counts = self._ingest, self._ingest.devices.counts()
        lines = [
            DeviceLine(
                format_mac(int(mac)),
                int(counts.packets_sent[index]),
                int(counts.packets_received[index]),
                int(counts.bytes[index]),
                self._devices[int(mac)].windows if int(mac) in self._devices else 0,
                self._devices[int(mac)].watch.state.state.value
                if int(mac) in self._devices
                else "quiet",
                bool(counts.gateway[index]),
                is_randomised(int(mac)),
            )
            for index, mac in enumerate(counts.mac)
            if counts.packets_sent[index]
        ]
        return Summary(
            ingest.packets,
            ingest.bytes,
            sum(ingest.undecoded.values()),
            dict(ingest.undecoded),
            ingest.copies,
            ingest.flows_so_far(),
            tuple(sorted(lines, key=lambda line: -line.bytes)),
            round(time.monotonic() - self._started_s, 3),
        )

    # --- reading ---------------------------------------------------------------------------------

    def _feed(self, block: FrameBlock, counted: int) -> None:
        self._pace.wait(block)
        if counted:
            self._ingest.prime(_part(block, slice(counted)))
            self._ledger.skip(self._ingest.devices.counts())
            block = _part(block, slice(counted, None))
        if len(block.ts_ns):
            self._ingest.feed(block)
        self._ledger.add_frames(len(block.ts_ns))

    def _collect(self) -> None:
        """Take what the stages have added up."""
        for mac, table in self._ingest.drain().items():
            device = self._devices.get(mac)
            if device is None:
                now_ns = int(table.start_ns.min())
                watch, events = begin(mac, now_ns, self._method.rules)
                device = self._devices[mac] = _Device(watch, _NEVER_NS)
                self._ledger.add_events(events)
            device.open.append(table)
            heard = table.sums[:, :, SUM_INDEX["packets"]].any(axis=1)
            device.windows += int(heard.sum())
            self._ledger.add_windows(mac, table)

    # --- judging ---------------------------------------------------------------------------------

    def _end_units(self, now_ns: int | None) -> Iterator[VerdictLine]:
        """Judge every unit that has ended; all of them where there is no more time to come."""
        border_ns = None if now_ns is None else now_ns // self._unit_ns * self._unit_ns
        if border_ns is not None and not self._passed(border_ns):
            return
        self._collect()
        for mac in sorted(self._devices):
            yield from self._judge(mac, self._devices[mac], border_ns)
        self._commit()

    def _passed(self, border_ns: int) -> bool:
        """Say whether time has reached this border for the first time."""
        passed = border_ns > self._border_ns
        self._border_ns = max(self._border_ns, border_ns)
        return passed

    def _judge(self, mac: int, device: _Device, border_ns: int | None) -> Iterator[VerdictLine]:
        if not device.open:
            return
        table = merge_tables(device.open)
        ended = np.ones(len(table), bool) if border_ns is None else table.start_ns < border_ns
        device.open = [] if ended.all() else [select_periods(table, np.flatnonzero(~ended))]
        table = select_periods(table, np.flatnonzero(ended))
        labels = table.session if self._request.unit == "file" else table.start_ns // self._unit_ns
        for label in dict.fromkeys(labels[np.argsort(table.start_ns, kind="stable")].tolist()):
            unit = select_periods(table, np.flatnonzero(labels == label))
            # What comes late for a unit that was judged is kept, but it is not judged again.
            late = self._request.unit == "day" and label <= device.judged_ns // self._unit_ns
            if not late and unit.sums[:, :, SUM_INDEX["packets"]].any():
                yield self._judge_unit(mac, device, unit)

    def _judge_unit(self, mac: int, device: _Device, unit: UnitTable) -> VerdictLine:
        start_ns = int(unit.start_ns.min())
        end_ns = start_ns // self._unit_ns * self._unit_ns + self._unit_ns
        device.watch, decision, events = judge_unit(device.watch, unit, end_ns, self._method)
        device.judged_ns = start_ns
        self._ledger.add_events(events)
        state = device.watch.state
        self._ledger.add_verdict(VerdictRow(mac, start_ns, state.state, state.version, decision))
        return _verdict_line(decision, start_ns, state.state.value, state.version)

    # --- storing ---------------------------------------------------------------------------------

    def _commit(self) -> None:
        states = {
            mac: write_watch(device.watch, device.judged_ns, self._unit_ns)
            for mac, device in self._devices.items()
        }
        self._ledger.commit(self._ingest.devices.counts(), states)

    def restore(self, store: Store) -> None:
        """Go on with what an earlier run has left."""
        for mac, text in store.states().items():
            units = store.units(mac, self._unit_ns)
            watch, judged_ns = read_watch(text, units)
            device = self._devices[mac] = _Device(watch, judged_ns)
            windows = store.windows(mac)
            device.windows = int(windows.sums[:, :, SUM_INDEX["packets"]].any(axis=1).sum())
            if self._request.unit == "day":
                end_ns = judged_ns // self._unit_ns * self._unit_ns + self._unit_ns
                later = np.flatnonzero(windows.start_ns >= end_ns)
                if len(later):
                    device.open.append(select_periods(windows, later))


class _Pace:
    """Holds a replay back to a multiple of real time."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._begin: tuple[float, int] | None = None

    def wait(self, block: FrameBlock) -> None:
        """Wait until the block's first frame is due."""
        if self._speed is None or not len(block.ts_ns):
            return
        first_ns = int(block.ts_ns[0])
        if self._begin is None:
            self._begin = (time.monotonic(), first_ns)
        due_s = self._begin[0] + (first_ns - self._begin[1]) / SECOND_NS / self._speed
        time.sleep(max(due_s - time.monotonic(), 0.0))


def _part(block: FrameBlock, which: slice) -> FrameBlock:
    columns = {f.name: getattr(block, f.name) for f in fields(block)}
    return FrameBlock(
        **{name: column if name == "buffer" else column[which] for name, column in columns.items()}
    )


def _verdict_line(decision: Decision, start_ns: int, state: str, version: int) -> VerdictLine:
    return VerdictLine(
        format_time(start_ns),
        decision.device,
        state,
        version,
        decision.verdict.value,
        decision.effect.g if decision.effect else None,
        tuple(ReasonLine(reason.key, dict(reason.params)) for reason in decision.reasons),
    )

"""A home's devices over time: units end, are judged and stored, live as from captures."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fwid_agent.capture.files import CaptureFile
from fwid_agent.config import Config
from fwid_agent.core.evidence import Judge, Model
from fwid_agent.core.room import Resident, choose_leavers
from fwid_agent.core.scan import Method, Watch
from fwid_agent.core.stability import (
    Accepted,
    DeviceState,
    ExpectUpdate,
    Relearn,
    Rules,
    step,
)
from fwid_agent.core.vantage import judge_vantage
from fwid_agent.core.watch import begin, judge_unit
from fwid_agent.errors import UsageError
from fwid_agent.identify.kept import InUse as Identifier
from fwid_agent.pipeline.answering import Answering
from fwid_agent.pipeline.identifying import Answer, Identifying
from fwid_agent.pipeline.ingest import SECOND_NS, Ingest, ReadOptions
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.memory import read_watch, remembers_since, write_watch
from fwid_agent.pipeline.messages import UnitKind
from fwid_agent.pipeline.models import load_model, load_prior
from fwid_agent.pipeline.sayings import Sayings
from fwid_agent.pipeline.watched import WatchedDevice, resident
from fwid_agent.store import SessionProgress, Store, VerdictRow
from fwid_agent.tables import (
    merge_contacts,
    merge_tables,
    name_heard,
    select_contacts,
    select_periods,
)
from fwid_agent.types import (
    SUM_INDEX,
    FrameBlock,
    State,
    UnitTable,
    Vantage,
    format_mac,
)

_YEAR_S = 365.25 * 86_400
_NEVER_NS = -(2**62)
_FOREVER_NS = 2**62
_HIGHEST_CHANCE = 0.1  # of a false alarm a unit, whatever rate is asked for


class Home:
    """Feeds the stages, and ends and judges units as time passes.

    Time is that of the frames, so nothing here knows whether they are live.

    Raises:
        StoreError: by every method that stores, where the store cannot be used.

    """

    def __init__(
        self,
        options: ReadOptions,
        unit: UnitKind,
        ledger: Ledger,
        model: Model | None = None,
        identifying: Identifying | None = None,
    ) -> None:
        config: Config = options.config
        self._unit = unit
        self._unit_ns = config.unit_s * SECOND_NS
        # A file is one unit, also where it goes on after midnight.
        self._longest_ns = self._unit_ns if unit == "day" else _FOREVER_NS
        chance = min(config.alarms_per_device_year * config.unit_s / _YEAR_S, _HIGHEST_CHANCE)
        self._method = Method(
            Judge(load_prior(), model or load_model(), chance),
            unit,
            self._unit_ns,
            Rules(ledger.agent, config.learning_units, config.settle_units),
        )
        self._ledger = ledger
        self._sayings = Sayings(ledger)
        self._answering = Answering(identifying, ledger, self._unit_ns)
        self.ingest = Ingest(options)
        self.devices: dict[int, WatchedDevice] = {}  # by MAC
        self._changed: set[int] = set()  # devices whose watch is not stored yet
        self._judged_files: set[int] = set()  # sessions that an earlier run has judged
        self._border_ns = _NEVER_NS  # units that began before it have been judged

    def use(self, model: Model) -> None:
        """Judge by another network from now on."""
        judge = replace(self._method.judge, model=model)
        self._method = replace(self._method, judge=judge)

    def identify_by(self, in_use: Identifier) -> None:
        """Ask another model what devices behave like from now on."""
        self._answering.use(in_use)

    def begin_session(self, session: int, capture: CaptureFile, known: SessionProgress) -> None:
        """Begin a capture, of which an earlier run may have stored a part."""
        self.ingest.begin_session(session, capture.first_ts_ns, capture.path, ended=known.ended)
        if self._unit == "file":
            self._answering.begin_file(session, self.ingest.latest_ns)
            if known.frames_done:
                self._judged_files.add(session)

    def feed(self, block: FrameBlock) -> None:
        """Take frames of the session that was begun last."""
        if len(block.ts_ns):
            self.ingest.feed(block)
        self._ledger.add_frames(len(block.ts_ns))

    def prime(self, block: FrameBlock) -> None:
        """Take frames that an earlier run has stored."""
        self.ingest.prime(block)
        self._ledger.skip(self.ingest.devices.counts())

    def end_session(self) -> None:
        """End the session that was begun last, also where it broke off."""
        if self.ingest.end_session():
            self._ledger.end_session()
        self.collect()

    def collect(self) -> None:
        """Take what the stages have added up."""
        gain = self.ingest.drain()
        for mac, table in gain.windows.items():
            device = self.devices.get(mac)
            if device is None:
                now_ns = int(table.start_ns.min())
                watch, events = begin(mac, now_ns, self._method.rules)
                device = self.devices[mac] = WatchedDevice(watch, _NEVER_NS)
                self._ledger.add_events(events)
                self._changed.add(mac)
            device.open.append(table)
            heard = name_heard(table)
            device.windows += len(heard - device.newest)
            device.newest = heard
            self._ledger.add_windows(mac, table)
        for mac, contacts in gain.contacts.items():
            self.devices[mac].contacts.append(contacts)
            self._ledger.add_contacts(mac, contacts)
        for mac, units in gain.flows.items():
            if mac in self.devices:
                self._ledger.add_flows(mac, units)
        self._sayings.add(gain, self.devices)

    def end_units(self, now_ns: int | None) -> Iterator[VerdictRow]:
        """Judge every unit that has ended; all of them where there is no more time to come."""
        border_ns = None if now_ns is None else now_ns // self._unit_ns * self._unit_ns
        if border_ns is not None and not self._passed(border_ns):
            return
        self.collect()
        for mac in sorted(self.devices):
            yield from self._judge(mac, self.devices[mac], border_ns)
        if border_ns is None:
            self._border_ns = _NEVER_NS  # a later run may have captures of any time
        self._changed.update(self._answering.answer(self.devices, self._method.rules))
        self.commit()

    def take_news(self) -> tuple[Answer, ...]:
        """Take out what devices behave like other than before, since the last time."""
        return self._answering.take_news()

    def _passed(self, border_ns: int) -> bool:
        """Say whether time has reached this border for the first time."""
        passed = border_ns > self._border_ns
        self._border_ns = max(self._border_ns, border_ns)
        return passed

    def _judge(
        self, mac: int, device: WatchedDevice, border_ns: int | None
    ) -> Iterator[VerdictRow]:
        if not device.open:
            return
        table = merge_tables(device.open)
        ended = np.ones(len(table), bool) if border_ns is None else table.start_ns < border_ns
        device.open = [] if ended.all() else [select_periods(table, np.flatnonzero(~ended))]
        table = select_periods(table, np.flatnonzero(ended))
        contacts = merge_contacts(device.contacts)
        going_on = contacts.start_ns >= (_FOREVER_NS if border_ns is None else border_ns)
        device.contacts = [select_contacts(contacts, np.flatnonzero(going_on))]
        labels = table.session if self._unit == "file" else table.start_ns // self._unit_ns
        for label in dict.fromkeys(labels[np.argsort(table.start_ns, kind="stable")].tolist()):
            unit = select_periods(table, np.flatnonzero(labels == label))
            # What comes late for a unit that was judged is kept, but it is not judged again.
            if self._unit == "day":
                late = label <= device.judged_ns // self._unit_ns
            else:
                late = label in self._judged_files
            heard = unit.sums[:, :, SUM_INDEX["packets"]].any()
            # A silent unit is told once: the device is quiet, and stays so until it speaks.
            if not late and (heard or device.watch.state.state is not State.QUIET):
                mine = np.isin(contacts.start_ns, unit.start_ns)
                sent, received, multicast, _ = contacts.seen[mine].sum(axis=0).tolist()
                vantage = judge_vantage(sent, received, multicast)
                yield self._judge_unit(mac, device, unit, vantage)

    def _judge_unit(
        self, mac: int, device: WatchedDevice, unit: UnitTable, vantage: Vantage
    ) -> VerdictRow:
        start_ns = int(unit.start_ns.min())
        end_ns = start_ns // self._unit_ns * self._unit_ns + self._unit_ns
        device.watch, decision, events = judge_unit(
            device.watch, unit, end_ns, self._method, vantage
        )
        decision, events = self._sayings.tell(mac, decision, events)
        device.judged_ns = start_ns
        self._answering.add(mac, unit, end_ns)
        self._changed.add(mac)
        self._ledger.add_events(events)
        state = device.watch.state
        verdict = VerdictRow(mac, start_ns, state.state, state.version, decision)
        self._ledger.add_verdict(verdict)
        return verdict

    def steer(self, mac: int, given: Accepted | Relearn | ExpectUpdate, now_ns: int) -> DeviceState:
        """Take a person's word for a device and store what follows.

        Raises:
            UsageError: no such device is watched.

        """
        device = self.devices.get(mac)
        if device is None:
            raise UsageError(f"{format_mac(mac)}: no such device is watched")
        state, events = step(device.watch.state, given, now_ns, self._method.rules)
        watch = Watch(state) if isinstance(given, Relearn) else replace(device.watch, state=state)
        device.watch = watch
        self._changed.add(mac)
        self._ledger.add_events(events)
        self.commit()
        return state

    def set_clock(self, before_ns: int, now_ns: int) -> None:
        """Go on by a clock that was set, from one time to another.

        A unit that is open then bears wrong dates, and another one may come by the same: it stays
        in the store, and is not judged. What was judged of a time still to come bars nothing.
        """
        self.collect()
        unit_start_ns = now_ns // self._unit_ns * self._unit_ns
        same_unit = before_ns // self._unit_ns == now_ns // self._unit_ns
        latest_ns = unit_start_ns + self._unit_ns if same_unit else _NEVER_NS
        self._border_ns = min(self._border_ns, unit_start_ns)
        self._changed.update(self.devices)
        for device in self.devices.values():
            device.judged_ns = min(device.judged_ns, unit_start_ns - self._unit_ns)
            device.open = [
                select_periods(table, np.flatnonzero(table.start_ns < latest_ns))
                for table in device.open
            ]
            device.contacts = [
                select_contacts(table, np.flatnonzero(table.start_ns < latest_ns))
                for table in device.contacts
            ]

    def commit(self) -> None:
        """Store everything since the last commit."""
        states = {
            mac: write_watch(self.devices[mac].watch, self.devices[mac].judged_ns)
            for mac in sorted(self._changed)
        }
        self._ledger.commit(self.ingest.devices.counts(), states, self._border_ns)
        self._changed.clear()

    def make_room(self, now_ns: int, places: int, silent_ns: int) -> int:
        """Forget whom nobody misses where devices become too many; right after a commit.

        Returns:
            How many were forgotten, in the store too.

        """
        if max(len(self.devices), len(self.ingest.devices)) <= places // 2:
            return 0
        leaving = choose_leavers(self._residents(), places, now_ns, silent_ns)
        if leaving:
            self._ledger.forget(leaving)
            self.ingest.forget(leaving)
            self._sayings.forget(leaving)
            for mac in leaving:
                self.devices.pop(mac, None)
        return len(leaving)

    def _residents(self) -> list[Resident]:
        rows, wanted = self._ledger.known()
        return [resident(row, self.devices.get(row.device), row.device in wanted) for row in rows]

    def restore(self, store: Store) -> None:
        """Go on with what an earlier run has left."""
        # Where captures overlap, time goes back, and a unit that began before may be half read.
        self._border_ns = store.border_ns() or _NEVER_NS
        self._sayings.restore(store)
        for mac, text in store.states().items():
            since_ns = remembers_since(text, self._longest_ns)
            windows, units = store.restorable(mac, self._longest_ns, since_ns)
            watch, judged_ns = read_watch(text, units, self._longest_ns)
            device = self.devices[mac] = WatchedDevice(watch, judged_ns)
            device.newest = name_heard(windows)
            device.windows = len(device.newest)
            if self._unit == "day":
                end_ns = judged_ns // self._unit_ns * self._unit_ns + self._unit_ns
                later = np.flatnonzero(windows.start_ns >= end_ns)
                if len(later):
                    device.open.append(select_periods(windows, later))
                    device.contacts.append(store.contacts(mac, end_ns))

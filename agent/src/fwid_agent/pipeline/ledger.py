"""What a run has still to write into its store, and how far it has read each input."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

from fwid_agent.capture.files import CaptureFile
from fwid_agent.capture.opening import older_fingerprint, read_opening
from fwid_agent.capture.stream import is_stream
from fwid_agent.config import Config
from fwid_agent.core.devices import DeviceCounts
from fwid_agent.core.handshakes.texts import TextBook
from fwid_agent.errors import StoreError, StoreLostError
from fwid_agent.pipeline.unsaved import Unsaved
from fwid_agent.store import (
    DeviceRow,
    IdentificationRow,
    Progress,
    SessionProgress,
    Store,
    VerdictRow,
)
from fwid_agent.tables import merge_flow_samples
from fwid_agent.types import ContactTable, Event, FlowSample, FrameBlock, HandshakeText, UnitTable

OnEvents = Callable[[Sequence[Event]], None]
# Events of a run without a store have ids too; nobody keeps them.
_NO_STORE = UUID(int=0)


class Ledger:
    """Collects what is to be stored and commits it as a whole; without a store it forgets it.

    Args:
        store: where everything goes; None: nowhere.
        on_events: told of events once they are stored and numbered.
        most_waiting_bytes: bound of the windows that wait where nothing can be stored.

    Raises:
        StoreError: by every method, where the store cannot be used.

    """

    def __init__(
        self,
        store: Store | None,
        on_events: OnEvents | None = None,
        *,
        most_waiting_bytes: int = 64 << 20,  # 40 devices need some 10 MB a day
    ) -> None:
        self._store = store
        self._most_waiting_bytes = most_waiting_bytes
        self._on_events = on_events
        self._unsaved = Unsaved()
        self._session: SessionProgress | None = None
        self._sessions = 0
        self._live: int | None = None  # number of the live session
        self._stored: dict[int, DeviceRow] = {}  # counts that are stored already
        self.lost_windows = 0  # that were given up, for they could not be stored for too long

    @property
    def agent(self) -> UUID:
        """Id of the agent that events are of."""
        return self._store.agent if self._store else _NO_STORE

    def open_session(
        self, capture: CaptureFile, first: Sequence[FrameBlock]
    ) -> tuple[int, SessionProgress]:
        """Begin a capture, whose first blocks these are.

        Returns:
            Its number, and how far an earlier run has stored it.

        """
        if self._store is None:
            self._sessions += 1
            return self._sessions, SessionProgress("", "", 0)
        opening = read_opening(first)
        known = self._store.find_capture(opening)
        if known is None and not is_stream(capture.path):
            known = self._store.session(older_fingerprint(capture.path))
        if known is None:
            mark = f"capture {uuid4()}" if opening else "captures without frames"
            known = SessionProgress(mark, Path(capture.path).name, 0)
        self._session = replace(known, opening=max(known.opening, opening, key=len))
        return self._store.open_session(self._session), self._session

    def end_session(self) -> None:
        """Note that the end of what was begun last has been added up too."""
        if self._session:
            self._session = replace(self._session, ended=True)

    def open_live(self, name: str) -> int:
        """Begin to watch an interface, which is a session of its own each time; its number.

        While nothing can be stored the session goes on that there is.
        """
        self._sessions += 1
        session, number = SessionProgress(f"live {uuid4()}", name, 0), self._sessions
        if self._store:
            try:
                number = self._store.open_session(session)
            except StoreLostError:
                raise
            except StoreError:
                if self._live is None:
                    raise
                return self._live
        self._session, self._live = session, number
        return number

    def skip(self, counts: DeviceCounts) -> None:
        """Take these counts as stored: an earlier run has read the frames."""
        self._stored = _rows(counts)

    def add_frames(self, count: int) -> None:
        """Note that so many frames more of the capture have been read."""
        if self._session and count:
            done = self._session.frames_done + count
            self._session = replace(self._session, frames_done=done, ended=False)

    def add_windows(self, device: int, table: UnitTable) -> None:
        """Note what a device's windows have gained."""
        if self._store:
            self._unsaved.windows.setdefault(device, []).append(table)

    def add_contacts(self, device: int, table: ContactTable) -> None:
        """Note whom a device was in contact with."""
        if self._store:
            self._unsaved.contacts.setdefault(device, []).append(table)

    def add_names(self, names: Mapping[int, str]) -> None:
        """Note what devices call themselves."""
        if self._store:
            self._unsaved.names.update(names)

    def add_texts(self, device: int, texts: Iterable[HandshakeText]) -> None:
        """Note what a device said in its handshakes."""
        if self._store:
            self._unsaved.texts.setdefault(device, TextBook()).add(texts)

    def add_flows(self, device: int, units: Mapping[int, FlowSample]) -> None:
        """Note samples of a device's flows, by when their units start."""
        if self._store:
            self._unsaved.add_flows(device, units)

    def flow_sample(self, device: int, start_ns: int) -> FlowSample | None:
        """Return the sample of a device's unit, what is not stored yet with it; None: no flows."""
        new = self._unsaved.flows.get(device, {}).get(start_ns)
        stored = self._store.flow_sample(device, start_ns) if self._store else None
        parts = [sample for sample in (stored, new) if sample is not None]
        return merge_flow_samples(parts) if parts else None

    def add_identifications(self, identifications: Iterable[IdentificationRow]) -> None:
        """Note what units were taken for."""
        self._unsaved.identifications += identifications

    def add_verdict(self, verdict: VerdictRow) -> None:
        """Note a verdict."""
        self._unsaved.verdicts.append(verdict)

    def add_events(self, events: Sequence[Event]) -> None:
        """Note events."""
        self._unsaved.events += events

    def position(self, source: str) -> str:
        """Return how far an earlier run has read a live source; "" where that is not known."""
        return self._store.position(source) if self._store else ""

    def add_position(self, source: str, position: str) -> None:
        """Note how far a live source was read, with the frames before; "" where it cannot say."""
        if position:
            self._unsaved.positions[source] = position

    def commit(
        self, counts: DeviceCounts, states: Mapping[int, str], border_ns: int | None = None
    ) -> None:
        """Store everything since the last commit, in one transaction.

        Where that fails it stays to be stored, the newest of it.
        """
        if self._store is None:
            self._unsaved = Unsaved()
            return
        unsaved, rows = self._unsaved, _rows(counts)
        progress = Progress(
            session=self._session,
            windows=unsaved.merged_windows(),
            contacts=unsaved.merged_contacts(),
            names=unsaved.names,
            texts=unsaved.texts,
            flows=unsaved.flows,
            identifications=unsaved.identifications,
            devices=tuple(_gains(self._stored, rows)),
            verdicts=unsaved.verdicts,
            states=states,
            events=unsaved.events,
            positions=unsaved.positions,
            border_ns=border_ns,
        )
        try:
            stored = self._store.commit_progress(progress)
        except StoreError:
            self.lost_windows += unsaved.bound(self._most_waiting_bytes)
            raise
        # Only now: what could not be stored is stored with the next commit.
        self._unsaved, self._stored = Unsaved(), rows
        if stored and self._on_events:
            self._on_events(stored)

    def known(self) -> tuple[tuple[DeviceRow, ...], frozenset[int]]:
        """All devices that are stored, and those of them that a person has said a word about."""
        if self._store is None:
            return (), frozenset()
        return self._store.devices(), self._store.wanted()

    def forget(self, devices: Sequence[int]) -> None:
        """Forget devices with all that is stored of them; right after a commit."""
        if self._store:
            self._store.forget(devices)
        for mac in devices:
            self._stored.pop(mac, None)

    def believed_ns(self) -> int | None:
        """Return the time that an earlier run believed last; None where nothing is stored."""
        return self._store.believed_ns() if self._store else None

    def compact(self, newest_ns: int, config: Config) -> None:
        """Forget what is too old, by the time of the traffic and not of the day it is replayed."""
        if self._store:
            self._store.compact(newest_ns, config)


def _rows(counts: DeviceCounts) -> dict[int, DeviceRow]:
    return {
        int(mac): DeviceRow(
            int(mac),
            int(counts.first_ns[index]),
            int(counts.last_ns[index]),
            int(counts.packets_sent[index]),
            int(counts.packets_received[index]),
            int(counts.bytes[index]),
        )
        for index, mac in enumerate(counts.mac)
    }


def _gains(before: Mapping[int, DeviceRow], after: Mapping[int, DeviceRow]) -> Iterator[DeviceRow]:
    """What each device has gained between two counts."""
    for mac, row in after.items():
        old = before.get(mac)
        yield (
            row
            if old is None
            else replace(
                row,
                packets_sent=row.packets_sent - old.packets_sent,
                packets_received=row.packets_received - old.packets_received,
                bytes=row.bytes - old.bytes,
            )
        )

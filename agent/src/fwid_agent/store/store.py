"""The store as the rest of the program sees it."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

import numpy as np

from fwid_agent.config import Config
from fwid_agent.errors import StoreError, StoreLostError
from fwid_agent.store import contacts, devices, events, feedback, meta, periods, texts, verdicts
from fwid_agent.store.database import clear_errors, connect, decoding, identify, transaction
from fwid_agent.store.periods import Kind
from fwid_agent.store.rows import (
    DeviceName,
    DeviceRow,
    EventPage,
    Progress,
    SessionProgress,
    VerdictRow,
)
from fwid_agent.tables import merge_tables
from fwid_agent.types import ContactTable, Event, EventType, HandshakeText, UnitTable

_FOREVER_NS = 2**63 - 1
_DAY_NS = 86_400_000_000_000


class Store:
    """Everything that the agent remembers, in one SQLite file.

    Every method may raise StoreError; then nothing of what it was to store is stored. A commit
    rewrites a few pages for each device, some 0.7 MB for 40 of them: where an SD card is to last,
    commit once a window.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, agent: UUID) -> None:
        self.path = path
        self._file = identify(path)
        self.agent = agent  # id of the agent that the store belongs to
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, create: bool = True) -> Self:
        """Open a store, and make it where there is none unless `create` is false."""
        connection = connect(path, create=create)
        with clear_errors(path), decoding():
            # Whoever only reads waits for nobody who writes.
            return cls(path, connection, meta.read_agent(connection) or meta.make_agent(connection))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; the store cannot be used any more."""
        with clear_errors(self.path):
            self._connection.close()

    # --- writing -----------------------------------------------------------------------------

    def commit_progress(self, progress: Progress) -> tuple[Event, ...]:
        """Store all of it in one transaction; gives the events that are new, with their `seq`.

        Windows add to those of the same device, session and start, so that a session may be
        stored piece by piece. Events that are stored already (by id) are left as they are.
        """
        if progress.windows and progress.session is None:
            raise StoreError(f"{self.path}: windows belong to a session, and none was given")
        with self._writing() as connection:
            devices.add_devices(connection, progress.devices)
            if progress.session is not None:
                number = devices.put_session(connection, progress.session)
                for device, table in progress.windows.items():
                    session = np.full(len(table), number, np.int32)
                    owned = replace(table, session=session)
                    periods.add_periods(connection, "windows", device, owned)
                for device, contact in progress.contacts.items():
                    contacts.add_contacts(connection, "windows", device, number, contact)
            for device, name in progress.names.items():
                devices.put_name(connection, device, name, learnt=True)
            for device, said in progress.texts.items():
                texts.put_texts(connection, device, said)
            devices.put_states(connection, progress.states)
            devices.put_positions(connection, progress.positions)
            verdicts.put_verdicts(connection, progress.verdicts)
            if progress.border_ns is not None:
                meta.put_border_ns(connection, progress.border_ns)
            return events.put_events(connection, progress.events)

    def open_session(self, session: SessionProgress) -> int:
        """Make sure that an input is known; gives the number of its windows' session."""
        with self._writing() as connection:
            return devices.put_session(connection, session)

    def name(self, device: int, name: str | None) -> None:
        """Call a device what a person calls it; None: no longer."""
        with self._writing() as connection:
            devices.put_name(connection, device, name)

    def want(self, device: int) -> None:
        """Keep that a person wants a device watched, so that it is never forgotten."""
        with self._writing() as connection:
            devices.put_wanted(connection, device)

    def forget(self, macs: Iterable[int]) -> None:
        """Forget devices with everything that is known of them."""
        with self._writing() as connection:
            for mac in macs:
                devices.drop_device(connection, mac)

    def label(self, device: int, version: int, label: str) -> None:
        """Name a version of a device."""
        with self._writing() as connection:
            devices.put_label(connection, device, version, label)

    def mute(self, device: int, until_ns: int | None, now_ns: int) -> None:
        """Want no alarm of a device until then (None: until further notice; a past time: again)."""
        with self._writing() as connection:
            if until_ns is not None and until_ns <= now_ns:
                feedback.drop_mute(connection, device)
            else:
                feedback.put_mute(connection, device, until_ns)

    def call_wrong(self, event: str, now_ns: int) -> bool:
        """Keep that an event's alarm was wrong; False where there is no such event."""
        with self._writing() as connection:
            return feedback.put_wrong_alarm(connection, event, now_ns)

    def compact(self, now_ns: int, config: Config) -> None:
        """Fold windows that are old enough into units, and forget what is older than is kept.

        `now_ns` is the time of the traffic: of the newest frame where captures are replayed.
        """
        unit_ns = config.unit_s * 1_000_000_000
        windows_ns = (now_ns - config.windows_kept_days * _DAY_NS) // unit_ns * unit_ns
        kept_ns = now_ns - config.units_kept_days * _DAY_NS
        for row in self.devices():
            with self._writing() as connection:
                old = periods.read_periods(connection, "windows", row.device, 0, windows_ns)
                if len(old):
                    folded = merge_tables([periods.floor_starts(old, unit_ns)])
                    periods.add_periods(connection, "units", row.device, folded)
                    contacts.fold_contacts(connection, row.device, windows_ns, unit_ns)
                    periods.drop_periods(connection, "windows", row.device, windows_ns)
                periods.drop_periods(connection, "units", row.device, kept_ns)
                verdicts.drop_verdicts(connection, row.device, kept_ns)
        with self._writing() as connection:
            events.drop_events(connection, kept_ns)
            # Whoever switches handshakes off wants nothing of them kept.
            texts.drop_texts(connection, kept_ns if config.handshakes else None)
            meta.put_believed_ns(connection, now_ns)

    # --- reading -----------------------------------------------------------------------------

    def believed_ns(self) -> int | None:
        """What time it was last; of the newest device where that is not known, or None."""
        with self._reading() as connection:
            return meta.read_believed_ns(connection)

    def border_ns(self) -> int | None:
        """Before which time all units were judged, None where that is not known."""
        with self._reading() as connection:
            return meta.read_border_ns(connection)

    def session(self, fingerprint: str) -> SessionProgress | None:
        """How far an input has been read, None where it is new."""
        with self._reading() as connection:
            return devices.read_session(connection, fingerprint)

    def find_capture(self, opening: bytes) -> SessionProgress | None:
        """How far a capture that begins like this has been read, None where it is new."""
        with self._reading() as connection:
            return devices.find_capture(connection, opening) if opening else None

    def position(self, source: str) -> str:
        """How far a live source has been read, as it was given; "" where that is not known."""
        with self._reading() as connection:
            return devices.read_position(connection, source)

    def devices(self) -> tuple[DeviceRow, ...]:
        """All devices, by address."""
        with self._reading() as connection:
            return devices.read_devices(connection)

    def wanted(self) -> frozenset[int]:
        """The devices that a person has said a word about: wanted, named, muted or labelled."""
        with self._reading() as connection:
            return devices.read_wanted(connection)

    def states(self) -> dict[int, str]:
        """The state of each device, as it was given."""
        with self._reading() as connection:
            return devices.read_states(connection)

    def mutes(self) -> dict[int, int | None]:
        """Until when each muted device is muted; None: until further notice."""
        with self._reading() as connection:
            return feedback.read_mutes(connection)

    def wrong_alarms(self) -> tuple[str, ...]:
        """Ids of the events whose alarm was called wrong."""
        with self._reading() as connection:
            return feedback.read_wrong_alarms(connection)

    def names(self) -> dict[int, DeviceName]:
        """What each device is called that has a name."""
        with self._reading() as connection:
            return devices.read_names(connection)

    def texts(self) -> dict[int, tuple[HandshakeText, ...]]:
        """What each device said in its handshakes."""
        with self._reading() as connection:
            return texts.read_texts(connection)

    def labels(self, device: int) -> dict[int, str]:
        """The names of a device's versions."""
        with self._reading() as connection:
            return devices.read_labels(connection, device)

    def windows(self, device: int, since_ns: int = 0) -> UnitTable:
        """A device's windows that are still kept, in the order of time.

        `session` is the session's number in the store.
        """
        with self._reading() as connection:
            return periods.read_periods(connection, "windows", device, since_ns, _FOREVER_NS)

    def units(self, device: int, unit_ns: int, since_ns: int = 0) -> UnitTable:
        """All of a device's traffic as one period a unit and session, in the order of time."""
        with self._reading() as connection:
            both = [
                periods.read_periods(connection, kind, device, since_ns, _FOREVER_NS)
                for kind in periods.KINDS
            ]
        return merge_tables([periods.floor_starts(table, unit_ns) for table in both])

    def restorable(self, device: int, unit_ns: int, since_ns: int) -> tuple[UnitTable, UnitTable]:
        """A device's kept windows, and its units as `units` gives them; no row is read twice."""
        with self._reading() as connection:
            windows = periods.read_periods(connection, "windows", device, 0, _FOREVER_NS)
            folded = periods.read_periods(connection, "units", device, since_ns, _FOREVER_NS)
        both = (folded, periods.since(windows, since_ns))
        return windows, merge_tables([periods.floor_starts(table, unit_ns) for table in both])

    def folded(self, device: int, since_ns: int = 0) -> UnitTable:
        """A device's traffic of which only whole units are kept, in the order of time."""
        with self._reading() as connection:
            return periods.read_periods(connection, "units", device, since_ns, _FOREVER_NS)

    def contacts(self, device: int, since_ns: int = 0, *, kind: Kind = "windows") -> ContactTable:
        """Whom a device was in contact with in its windows, or in the units of the time before."""
        with self._reading() as connection:
            return contacts.read_contacts(connection, kind, device, since_ns)

    def seen(self, last_ns: int) -> dict[int, tuple[int, ...]]:
        """What was seen of each device (types.SEEN) in so long a time before it was seen last."""
        with self._reading() as connection:
            return contacts.read_seen(connection, last_ns)

    def verdicts(self, device: int, since_ns: int = 0) -> tuple[VerdictRow, ...]:
        """A device's verdicts, oldest first."""
        with self._reading() as connection:
            return verdicts.read_verdicts(connection, device, since_ns)

    def latest_verdict(self, device: int) -> VerdictRow | None:
        """A device's newest verdict, None while there is none."""
        with self._reading() as connection:
            return verdicts.read_latest_verdict(connection, device)

    def events(
        self, after_seq: int = 0, limit: int = 1000, *, device: str | None = None
    ) -> EventPage:
        """Events after `after_seq`, oldest first; `gap` where some of them are no longer kept.

        `device`: only those of this device.
        """
        with self._reading() as connection:
            return events.read_events(connection, after_seq, limit, device)

    def latest_events(self, *types: EventType) -> dict[str, Event]:
        """The latest event of these types that each device has had, by its name in events."""
        with self._reading() as connection:
            return events.read_latest_events(connection, types)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One moment's view, also where several statements read."""
        with clear_errors(self.path), decoding():
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with clear_errors(self.path):
            # SQLite would go on writing into a file that nobody can open any more.
            if identify(self.path) != self._file:
                raise StoreLostError(f"{self.path}: the store was removed or replaced meanwhile")
            with transaction(self._connection):
                yield self._connection

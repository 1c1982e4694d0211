"""What can be asked of a store; everything is read as of one moment."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from fwid_agent.store import (
    contacts,
    devices,
    events,
    feedback,
    flows,
    kinds,
    meta,
    periods,
    texts,
    verdicts,
)
from fwid_agent.store.database import clear_errors, connect, decoding, identify
from fwid_agent.store.periods import Kind as PeriodKind
from fwid_agent.store.rows import (
    DeviceName,
    DeviceRow,
    EventPage,
    IdentificationRow,
    SessionProgress,
    VerdictRow,
)
from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    ContactTable,
    Event,
    EventType,
    FlowDay,
    FlowSample,
    HandshakeText,
    Kind,
    UnitTable,
)

_FOREVER_NS = 2**63 - 1


class StoreReader:
    """The questions to a store. Every method may raise StoreError."""

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

    def kinds(self) -> dict[int, Kind]:
        """What each device is said to be: a person's word stands above Home Assistant's."""
        with self._reading() as connection:
            return kinds.read_kinds(connection)

    def labelled(self) -> dict[int, Kind]:
        """As `kinds`; where nobody said what a device is, its given name stands for it."""
        with self._reading() as connection:
            said = kinds.read_kinds(connection)
            names = devices.read_names(connection)
        named = {
            device: Kind(name.given, None, "person")
            for device, name in names.items()
            if name.given is not None
        }
        return named | said

    def flows(self, since_ns: int = 0) -> tuple[FlowDay, ...]:
        """The samples of all devices' flows of units from then on, by device and time."""
        with self._reading() as connection:
            return tuple(flows.read_flows(connection, since_ns))

    def flow_sample(self, device: int, start_ns: int) -> FlowSample | None:
        """The sample of one device's flows of the unit that starts then; None where it has none."""
        with self._reading() as connection:
            return flows.read_sample(connection, device, start_ns)

    def identifications(self, device: int, since_ns: int = 0) -> tuple[IdentificationRow, ...]:
        """What one device's units were taken for, oldest first."""
        with self._reading() as connection:
            return kinds.read_identifications(connection, device, since_ns)

    def latest_identifications(self) -> dict[int, IdentificationRow]:
        """What the newest unit of each device was taken for."""
        with self._reading() as connection:
            return kinds.read_latest_identifications(connection)

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

    def contacts(
        self, device: int, since_ns: int = 0, *, kind: PeriodKind = "windows"
    ) -> ContactTable:
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

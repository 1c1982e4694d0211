"""The store as the rest of the program sees it."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from fwid_agent.config import Config
from fwid_agent.errors import StoreError, StoreLostError
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
from fwid_agent.store.database import clear_errors, identify, transaction
from fwid_agent.store.reader import StoreReader
from fwid_agent.store.rows import (
    Progress,
    SessionProgress,
)
from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    Event,
    Kind,
    KindSource,
)

FLOW_DAYS_KEPT = 28  # as many as a model is trained and tried on, and more
_DAY_NS = 86_400_000_000_000


class Store(StoreReader):
    """Everything that the agent remembers, in one SQLite file.

    Every method may raise StoreError; then nothing of what it was to store is stored. A commit
    rewrites a few pages for each device, some 0.9 MB for 40 of them: where an SD card is to last,
    commit once a window.
    """

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
            flows.add_flows(connection, progress.flows)
            kinds.put_identifications(connection, progress.identifications)
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

    def put_kind(self, device: int, kind: Kind) -> None:
        """Keep what somebody says a device is, in the place of what they said before."""
        with self._writing() as connection:
            kinds.put_kind(connection, device, kind)

    def drop_kind(self, device: int, source: KindSource) -> None:
        """Forget what somebody says a device is."""
        with self._writing() as connection:
            kinds.drop_kind(connection, device, source)

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
                kinds.drop_identifications(connection, row.device, kept_ns)
        with self._writing() as connection:
            events.drop_events(connection, kept_ns)
            asked = config.identify != "off"
            flows.drop_flows(connection, now_ns - FLOW_DAYS_KEPT * _DAY_NS if asked else None)
            # Whoever switches handshakes off wants nothing of them kept.
            texts.drop_texts(connection, kept_ns if config.handshakes else None)
            meta.put_believed_ns(connection, now_ns)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with clear_errors(self.path):
            # SQLite would go on writing into a file that nobody can open any more.
            if identify(self.path) != self._file:
                raise StoreLostError(f"{self.path}: the store was removed or replaced meanwhile")
            with transaction(self._connection):
                yield self._connection

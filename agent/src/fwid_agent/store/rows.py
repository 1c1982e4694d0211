"""What goes into the store and comes out of it, besides the types that all stages share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fwid_agent.types import (
    ContactTable,
    Decision,
    Event,
    FlowSample,
    HandshakeText,
    Identification,
    State,
    UnitTable,
)


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """What is counted of a device. Given to the store: what is new; read from it: all so far."""

    device: int  # MAC
    first_seen_ns: int
    last_seen_ns: int
    packets_sent: int
    packets_received: int
    bytes: int


@dataclass(frozen=True, slots=True)
class DeviceName:
    """What a device is called."""

    given: str | None = None  # by a person
    learnt: str | None = None  # as the device calls itself: anything may stand here

    @property
    def shown(self) -> str | None:
        """The name to show: a person's word goes first."""
        return self.given or self.learnt


@dataclass(frozen=True, slots=True)
class SessionProgress:
    """How far an input has been read into the store."""

    fingerprint: str  # drawn for each input
    name: str  # for people
    frames_done: int  # frames of the input, from its start, that are counted in the store
    opening: bytes = b""  # how a capture begins: digests of its first frames, 1, 2, 3 and so on
    ended: bool = False  # its end was counted too, of which nothing is known before it comes


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """What was decided for a device at the end of a unit, and the state that it led to."""

    device: int  # MAC
    unit_start_ns: int
    state: State
    version: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class IdentificationRow:
    """What a device's unit was taken for, and by which model."""

    device: int  # MAC
    start_ns: int  # of the unit
    answer: Identification
    model: Literal["home", "shipped"]
    number: int | None  # of the home's models
    learnt_as: str | None  # the class that the model learnt this very device as, None: it did not


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything that has happened since the last commit; stored as a whole or not at all."""

    session: SessionProgress | None = None  # needed where there are windows
    windows: Mapping[int, UnitTable] = field(default_factory=dict)  # MAC -> what is to be added
    contacts: Mapping[int, ContactTable] = field(default_factory=dict)  # of periods with windows
    devices: Sequence[DeviceRow] = ()  # every device has to be given once before anything of it
    verdicts: Sequence[VerdictRow] = ()
    states: Mapping[int, str] = field(default_factory=dict)  # MAC -> state as core writes it
    positions: Mapping[str, str] = field(default_factory=dict)  # source -> where it goes on
    events: Sequence[Event] = ()
    names: Mapping[int, str] = field(default_factory=dict)  # that devices give themselves
    texts: Mapping[int, Iterable[HandshakeText]] = field(default_factory=dict)  # of handshakes
    flows: Mapping[int, Mapping[int, FlowSample]] = field(default_factory=dict)  # MAC, unit start
    identifications: Sequence[IdentificationRow] = ()
    border_ns: int | None = None  # units that began before it are judged; None: as it was


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events after some `seq`, oldest first."""

    events: tuple[Event, ...]
    gap: bool  # events that were asked for are no longer kept, or the store is another one
    last_seq: int  # of the whole store; 0 where nothing ever happened

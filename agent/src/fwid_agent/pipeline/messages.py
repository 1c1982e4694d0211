"""What a run is asked for and what it answers: the JSON of the command line, field by field."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from fwid_agent.config import Config

UnitKind = Literal["day", "file"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    packets: int
    bytes_read: int
    total_bytes: int | None  # None where the end is not known (a stream)
    path: str


OnProgress = Callable[[Progress], None]
OnNote = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """Has this device's firmware changed between these captures?"""

    device: int  # MAC
    baseline: tuple[str, ...]
    test: tuple[str, ...]
    window_s: float = 3600
    unit: UnitKind = "day"
    dedup: bool = False
    config: Config = field(default_factory=Config)


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Run captures through the whole pipeline as if they were live."""

    paths: tuple[str, ...]
    store: str | None = None
    window_s: float = 3600
    unit: UnitKind = "day"
    speed: float | None = None  # times real time; None is as fast as it goes
    dedup: bool = False
    config: Config = field(default_factory=Config)


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """A piece of evidence as it is printed."""

    key: str
    params: dict[str, Any]
    text: str  # in words


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """One unit of one device was judged."""

    time: str  # RFC 3339: the start of the unit
    device: str
    state: str
    version: int
    verdict: str
    g: float | None
    reasons: tuple[ReasonLine, ...]
    type: str = "verdict"


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device of the summary."""

    mac: str
    packets_sent: int
    packets_received: int
    bytes: int
    windows: int
    state: str
    gateway: bool
    randomised: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """What a replay read, and where every device stands."""

    packets: int  # every frame read
    bytes: int  # on the wire
    undecoded: int
    undecoded_reasons: dict[str, int]
    copies: int
    flows: int
    devices: tuple[DeviceLine, ...]
    seconds: float
    type: str = "summary"

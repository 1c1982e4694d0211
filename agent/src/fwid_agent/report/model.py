"""What a page of figures shows: plain values, filled in by whoever knows the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReportVerdict:
    """One unit of a device and what was decided of it; texts are words for people."""

    time: str  # RFC 3339: start of the unit
    state: str
    version: int
    verdict: str
    similarity: float | None  # of the unit to the baseline, 1: as always
    g: float | None
    g_low: float | None
    g_high: float | None
    reasons: tuple[str, ...]
    missing: str  # what is missing where the verdict is "insufficient", else ""


@dataclass(frozen=True, slots=True)
class ReportEvent:
    """Something that happened to a device."""

    time: str  # RFC 3339
    title: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportPicture:
    """A fingerprint as PNG, with what it shows in words for those who cannot see it."""

    name: str  # short, good for a file's name
    png: bytes
    title: str
    alt: str


@dataclass(frozen=True, slots=True)
class ReportDevice:
    """One device's part of the page."""

    mac: str
    state: str
    version: int
    since: str  # RFC 3339: of the state
    first_seen: str
    last_seen: str
    packets_sent: int
    packets_received: int
    randomised: bool  # the address is a random one
    verdicts: tuple[ReportVerdict, ...]  # oldest first
    events: tuple[ReportEvent, ...] = ()  # oldest first
    labels: Mapping[int, str] = field(default_factory=dict)  # version -> its name
    pictures: tuple[ReportPicture, ...] = ()
    name: str = ""  # what it is called; "" where nobody has named it
    next_version: int | None = None  # what it became, until that is accepted or has settled

    @property
    def shown_version(self) -> str:
        """The version that runs, and while a change is open, what it changed from."""
        shown = self.name_version(self.version)
        return f"{shown} → {self.name_version(self.next_version)}" if self.next_version else shown

    def name_version(self, version: int) -> str:
        """Name a version by its number, and by its label where it has one."""
        label = self.labels.get(version)
        return f"{version} ({label})" if label else str(version)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole page."""

    made: str  # RFC 3339
    source: str  # what it was made from
    devices: tuple[ReportDevice, ...]

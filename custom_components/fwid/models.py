"""What the agent tells, as frozen dataclasses; a word of a newer agent (a state) is None."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

type Scalar = str | int | float | bool | None


class State(StrEnum):
    """Where a device stands."""

    LEARNING = "learning"
    STABLE = "stable"
    SUSPECTED = "suspected"
    CHANGED = "changed"
    QUIET = "quiet"


class EventType(StrEnum):
    """What an event tells."""

    VERSION_CHANGED = "version_changed"
    UPDATE_IN_PROGRESS = "update_in_progress"
    BEHAVES_DIFFERENTLY = "behaves_differently"
    RETURNED_TO_KNOWN_VERSION = "returned_to_known_version"
    ACCEPTED = "accepted"
    NEW_DEVICE = "new_device"


class Vantage(StrEnum):
    """How much of a device's traffic reaches the agent."""

    ALL = "all"
    MULTICAST = "multicast"  # only what is sent to everybody
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence: a key that is translated, and its parameters."""

    key: str
    params: Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class VersionName:
    """A version that a device has been known by."""

    version: int
    label: str | None


class Category(StrEnum):
    """What sort of a device it is, as Home Assistant's texts name it."""

    SURVEILLANCE = "surveillance"
    MEDIA = "media"
    AUDIO = "audio"
    HUB = "hub"
    APPLIANCE = "appliance"
    HOME_AUTOMATION = "home_automation"

    @property
    def told(self) -> str:
        """What the agent calls it."""
        return self.value.replace("_", " ").title()


@dataclass(frozen=True, slots=True)
class Kind:
    """What a device is said to be."""

    label: str
    category: Category | None = None
    source: str = "home_assistant"


@dataclass(frozen=True, slots=True)
class Identified:
    """What a device behaves like, lately."""

    label: str | None  # None: none that the agent's model knows
    category: Category | None
    certainty: float  # 0 to 1
    model: str  # "home", or "shipped" with the agent
    time: datetime
    agrees: bool | None  # with what it is said to be


@dataclass(frozen=True, slots=True)
class Device:
    """One device as the agent sees it; only what is shown, so that equal ones look alike."""

    mac: str
    state: State | None  # None: seen, but not watched
    first_seen: datetime
    name: str | None = None  # as the device calls itself: not to be trusted
    randomised: bool = False
    version: int | None = None
    label: str | None = None
    since: datetime | None = None
    learned_units: int | None = None
    learning_units: int | None = None
    similarity: float | None = None
    g: float | None = None
    cause: str = "none"
    reasons: tuple[Reason, ...] = ()
    versions: tuple[VersionName, ...] = ()
    muted: bool = False
    muted_until: datetime | None = None
    update_expected_until: datetime | None = None
    last_change: datetime | None = None
    alarm_event: str | None = None  # id of the last event that raised an alarm
    alarm_was_wrong: bool = False
    vantage: Vantage = Vantage.UNKNOWN
    sizes_reliable: bool = True
    kind: Kind | None = None
    identified: Identified | None = None

    def label_of(self, version: int | None) -> str | None:
        """Return what a version of this device is called; its number where it has no name."""
        if version is None:
            return None
        for known in self.versions:
            if known.version == version and known.label:
                return known.label
        return str(version)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a device."""

    seq: int
    id: str
    time: datetime
    mac: str
    type: EventType | None  # None: of a kind that this version does not know
    from_version: int | None
    to_version: int | None
    cause: str
    expected: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that were asked for are gone; those that are kept follow."""

    last_seq: int


@dataclass(frozen=True, slots=True)
class Changed:
    """States, names or the agent's model may have changed without an event."""


type Message = Event | Gap | Changed


@dataclass(frozen=True, slots=True)
class Source:
    """Where the agent gets packets from."""

    name: str
    kind: str
    capturing: bool
    trouble: str
    frames: int
    lost: int


@dataclass(frozen=True, slots=True)
class Identification:
    """The model by which the agent identifies devices."""

    model: str | None = None
    type: str | None = None
    trained: datetime | None = None
    devices: int = 0  # that it was learnt from
    accuracy: float | None = None
    old_because: str | None = None  # "" where it is old and no reason is known
    running: bool = False  # another is being trained


@dataclass(frozen=True, slots=True)
class AgentInfo:
    """Who the agent is, and what it captures."""

    id: str
    version: str
    api: int
    started: datetime
    last_seq: int
    time: datetime | None  # the agent's clock when it answered
    sources: tuple[Source, ...]
    knows_kinds: bool = False  # it can be told what devices are; older ones cannot
    identification: Identification | None = None  # None: it does not identify devices
    alarms_per_device_year: float | None = None  # false ones that it accepts; None: not told

    @property
    def replays(self) -> bool:
        """Whether all it sees are recordings, whose time is not ours."""
        return bool(self.sources) and all(source.kind == "replay" for source in self.sources)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was decided of one unit."""

    time: datetime
    state: State | None
    version: int
    verdict: str
    similarity_baseline: float | None
    similarity: float | None
    g: float | None
    g_low: float | None
    g_high: float | None
    reasons: tuple[Reason, ...]

    @property
    def band(self) -> tuple[float, float] | None:
        """The interval of g as one of similarity: g is a difference of similarities, scaled."""
        known = (self.similarity_baseline, self.similarity, self.g, self.g_low, self.g_high)
        if None in known or not self.g:
            return None
        baseline, similarity, g, low, high = (value or 0.0 for value in known)
        scale = (baseline - similarity) / g
        ends = sorted(min(max(baseline - each * scale, 0.0), 1.0) for each in (low, high))
        return ends[0], ends[1]

"""What the agent tells, as frozen dataclasses.

Fields that are not known are ignored, and words of a newer agent (a state, a kind of event) are
None: a later minor version of the API never breaks this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

type Json = Mapping[str, Any]
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
    """States or names may have changed without an event."""


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
class AgentInfo:
    """Who the agent is, and what it captures."""

    id: str
    version: str
    api: int
    started: datetime
    last_seq: int
    time: datetime | None  # the agent's clock when it answered
    sources: tuple[Source, ...]

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


def parse_message(data: Json) -> Message | None:
    """Read a message of the WebSocket; None for a kind that is not known."""
    if "seq" in data:
        return parse_event(data)
    if data["type"] == "gap":
        return Gap(int(data["last_seq"]))
    if data["type"] == "changed":
        return Changed()
    return None


def parse_event(data: Json) -> Event:
    """Read an event."""
    return Event(
        seq=int(data["seq"]),
        id=str(data["id"]),
        time=_parse_time(data["time"]),
        mac=str(data["device"]),
        type=_known(EventType, data["type"]),
        from_version=data["from_version"],
        to_version=data["to_version"],
        cause=str(data["cause"]),
        expected=bool(data["expected"]),
        reasons=_parse_reasons(data),
    )


def parse_device(data: Json) -> Device:
    """Read a device."""
    versions = tuple(
        VersionName(int(known["version"]), known.get("label")) for known in data.get("versions", ())
    )
    return Device(
        mac=str(data["device"]),
        state=_known(State, data["state"]),
        first_seen=_parse_time(data["first_seen"]),
        name=data.get("name"),
        randomised=bool(data.get("randomised")),
        version=data.get("version"),
        label=data.get("label"),
        since=_parse_optional_time(data.get("since")),
        learned_units=data.get("learned_units"),
        learning_units=data.get("learning_units"),
        similarity=data.get("similarity"),
        g=data.get("g"),
        cause=str(data.get("cause", "none")),
        reasons=_parse_reasons(data),
        versions=versions,
        muted=bool(data.get("muted")),
        muted_until=_parse_optional_time(data.get("muted_until")),
        update_expected_until=_parse_optional_time(data.get("update_expected_until")),
        last_change=_parse_optional_time(data.get("last_change")),
        alarm_event=data.get("alarm_event"),
        alarm_was_wrong=bool(data.get("alarm_was_wrong")),
        vantage=_known(Vantage, data.get("vantage")) or Vantage.UNKNOWN,
        sizes_reliable=bool(data.get("sizes_reliable", True)),
    )


def parse_info(data: Json) -> AgentInfo:
    """Read who the agent is."""
    capture = data.get("capture", {})
    return AgentInfo(
        id=str(data["id"]),
        version=str(data["version"]),
        api=int(data.get("api", 1)),
        started=_parse_time(data["started"]),
        last_seq=int(data.get("last_seq", 0)),
        time=_parse_optional_time(data.get("time")),
        sources=tuple(_parse_source(source) for source in capture.get("sources", ())),
    )


def parse_judged(data: Json) -> Judged:
    """Read what was decided of a unit."""
    return Judged(
        time=_parse_time(data["time"]),
        state=_known(State, data["state"]),
        version=int(data["version"]),
        verdict=str(data["verdict"]),
        similarity_baseline=data.get("similarity_baseline"),
        similarity=data.get("similarity_test"),
        g=data.get("g"),
        g_low=data.get("g_low"),
        g_high=data.get("g_high"),
        reasons=_parse_reasons(data),
    )


def _parse_source(data: Json) -> Source:
    return Source(
        name=str(data.get("source", "")),
        kind=str(data.get("kind", "")),
        capturing=bool(data.get("capturing", True)),
        trouble=str(data.get("trouble") or ""),
        frames=int(data.get("frames", 0)),
        lost=int(data.get("lost", 0)),
    )


def _parse_reasons(data: Json) -> tuple[Reason, ...]:
    return tuple(
        Reason(str(reason["key"]), dict(reason["params"])) for reason in data.get("reasons", ())
    )


def _parse_time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"a time without an offset: {text!r}")
    return time


def _parse_optional_time(text: str | None) -> datetime | None:
    return None if text is None else _parse_time(text)


def _known[T: StrEnum](kind: type[T], word: str | None) -> T | None:
    return kind(word) if word is not None and word in kind else None

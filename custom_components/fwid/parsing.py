"""From the agent's JSON to dataclasses.

Fields that are not known are ignored, and words of a newer agent (a state, a kind of event) are
None: a later minor version of the API never breaks this one.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from .models import (
    AgentInfo,
    Category,
    Changed,
    Device,
    Event,
    EventType,
    Gap,
    Identification,
    Identified,
    Judged,
    Kind,
    Message,
    Reason,
    Source,
    State,
    Vantage,
    VersionName,
)

type Json = Mapping[str, Any]

# What they tell is read with everything else: it is never older than the rest.
_CHANGES = ("changed", "identified", "model")


def parse_message(data: Json) -> Message | None:
    """Read a message of the WebSocket; None for a kind that is not known."""
    if "seq" in data:
        return parse_event(data)
    if data["type"] == "gap":
        return Gap(int(data["last_seq"]))
    if data["type"] in _CHANGES:
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
        kind=_parse_kind(data.get("kind")),
        identified=_parse_identified(data.get("identified")),
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
        knows_kinds="identification" in data,
        identification=_parse_identification(data.get("identification")),
        alarms_per_device_year=data.get("alarms_per_device_year"),
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


def _parse_kind(data: Json | None) -> Kind | None:
    if data is None:
        return None
    category = _parse_category(data.get("category"))
    return Kind(str(data["label"]), category, str(data.get("source", "person")))


def _parse_identified(data: Json | None) -> Identified | None:
    if data is None:
        return None
    return Identified(
        label=data["label"],
        category=_parse_category(data.get("category")),
        certainty=float(data["certainty"]),
        model=str(data.get("model", "")),
        time=_parse_time(data["time"]),
        agrees=data.get("agrees"),
    )


def _parse_identification(data: Json | None) -> Identification | None:
    if data is None:
        return None
    return Identification(
        model=data.get("model"),
        type=data.get("type"),
        trained=_parse_optional_time(data.get("trained")),
        devices=int(data.get("devices", 0)),
        accuracy=data.get("accuracy"),
        old_because=str(data.get("old_because") or "") if data.get("getting_old") else None,
        running=bool(data.get("running")),
    )


def _parse_category(word: str | None) -> Category | None:
    return next((category for category in Category if category.told == word), None)


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

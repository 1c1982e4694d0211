"""Make events. The same run gives the same events, ids too, however often it is repeated."""

from dataclasses import dataclass
from uuid import UUID, uuid5

from fwid_agent.types import (
    Cause,
    Event,
    EventReason,
    EventType,
    Reason,
    format_mac,
    format_time,
)


@dataclass(frozen=True, slots=True)
class News:
    """What an event is about, before it has a time and an id."""

    type: EventType
    from_version: int | None
    to_version: int | None
    cause: Cause = Cause.NONE
    expected: bool = False
    reasons: tuple[Reason, ...] = ()


def make_event(news: News, device: int, time_ns: int, agent: UUID, number: int) -> Event:
    """Make the device's event of that number; `seq` is 0 until it is stored."""
    mac, time = format_mac(device), format_time(time_ns)
    return Event(
        seq=0,
        id=str(uuid5(agent, f"{mac} {time} {news.type} {number}")),
        time=time,
        device=mac,
        type=news.type,
        from_version=news.from_version,
        to_version=news.to_version,
        cause=news.cause,
        expected=news.expected,
        reasons=tuple(EventReason(reason.key, reason.params) for reason in news.reasons),
    )

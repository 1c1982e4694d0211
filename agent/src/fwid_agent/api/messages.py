"""Every request and answer of the API; the OpenAPI document is made from these.

Requests with unknown fields are refused: a mistyped name never goes unnoticed. Answers may get
further fields in later versions: clients ignore what they do not know.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fwid_agent.types import Cause, Event, EventReason, JsonScalar, State, Verdict

# --- what values look like -----------------------------------------------------------------------

MAC_PATTERN = "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"
_MOST_SEQ = 2**63 - 1
# Names end up on pages and in terminals: nothing that steers either, nothing without end.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$"

Mac = Annotated[str, Meta(pattern=MAC_PATTERN, examples=["90:8d:78:a8:e1:43"])]
Count = Annotated[int, Meta(ge=0)]
Version = Annotated[int, Meta(ge=1, le=10**6)]
Seq = Annotated[int, Meta(ge=0, le=_MOST_SEQ)]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PRINTABLE)]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset")]
TimeText = Annotated[
    str, Meta(description="RFC 3339, UTC with Z", extra_json_schema={"format": "date-time"})
]


class _Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    pass


class _Answer(msgspec.Struct, kw_only=True):
    pass


# --- requests ------------------------------------------------------------------------------------


class Nothing(_Request):
    """An action that needs no more words; the body may be missing altogether."""


class Mute(_Request):
    """Raise no alarm until then; null: until further notice; a past time: again from now on."""

    until: Time | None


class WrongAlarm(_Request):
    """The event whose alarm was wrong."""

    event: Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Label(_Request):
    """A version's name, such as 1.7.5."""

    version: Version
    label: Name


class ExpectUpdate(_Request):
    """An update was started; changes until then are expected."""

    until: Time


class PairRequest(_Request):
    """The code that the agent shows, and how the client calls itself."""

    code: Annotated[str, Meta(pattern="^[0-9]{8}$")]
    name: Name


class LogIn(_Request):
    """The code that the agent shows, from the page."""

    code: Annotated[str, Meta(pattern="^[0-9]{8}$")]


class Resume(_Request):
    """The first and only message of a client on the WebSocket."""

    after: Seq


class EventsQuery(_Request):
    """Which events."""

    after: Seq = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000


class HistoryQuery(_Request):
    """From when on; everything that is kept where it is missing."""

    since: Time | None = None


# --- answers -------------------------------------------------------------------------------------


class Error(_Answer):
    """What went wrong, in one line."""

    error: str


class Health(_Answer):
    """That the API answers; `details` only for those with a token."""

    status: Literal["ok"] = "ok"
    details: dict[str, JsonScalar] | msgspec.UnsetType = msgspec.UNSET


class Ready(_Answer):
    """Whether packets are captured and judged."""

    ready: bool


class Paired(_Answer):
    """The token, which is never to be had again."""

    token: str


class Info(_Answer):
    """Who the agent is, and what it captures."""

    id: str  # UUID
    version: str
    started: TimeText
    api: Literal[1] = 1
    capture: dict[str, JsonScalar] = {}
    last_seq: Count = 0  # of the last event
    name: str | None = None


class VersionName(_Answer):
    """A version that the device has been known by."""

    version: Version
    label: str | None = None


class Device(_Answer):
    """One device, and where it stands. `state` is null while it is seen but not watched."""

    device: Mac
    state: State | None
    first_seen: TimeText
    last_seen: TimeText
    packets_sent: Count
    packets_received: Count
    bytes: Count
    version: Version | None = None
    label: str | None = None
    since: TimeText | None = None  # of the state
    randomised: bool = False  # the address is a private one and may be gone tomorrow
    name: str | None = None  # as the device calls itself: not to be trusted
    learned_units: Count | None = None
    learning_units: Count | None = None
    ready_at: TimeText | None = None  # when learning ends if traffic goes on
    similarity: float | None = None  # of the last unit
    cause: Cause = Cause.NONE
    reasons: tuple[EventReason, ...] = ()
    reason_texts: tuple[str, ...] = ()  # the same in English words
    versions: tuple[VersionName, ...] = ()
    muted: bool = False
    muted_until: TimeText | None = None
    update_expected_until: TimeText | None = None
    multicast_only: bool = False  # the agent stands where it sees no more of the device
    sizes_reliable: bool = True


class Devices(_Answer):
    """All devices."""

    devices: tuple[Device, ...]


class Judged(_Answer):
    """What was decided of one unit."""

    time: TimeText  # when the unit starts
    state: State
    version: Version
    verdict: Verdict
    cause: Cause
    g: float | None = None
    g_low: float | None = None
    g_high: float | None = None
    similarity_baseline: float | None = None
    similarity_test: float | None = None
    reasons: tuple[EventReason, ...] = ()
    reason_texts: tuple[str, ...] = ()  # the same in English words
    missing: str | None = None


class History(_Answer):
    """What was decided of a device, oldest first."""

    history: tuple[Judged, ...]


class Events(_Answer):
    """A page of events; `gap`: ask for the present states, some that were asked for are gone."""

    events: tuple[Event, ...]
    gap: bool
    last_seq: Count


class Gap(_Answer, tag="gap"):
    """Sent first on the WebSocket where events that were asked for are no longer kept."""

    last_seq: Count

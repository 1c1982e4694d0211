"""Every request and answer of the API; the OpenAPI document is made from these.

Requests with unknown fields are refused: a mistyped name never goes unnoticed. Answers may get
further fields in later versions: clients ignore what they do not know.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from fwid_agent.types import Cause, Event, EventReason, State, Vantage, Verdict

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


class NameDevice(_Request):
    """What a person calls the device; null: what it calls itself again."""

    name: Name | None


class ExpectUpdate(_Request):
    """An update was started; changes until then are expected."""

    until: Time


class PairRequest(_Request):
    """The code that the agent shows, and how the client calls itself."""

    code: Annotated[str, Meta(pattern="^[0-9]{8}$")]
    name: Name


class Resume(_Request):
    """The first and only message of a client on the WebSocket."""

    after: Seq


class EventsQuery(_Request):
    """Which events; of one device where it is named."""

    after: Seq = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000
    device: Mac | None = None


class SinceQuery(_Request):
    """From when on; everything that is kept where it is missing."""

    since: Time | None = None


# --- answers -------------------------------------------------------------------------------------


class Error(_Answer):
    """What went wrong, in one line."""

    error: str


class SourceHealth(_Answer):
    """One source of frames, and what became of them on the way."""

    source: str  # as it was asked for
    kind: str
    capturing: bool
    trouble: str = ""  # why it is not, in words; "" where all is well
    frames: Count = 0
    lost: Count = 0  # frames that there was no room for before they were read
    copies: Count = 0  # frames that another source had brought already
    merged: Count = 0  # frames that hold several packets and do not say how many


class CaptureHealth(_Answer):
    """How the capture is: all sources together, and each."""

    capturing: bool
    trouble: str = ""
    frames: Count = 0
    lost: Count = 0
    copies: Count = 0
    merged: Count = 0
    undecoded: Count = 0  # frames whose headers could not be read
    unfollowed: Count = 0  # packets of more addresses than are followed at once
    flows_evicted: Count = 0  # connections closed early, for more than are followed at once
    forgotten: Count = 0  # devices forgotten since the start to make room for others
    lost_windows: Count = 0  # of devices, given up because the store could not be written for long
    devices: Count = 0
    partly_seen: Count = 0  # devices of which the agent does not see all; see Device.vantage
    sources: tuple[SourceHealth, ...] = ()


class Health(_Answer):
    """That the API answers; `details` only for those with a token."""

    status: Literal["ok"] = "ok"
    details: CaptureHealth | msgspec.UnsetType = msgspec.UNSET


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
    time: TimeText  # the agent's clock now
    capture: CaptureHealth
    api: Literal[1] = 1
    last_seq: Count = 0  # of the last event
    unit_s: Count = 86_400  # how long a unit is: usually a day


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
    last_change: TimeText | None = None  # when another version was last noticed
    randomised: bool = False  # the address is a private one and may be gone tomorrow
    name: str | None = None
    name_source: Literal["person", "device"] | None = None  # a device calls itself what it likes
    learned_units: Count | None = None
    learning_units: Count | None = None
    ready_at: TimeText | None = None  # when learning ends if traffic goes on
    similarity: float | None = None  # of the last unit
    g: float | None = None  # its effect size
    cause: Cause = Cause.NONE
    reasons: tuple[EventReason, ...] = ()
    reason_texts: tuple[str, ...] = ()  # the same in English words
    versions: tuple[VersionName, ...] = ()
    muted: bool = False
    muted_until: TimeText | None = None
    update_expected_until: TimeText | None = None
    alarm_event: str | None = None  # id of the last event that raised an alarm
    alarm_was_wrong: bool = False  # a person said so
    vantage: Vantage = Vantage.UNKNOWN  # what of it is seen from where the agent stands
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
    usual_low: float | None = None  # least and most similar of the version's calm units before
    usual_high: float | None = None
    reasons: tuple[EventReason, ...] = ()
    reason_texts: tuple[str, ...] = ()  # the same in English words
    missing: str | None = None


class History(_Answer):
    """What was decided of a device, oldest first."""

    history: tuple[Judged, ...]


class Network(_Answer):
    """Where on the internet a device was in contact with: no more of an address is kept."""

    network: str  # an IPv4 /24 or IPv6 /48
    flows: Count


class Port(_Answer):
    """A service that a device used (opened) or offered (accepted)."""

    port: Count
    protocol: str  # as in reasons
    opened: bool
    flows: Count


class Contact(_Answer):
    """How much a device talked in a time, and with whom."""

    time: TimeText  # when it begins
    length_s: Count  # an hour; a day where it is older
    packets: Count
    bytes: Count  # of the network layer
    networks: tuple[Network, ...] = ()  # the busiest first
    networks_beyond: Count = 0  # flows with further ones, that are not listed
    ports: tuple[Port, ...] = ()  # the busiest first
    ports_beyond: Count = 0  # flows of further ones


class Contacts(_Answer):
    """How chatty a device is, oldest first."""

    contacts: tuple[Contact, ...]


class Events(_Answer):
    """A page of events; `gap`: ask for the present states, some that were asked for are gone."""

    events: tuple[Event, ...]
    reason_texts: tuple[tuple[str, ...], ...]  # of each event, in English words
    gap: bool
    last_seq: Count


class Gap(_Answer, tag="gap"):
    """Sent first on the WebSocket where events that were asked for are no longer kept."""

    last_seq: Count


class Changed(_Answer, tag="changed"):
    """Sent on the WebSocket where states may have changed without an event: ask for them."""

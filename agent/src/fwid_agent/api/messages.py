"""Every answer of the API; the OpenAPI document is made from these and the requests.

Answers may get further fields in later versions: clients ignore what they do not know.
"""

from typing import Literal

import msgspec

from fwid_agent.api.values import (
    Answer,
    Category,
    Count,
    Mac,
    Rate,
    Share,
    Source,
    TimeText,
    Version,
    Whose,
)
from fwid_agent.types import Cause, Event, EventReason, State, Vantage, Verdict


class Error(Answer):
    """What went wrong, in one line."""

    error: str


class SourceHealth(Answer):
    """One source of frames, and what became of them on the way."""

    source: str  # as it was asked for
    kind: str
    capturing: bool
    trouble: str = ""  # why it is not, in words; "" where all is well
    frames: Count = 0
    lost: Count = 0  # frames that there was no room for before they were read
    copies: Count = 0  # frames that another source had brought already
    merged: Count = 0  # frames that hold several packets and do not say how many


class CaptureHealth(Answer):
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


class Health(Answer):
    """That the API answers; `details` only for those with a token."""

    status: Literal["ok"] = "ok"
    details: CaptureHealth | msgspec.UnsetType = msgspec.UNSET


class Ready(Answer):
    """Whether packets are captured and judged."""

    ready: bool


class Paired(Answer):
    """The token, which is never to be had again."""

    token: str


class Attempt(Answer):
    """The latest attempt to train the model that identifies devices."""

    time: TimeText
    outcome: str  # accepted, kept (the one in use is better), too_little or failed
    reason: str = ""  # in English words


class Identification(Answer):
    """The model that identifies devices."""

    model: Whose | None = None  # null: there is none yet
    number: Count | None = None  # of this home's own
    type: Literal["forest", "tree", "fc", "conv1d"] | None = None
    trained: TimeText | None = None
    window_days: Count | None = None  # of how many days it was learnt
    devices: Count = 0  # that it was learnt from
    accuracy: Share | None = None  # of the newest held-out day's devices, how many were right
    getting_old: bool = False  # it is time to train anew
    old_because: Literal["age", "changed", "new_devices", "worse"] | None = None
    running: bool = False  # another is being trained
    last_attempt: Attempt | None = None


class Info(Answer):
    """Who the agent is, and what it captures."""

    id: str  # UUID
    version: str
    started: TimeText
    time: TimeText  # the agent's clock now
    capture: CaptureHealth
    api: Literal[1] = 1
    last_seq: Count = 0  # of the last event
    unit_s: Count = 86_400  # how long a unit is: usually a day
    alarms_per_device_year: Rate = 0.1  # false alarms that the thresholds accept
    identification: Identification | None = None  # null: devices are not identified


class VersionName(Answer):
    """A version that the device has been known by."""

    version: Version
    label: str | None = None


class Kind(Answer):
    """What a device is said to be."""

    label: str  # such as "Philips Hue bridge"
    category: Category | None = None
    source: Source = "person"


class Identified(Answer):
    """What a device behaves like, by its newest unit."""

    label: str | None  # null: none that the model knows
    certainty: Share  # that it is one that is known; where there is no label, that it is not
    model: Whose
    time: TimeText  # when the unit starts
    category: Category | None = None  # of the label
    agrees: bool | None = None  # with its kind; null: nobody said it, or it was not learnt


class Device(Answer):
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
    kind: Kind | None = None  # what it is said to be
    identified: Identified | None = None  # what it behaves like; null: not identified


class Devices(Answer):
    """All devices."""

    devices: tuple[Device, ...]


class Judged(Answer):
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


class History(Answer):
    """What was decided of a device, oldest first."""

    history: tuple[Judged, ...]


class Network(Answer):
    """Where on the internet a device was in contact with: no more of an address is kept."""

    network: str  # an IPv4 /24 or IPv6 /48
    flows: Count


class Port(Answer):
    """A service that a device used (opened) or offered (accepted)."""

    port: Count
    protocol: str  # as in reasons
    opened: bool
    flows: Count


class Contact(Answer):
    """How much a device talked in a time, and with whom."""

    time: TimeText  # when it begins
    length_s: Count  # an hour; a day where it is older
    packets: Count
    bytes: Count  # of the network layer
    networks: tuple[Network, ...] = ()  # the busiest first
    networks_beyond: Count = 0  # flows with further ones, that are not listed
    ports: tuple[Port, ...] = ()  # the busiest first
    ports_beyond: Count = 0  # flows of further ones


class Contacts(Answer):
    """How chatty a device is, oldest first."""

    contacts: tuple[Contact, ...]


class Events(Answer):
    """A page of events; `gap`: ask for the present states, some that were asked for are gone."""

    events: tuple[Event, ...]
    reason_texts: tuple[tuple[str, ...], ...]  # of each event, in English words
    gap: bool
    last_seq: Count


class Gap(Answer, tag="gap"):
    """Sent first on the WebSocket where events that were asked for are no longer kept."""

    last_seq: Count


class Changed(Answer, tag="changed"):
    """Sent on the WebSocket where states may have changed without an event: ask for them."""


class NewlyIdentified(Answer, tag="identified"):
    """Sent on the WebSocket where a device behaves like something else than before."""

    device: Mac
    identified: Identified | None


class ModelChanged(Answer, tag="model"):
    """Sent on the WebSocket where a training has begun or ended, or the model has become old."""

    identification: Identification | None


# What is told beside events: of no number, and not kept.
Notice = Changed | NewlyIdentified | ModelChanged

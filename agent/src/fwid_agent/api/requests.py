"""Every request of the API.

Unknown fields are refused: a mistyped name never goes unnoticed.
"""

from typing import Annotated

from msgspec import Meta

from fwid_agent.api.values import Category, Mac, Name, Request, Seq, Source, Time, Version


class Nothing(Request):
    """An action that needs no more words; the body may be missing altogether."""


class Mute(Request):
    """Raise no alarm until then; null: until further notice; a past time: again from now on."""

    until: Time | None


class WrongAlarm(Request):
    """The event whose alarm was wrong."""

    event: Annotated[str, Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Label(Request):
    """A version's name, such as 1.7.5."""

    version: Version
    label: Name


class NameDevice(Request):
    """What a person calls the device; null: what it calls itself again."""

    name: Name | None


class SetKind(Request):
    """What a device is said to be; without a label, what this source said of it is forgotten.

    What a person says stands above what Home Assistant says.
    """

    label: Name | None
    category: Category | None = None
    source: Source = "person"


class ExpectUpdate(Request):
    """An update was started; changes until then are expected."""

    until: Time


class PairRequest(Request):
    """The code that the agent shows, and how the client calls itself."""

    code: Annotated[str, Meta(pattern="^[0-9]{8}$")]
    name: Name


class Resume(Request):
    """The first and only message of a client on the WebSocket."""

    after: Seq


class EventsQuery(Request):
    """Which events; of one device where it is named."""

    after: Seq = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000
    device: Mac | None = None


class SinceQuery(Request):
    """From when on; everything that is kept where it is missing."""

    since: Time | None = None

"""The table of all routes: the server answers by it, and the OpenAPI document is made from it."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from fwid_agent.api import messages, requests

PREFIX = "/api/v1"
PNG = "image/png"
TEXT = "text/plain"

Message = type[msgspec.Struct]


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked for."""

    name: str  # of the handler, and the operation's id
    method: str
    path: str  # below PREFIX
    summary: str
    answer: Message | str | None  # a message, the content type of anything else, or nothing
    body: Message | None = None
    query: Message | None = None
    is_open: bool = False  # no token needed
    errors: Mapping[int, str] | None = None  # besides those that every route has

    @property
    def of_device(self) -> bool:
        """Whether the path names a device."""
        return "{mac}" in self.path


_MODEL = {409: "devices are not identified, or a model is being trained"}


def _action(name: str, body: Message, summary: str, path: str = "") -> Route:
    path = f"/devices/{{mac}}/{path or name.replace('_', '-')}"
    return Route(name, "POST", path, summary, messages.Device, body=body)


ROUTES = (
    Route("info", "GET", "/info", "Who the agent is and what it captures", messages.Info),
    Route("openapi", "GET", "/openapi.json", "This document", "application/json"),
    Route("devices", "GET", "/devices", "All devices", messages.Devices),
    Route("device", "GET", "/devices/{mac}", "One device", messages.Device),
    Route(
        "history",
        "GET",
        "/devices/{mac}/history",
        "What was decided of a device",
        messages.History,
        query=requests.SinceQuery,
    ),
    Route(
        "contacts",
        "GET",
        "/devices/{mac}/contacts",
        "How chatty a device is, and with whom",
        messages.Contacts,
        query=requests.SinceQuery,
    ),
    Route(
        "image",
        "GET",
        "/devices/{mac}/image/{which}.png",
        "A fingerprint image",
        PNG,
    ),
    _action("enrol", requests.Nothing, "Watch a device that was seen"),
    _action("accept", requests.Nothing, "Take what a device does now as its new normal"),
    _action("relearn", requests.Nothing, "Forget what is usual for a device and learn it anew"),
    _action("mute", requests.Mute, "Raise no alarm for a device"),
    _action("wrong_alarm", requests.WrongAlarm, "Say that an alarm was wrong"),
    _action("label", requests.Label, "Name a version of a device"),
    _action("name", requests.NameDevice, "Call a device by a name of your own"),
    _action("set_kind", requests.SetKind, "Say what a device is", "kind"),
    _action("expect_update", requests.ExpectUpdate, "Say that an update was started"),
    Route(
        "retrain",
        "POST",
        "/retrain",
        "Start to train the model that identifies devices",
        messages.Identification,
        body=requests.Nothing,
        errors=_MODEL,
    ),
    Route(
        "roll_back_identifier",
        "POST",
        "/retrain/roll-back",
        "Identify devices by the model before again",
        messages.Identification,
        body=requests.Nothing,
        errors=_MODEL,
    ),
    Route(
        "events",
        "GET",
        "/events",
        "Stored events after one, oldest first",
        messages.Events,
        query=requests.EventsQuery,
    ),
    Route(
        "stream",
        "GET",
        "/events/ws",
        "WebSocket: the client sends Resume, the server a Gap where there is one, then each Event",
        "websocket",
        errors={426: "not a WebSocket"},
    ),
    Route("metrics", "GET", "/metrics", "Figures in Prometheus' text format", TEXT),
    Route("health", "GET", "/health", "Whether the API answers", messages.Health, is_open=True),
    Route(
        "ready",
        "GET",
        "/ready",
        "Whether packets are captured and judged",
        messages.Ready,
        is_open=True,
        errors={503: "not ready; the answer is Ready as well"},
    ),
    Route(
        "pair",
        "POST",
        "/pair",
        "Exchange the code that the agent shows for a token",
        messages.Paired,
        body=requests.PairRequest,
        is_open=True,
        errors={
            403: "wrong or expired code",
            423: "too many wrong codes: make a new one",
            429: "too many tries from this address: wait a minute",
        },
    ),
    Route("forget_token", "DELETE", "/token", "Revoke the token that is shown with this", None),
)

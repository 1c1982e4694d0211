"""What the values in requests and answers look like."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MAC_PATTERN = "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"
_MOST_SEQ = 2**63 - 1
# Names end up on pages and in terminals: nothing that steers either, nothing without end.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$"

Mac = Annotated[str, Meta(pattern=MAC_PATTERN, examples=["90:8d:78:a8:e1:43"])]
Count = Annotated[int, Meta(ge=0)]
Rate = Annotated[float, Meta(gt=0)]
Version = Annotated[int, Meta(ge=1, le=10**6)]
Seq = Annotated[int, Meta(ge=0, le=_MOST_SEQ)]
Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PRINTABLE)]
Time = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset")]
TimeText = Annotated[
    str, Meta(description="RFC 3339, UTC with Z", extra_json_schema={"format": "date-time"})
]
Share = Annotated[float, Meta(ge=0, le=1)]
Source = Literal["person", "home_assistant"]  # who says what a device is
Whose = Literal["home", "shipped"]  # model: trained at home, or the one that came with the agent
Category = Literal["Surveillance", "Media", "Audio", "Hub", "Appliance", "Home Automation"]


class Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a client sends."""


class Answer(msgspec.Struct, kw_only=True):
    """What the agent sends."""

"""What the page alone asks and is answered: no part of the API that programs use."""

from typing import Annotated

import msgspec
from msgspec import Meta

from fwid_agent.api.values import Count, TimeText


class LogIn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The code that the agent shows, from the page."""

    code: Annotated[str, Meta(pattern="^[0-9]{8}$")]


class Code(msgspec.Struct, kw_only=True):
    """A code with which one more client is let in, and what that client has to show."""

    code: str
    life_s: Count
    fingerprint: str


class TokenInfo(msgspec.Struct, kw_only=True):
    """Somebody who was let in."""

    id: str
    name: str
    created: TimeText
    last_used: str | None  # day
    session: bool  # a person's browser
    mine: bool  # the one that asks


class Tokens(msgspec.Struct, kw_only=True):
    """All who were let in, oldest first."""

    tokens: tuple[TokenInfo, ...]

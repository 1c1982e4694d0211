"""Answers as they leave: JSON of one line, errors too."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from fwid_agent.api import messages

_T = TypeVar("_T", bound=msgspec.Struct)
# What 64 bits of nanoseconds hold.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)


class RefusedError(Exception):
    """A request that is answered with an error; `str` is the line."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


def answer(message: msgspec.Struct, status: int = 200) -> web.Response:
    """Answer with a message."""
    body = msgspec.json.encode(message) + b"\n"
    return web.Response(status=status, body=body, content_type="application/json")


def refuse(status: int, text: str) -> web.Response:
    """Answer with an error of one line."""
    return answer(messages.Error(error=" ".join(text.split())), status)


def convert(record: dict[str, Any], message: type[_T]) -> _T:
    """Give a record of the agent its documented form."""
    return msgspec.convert(record, message)


def nanoseconds(time: datetime) -> int:
    """Turn a client's time into nanoseconds since the epoch, the nearest that there are."""
    return (min(max(time, _FIRST), _LAST) - _FIRST) // timedelta(microseconds=1) * 1000

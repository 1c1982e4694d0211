"""Home Assistant's Supervisor, where the agent runs as one of its apps.

The agent tells the Supervisor how it is reached, and the Supervisor hands that to Home Assistant:
nobody has to enter an address or a code.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from fwid_agent.api.files import read_private, write_private
from fwid_agent.api.tokens import TokenStore

_URL = "http://supervisor/discovery"
_SERVICE = "fwid"
_TOKEN_NAME = "Home Assistant, by its Supervisor"  # noqa: S105 - what it is called
_PATIENCE = aiohttp.ClientTimeout(total=10)
_RETRY_S = 30.0
_log = logging.getLogger("fwid")


@dataclass(frozen=True, slots=True)
class Supervisor:
    """The Supervisor that started the agent, by the token that it gave it."""

    token: str = field(repr=False)


def find_supervisor() -> Supervisor | None:
    """Find out whether the agent runs as an app."""
    token = os.environ.get("SUPERVISOR_TOKEN")
    return Supervisor(token) if token else None


def token_for_home_assistant(tokens: TokenStore, path: Path, now_ns: int) -> str:
    """Return the token that Home Assistant is given: the same at each start.

    It is kept in plain in a file of the agent's own, as the Supervisor keeps it too. Where a person
    has revoked it, or the file is gone, there is a new one in its place.
    """
    kept = (read_private(path) or b"").decode("ascii", "replace").strip()
    if kept and tokens.verify(kept, now_ns) is not None:
        return kept
    for token in tokens.tokens():
        if token.name == _TOKEN_NAME:
            tokens.revoke(token.id)
    secret = tokens.add(_TOKEN_NAME, now_ns)
    write_private(path, secret.encode())
    return secret


@asynccontextmanager
async def introduced(
    supervisor: Supervisor, config: Mapping[str, str | int]
) -> AsyncIterator[None]:
    """Have the Supervisor tell Home Assistant how the agent is reached; it remembers that."""
    task = asyncio.create_task(_introduce(supervisor, config))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _introduce(supervisor: Supervisor, config: Mapping[str, str | int]) -> None:
    """Try until it is done; what goes wrong is said once."""
    headers = {"Authorization": f"Bearer {supervisor.token}"}
    message = {"service": _SERVICE, "config": dict(config)}
    told = ""
    async with aiohttp.ClientSession(timeout=_PATIENCE, headers=headers) as session:
        while True:
            try:
                async with session.post(_URL, json=message) as answer:
                    trouble = "" if answer.ok else f"it answers {answer.status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                trouble = str(error) or "it does not answer"
            if not trouble:
                _log.info("introduced to Home Assistant")
                return
            if trouble != told:
                _log.warning("not introduced to Home Assistant, tried again: %s", trouble)
            told = trouble
            await asyncio.sleep(_RETRY_S)

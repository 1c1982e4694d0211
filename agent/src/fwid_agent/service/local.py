"""The running agent's local socket: how `fwid` commands on the same machine reach it.

One JSON object a line, one answer, over a Unix socket beside the store. The kernel says who asks
(SO_PEERCRED, unix(7)): only the agent's own user and root are heard.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from fwid_agent.errors import AgentUnreachableError, FwidError, StoreError, UsageError

_MOST_BYTES = 1 << 16
_PATIENCE_S = 10.0
_CREDENTIALS = struct.Struct("=iII")  # pid, uid, gid
_ERRORS: dict[int, Callable[[str], FwidError]] = {2: UsageError, 4: StoreError}
Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


def socket_path(store: Path) -> Path:
    """Return where the agent that runs on a store listens."""
    return store.with_name(store.name + ".sock")


async def listen(store: Path, answer: Answer) -> asyncio.Server:
    """Answer whoever may ask; raises StoreError where the socket cannot be made."""
    path = socket_path(store)
    mask = os.umask(0o177)
    try:
        path.unlink(missing_ok=True)  # of an agent that was killed
        return await asyncio.start_unix_server(
            lambda reader, writer: _serve(reader, writer, answer), path, limit=_MOST_BYTES
        )
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    finally:
        os.umask(mask)


def ask_agent(store: Path, request: dict[str, Any]) -> dict[str, Any] | None:
    """Ask the agent that runs on this store; None where none does.

    Raises:
        FwidError: what the agent says is wrong.
        AgentUnreachableError: it does not answer.

    """
    path = socket_path(store)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PATIENCE_S)
            connection.connect(str(path))
            connection.sendall(msgspec.json.encode(request) + b"\n")
            line = connection.makefile("rb").readline(_MOST_BYTES)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        return None
    except OSError as error:
        raise AgentUnreachableError(
            f"{path}: the agent does not answer ({error.strerror or error})"
        ) from error
    if not line:
        raise AgentUnreachableError(f"{path}: the agent does not answer; run as its user or root")
    given: dict[str, Any] = msgspec.json.decode(line)
    if "error" in given:
        raise _ERRORS.get(given.get("code", 4), StoreError)(given["error"])
    return given


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer
) -> None:
    try:
        if _peer(writer) in (0, os.geteuid()):
            async with asyncio.timeout(_PATIENCE_S):
                line = await reader.readline()
                writer.write(msgspec.json.encode(await _answer(line, answer)) + b"\n")
                await writer.drain()
    except (TimeoutError, ConnectionError, ValueError):
        pass  # whoever asked has gone, or says too much
    finally:
        writer.close()


async def _answer(line: bytes, answer: Answer) -> dict[str, Any]:
    try:
        return await answer(msgspec.json.decode(line, type=dict[str, Any]))
    except FwidError as error:
        return {"error": str(error), "code": error.exit_code}
    except msgspec.DecodeError:
        return {"error": "not a request", "code": 2}


def _peer(writer: asyncio.StreamWriter) -> int:
    """User id of whoever is at the other end."""
    connection: socket.socket = writer.get_extra_info("socket")
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[1])


def is_running(store: Path) -> bool:
    """Say whether an agent runs on this store."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.connect(str(socket_path(store)))
        except OSError:
            return False
        return True

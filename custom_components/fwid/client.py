"""The agent's API over Home Assistant's own session; only the pinned certificate is spoken with."""

import asyncio
import hashlib
import json
import logging
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

import aiohttp
from yarl import URL

from .errors import AnswerError, CertificateError, RefusedError, TokenError, UnreachableError
from .models import AgentInfo, Changed, Device, Judged, Message
from .parsing import Json, parse_device, parse_info, parse_judged, parse_message

_LOGGER = logging.getLogger(__name__)
_PREFIX = "/api/v1/"
_PATIENCE_S = 15.0
_HEARTBEAT_S = 30.0
_MOST_BYTES = 16 * 1024 * 1024  # of one answer: some thousand devices
_MOST_MESSAGE_BYTES = 256 * 1024

type Which = Literal["before", "after", "difference"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where an agent is, and the certificate that it has to show."""

    host: str
    port: int
    fingerprint: str  # SHA-256, 64 hexadecimal digits

    def __post_init__(self) -> None:
        """Raise ValueError where the fingerprint is none."""
        if len(bytes.fromhex(self.fingerprint)) != hashlib.sha256().digest_size:
            raise ValueError("no SHA-256 fingerprint")

    @property
    def url(self) -> URL:
        """Of the agent's page."""
        return URL.build(scheme="https", host=self.host, port=self.port, path="/")


async def read_fingerprint(host: str, port: int, context: ssl.SSLContext) -> str:
    """Read which certificate is shown there, and send nothing.

    Args:
        host: name or address.
        port: TCP port.
        context: one that checks nothing, as there is nothing to check yet.

    Raises:
        AnswerError: who is there does not speak TLS.
        UnreachableError: nobody is there.

    """
    try:
        URL.build(scheme="https", host=host, port=port)  # a host that is none raises here
        async with asyncio.timeout(_PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except ssl.SSLError as error:
        raise AnswerError("who answers does not speak TLS") from error
    except (OSError, TimeoutError, ValueError) as error:
        raise UnreachableError(str(error) or type(error).__name__) from error
    try:
        shown: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await writer.wait_closed()
    if not shown:
        raise UnreachableError("no certificate")
    return hashlib.sha256(shown).hexdigest()


class AgentClient:
    """Asks one agent; every method raises AgentError where it cannot."""

    def __init__(
        self, session: aiohttp.ClientSession, address: Address, token: str | None = None
    ) -> None:
        """Ask by this session; without a token only what is open to everybody can be asked."""
        self.address = address
        self._session = session
        self._base = address.url.with_path(_PREFIX)
        # One object for all requests: connections are kept apart by it.
        self._pinned = aiohttp.Fingerprint(bytes.fromhex(address.fingerprint))
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    # --- getting in and out ----------------------------------------------------------------------

    async def check(self) -> None:
        """Check that it is an agent that answers; needs no token."""
        answer = await self._get("health")
        if answer.get("status") != "ok":
            raise AnswerError("no fwid agent")

    async def pair(self, code: str, name: str) -> str:
        """Exchange the code that the agent shows for a token."""
        answer = await self._post("pair", {"code": code, "name": name})
        return _parse(lambda: str(answer["token"]))

    async def revoke_token(self) -> None:
        """Have the agent forget our token."""
        await self._request("DELETE", "token")

    # --- reading ---------------------------------------------------------------------------------

    async def info(self) -> AgentInfo:
        """Who the agent is, and what it captures."""
        answer = await self._get("info")
        return _parse(lambda: parse_info(answer))

    async def devices(self) -> tuple[Device, ...]:
        """All devices that the agent has seen."""
        answer = await self._get("devices")
        return _parse(lambda: tuple(parse_device(device) for device in answer["devices"]))

    async def history(self, mac: str, since: datetime) -> tuple[Judged, ...]:
        """What was decided of a device from this time on, oldest first."""
        answer = await self._get(f"devices/{mac}/history", {"since": since.isoformat()})
        return _parse(lambda: tuple(parse_judged(judged) for judged in answer["history"]))

    async def image(self, mac: str, which: Which) -> bytes | None:
        """A fingerprint image as PNG; None while there is none."""
        try:
            return await self._request("GET", f"devices/{mac}/image/{which}.png")
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    # --- acting ----------------------------------------------------------------------------------

    async def act(self, mac: str, action: str, **words: Any) -> Device:  # noqa: ANN401 - JSON
        """Have the agent do something with a device; returns the device as it is then."""
        answer = await self._post(f"devices/{mac}/{action}", words)
        return _parse(lambda: parse_device(answer))

    async def retrain(self) -> None:
        """Have the agent train the model that identifies devices."""
        await self._post("retrain", {})

    # --- events as they happen -------------------------------------------------------------------

    async def stream(self, after: int) -> AsyncGenerator[Message]:
        """Yield what follows an event, and then what happens, until the connection ends.

        The first message is `Changed`: nobody told what changed without an event meanwhile.

        Raises:
            AgentError: it could not be made, or has ended.

        """
        url = self._base.join(URL("events/ws"))
        try:
            async with (
                asyncio.timeout(_PATIENCE_S) as patience,
                self._session.ws_connect(
                    url,
                    headers=self._headers,
                    ssl=self._pinned,
                    heartbeat=_HEARTBEAT_S,
                    max_msg_size=_MOST_MESSAGE_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
                ) as socket,
            ):
                await socket.send_json({"after": after})
                patience.reschedule(None)  # from here on, the heartbeat notices a silence
                yield Changed()
                async for message in socket:
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    known = _parse(partial(_read_message, message.data))
                    if known is not None:
                        yield known
                raise UnreachableError(f"the connection has ended ({socket.close_code})")
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 401:
                raise TokenError("the token is not valid") from error
            raise RefusedError(error.status, error.message) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _translate(error) from error

    # --- within ----------------------------------------------------------------------------------

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        return _decode(await self._request("GET", path, query=query))

    async def _post(self, path: str, words: Json) -> Json:
        return _decode(await self._request("POST", path, body=words))

    async def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
    ) -> bytes:
        try:
            async with (
                asyncio.timeout(_PATIENCE_S),
                self._session.request(
                    method,
                    self._base.join(URL(path)),
                    params=query,
                    json=body,
                    headers=self._headers,
                    ssl=self._pinned,
                    allow_redirects=False,
                ) as response,
            ):
                data = await _read(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _translate(error) from error
        _LOGGER.debug("%s %s: %d, %d bytes", method, path, response.status, len(data))
        if response.status == 401:
            raise TokenError("the token is not valid")
        if not 200 <= response.status < 300:
            raise RefusedError(response.status, _error_text(data))
        return data


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        data += chunk
        if len(data) > _MOST_BYTES:
            raise AnswerError("the answer is too long")
    return bytes(data)


def _read_message(text: str) -> Message | None:
    return parse_message(json.loads(text))


def _decode(data: bytes) -> Json:
    answer = _parse(lambda: json.loads(data))
    if not isinstance(answer, dict):
        raise AnswerError("the answer is no JSON object")
    return answer


def _error_text(data: bytes) -> str:
    try:
        return str(json.loads(data)["error"])
    except KeyError, TypeError, ValueError:
        return "no reason is given"


def _parse[T](parse: Callable[[], T]) -> T:
    try:
        return parse()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AnswerError(f"the answer makes no sense: {error!r}") from error


def _translate(error: Exception) -> UnreachableError | CertificateError:
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return CertificateError("another certificate is shown")
    return UnreachableError(str(error) or type(error).__name__)

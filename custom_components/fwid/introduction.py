"""Getting to know an agent: who answers at an address, being let in, and what it has seen."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.ssl import get_default_no_verify_context

from .client import Address, AgentClient, read_fingerprint
from .const import CONF_CODE, CONF_FINGERPRINT
from .errors import AgentError, CertificateError, RefusedError, TokenError, UnreachableError
from .issues import find_version_issue
from .models import AgentInfo, Device

CLIENT_NAME = "Home Assistant"
_CODE_DIGITS = 8
_PROBLEMS: Mapping[type[AgentError], str] = {
    CertificateError: "certificate_changed",
    TokenError: "token_refused",
    UnreachableError: "cannot_connect",
}
_NOT_PAIRED = {403: "wrong_code", 423: "locked", 429: "too_often"}

type Errors = dict[str, str]  # of a form: keys of texts by field


class Introduction:
    """What a flow has learned of an agent; its token is given back unless an entry keeps it."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Know nothing yet."""
        self._hass = hass
        self._known: Address | None = None
        self._token = ""
        self._must_return = False
        self.devices: tuple[Device, ...] = ()

    @property
    def address(self) -> Address:
        """Where the agent was found, and the certificate that it showed there."""
        assert self._known is not None
        return self._known

    async def look_at(self, host: str, port: int) -> Errors:
        """See who answers there, before anything is told to them."""
        try:
            fingerprint = await read_fingerprint(host, port, get_default_no_verify_context())
            self._known = Address(host, port, fingerprint)
            await self._client().check()
        except AgentError as error:
            return {"base": _problem(error)}
        return {}

    def take(self, given: Mapping[str, Any]) -> None:
        """Take what the app hands over; raises KeyError or ValueError where it is not all."""
        self._known = Address(
            str(given[CONF_HOST]), int(given[CONF_PORT]), str(given[CONF_FINGERPRINT])
        )
        self._token = str(given[CONF_TOKEN])

    async def pair(self, typed: str) -> Errors:
        """Be let in by the code that the agent shows."""
        code = "".join(sign for sign in typed if sign.isdecimal())
        if len(code) != _CODE_DIGITS:
            return {CONF_CODE: "no_code"}
        try:
            self._token = await self._client().pair(code, CLIENT_NAME)
        except RefusedError as error:
            return {CONF_CODE: _NOT_PAIRED.get(error.status, "wrong_code")}
        except AgentError as error:
            return {"base": _problem(error)}
        self._must_return = True
        return {}

    async def ask(self) -> tuple[AgentInfo | None, str]:
        """Ask the agent who it is; returns why it cannot be followed where it cannot."""
        client = self._client()
        try:
            info = await client.info()
            self.devices = await client.devices()
        except AgentError as error:
            return None, _problem(error)
        issue = find_version_issue(info)
        return (info, "") if issue is None else (None, issue.key)

    async def still_admits(self, token: str) -> bool:
        """Return whether the agent takes a token that it gave earlier."""
        try:
            await self._client(token).info()
        except AgentError:
            return False
        return True

    def keep(self) -> dict[str, Any]:
        """Return what an entry keeps; the token is the entry's from now on."""
        self._must_return = False
        return {
            CONF_HOST: self.address.host,
            CONF_PORT: self.address.port,
            CONF_FINGERPRINT: self.address.fingerprint,
            CONF_TOKEN: self._token,
        }

    async def leave(self) -> None:
        """Give back a token that no entry keeps."""
        if self._must_return:
            self._must_return = False
            await self.revoke(self._token)

    async def revoke(self, token: str) -> None:
        """Have the agent forget a token that nobody uses from now on."""
        with suppress(AgentError):
            await self._client(token).revoke_token()

    def _client(self, token: str | None = None) -> AgentClient:
        session = async_get_clientsession(self._hass)
        return AgentClient(session, self.address, token or self._token or None)


def read_address(typed: str, port: int) -> tuple[str, int]:
    """Return host and port of what a person typed, which may be the address of the agent's page."""
    typed = typed.strip()
    if "://" not in typed and typed.count(":") > 1 and not typed.startswith("["):
        return typed, port  # IPv6
    with suppress(ValueError):  # what makes no sense is told as an address where nobody is
        parts = urlsplit(typed if "://" in typed else f"//{typed}")
        return parts.hostname or "", parts.port or port
    return typed, port


def _problem(error: AgentError) -> str:
    return _PROBLEMS.get(type(error), "no_agent")

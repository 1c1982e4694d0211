"""Tokens: what a client shows to be let in. Only their SHA-256 is kept.

A token is 256 random bits, so a plain hash is as good as a slow one: there is nothing to guess.
A session is the token of a person's browser: it may let others in and shut them out, and it ends
when it is not used.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec

from fwid_agent.api.files import read_private, write_private
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.types import format_time, parse_time

_log = logging.getLogger("fwid")
_TOKEN_BYTES = 32
_ID_BYTES = 4
_MOST_TOKENS = 64  # each request is compared with all of them
SESSION_DAYS = 30  # without use, until a session ends: browsers are lost, sold and lent
_DAY_NS = 86_400 * 1_000_000_000


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a token: enough to recognise it, too little to make it."""

    id: str  # names it to people and in logs
    name: str  # as the client called itself
    sha256: str
    created: str  # RFC 3339
    last_used: str | None = None  # day; finer would wear the SD card out and tell habits
    session: bool = False  # of a person's browser


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    tokens: tuple[Token, ...]


class TokenStore:
    """All tokens of an agent, in memory and in a file; for one thread."""

    def __init__(self, path: Path) -> None:
        """Read the file, where there is one; raises StoreError."""
        self._path = path
        self._on_revoked: list[Callable[[str], None]] = []
        self._tokens = {token.id: token for token in _read(path)}

    def add(self, name: str, now_ns: int, *, session: bool = False) -> str:
        """Make a token and return it: it is never to be had again.

        Raises:
            UsageError: there are as many tokens as there can be.
            StoreError: it cannot be kept.

        """
        if len(self._tokens) >= _MOST_TOKENS:
            raise UsageError(f"there are {_MOST_TOKENS} tokens already; revoke one first")
        secret = secrets.token_urlsafe(_TOKEN_BYTES)
        token = Token(
            secrets.token_hex(_ID_BYTES), name, _hash(secret), format_time(now_ns), session=session
        )
        self._keep({**self._tokens, token.id: token})
        return secret

    def verify(self, secret: str, now_ns: int) -> Token | None:
        """Return the token that was shown, None where it is none of ours."""
        shown, found = _hash(secret), None
        for token in self._tokens.values():
            if hmac.compare_digest(token.sha256, shown):
                found = token
        if found is None:
            return None
        if found.session and now_ns - _last_ns(found) > SESSION_DAYS * _DAY_NS:
            self.revoke(found.id)
            return None
        day = format_time(now_ns)[:10]
        if found.last_used != day:
            found = msgspec.structs.replace(found, last_used=day)
            self._tokens[found.id] = found
            try:
                self._keep(self._tokens)
            except StoreError as error:  # a full disk is no reason to turn a client away
                _log.warning("last use of a token not kept: %s", error)
        return found

    def tokens(self) -> tuple[Token, ...]:
        """All tokens, oldest first."""
        return tuple(self._tokens.values())

    def revoke(self, token_id: str) -> None:
        """Forget a token; whoever uses it is cut off before this returns.

        Raises:
            UsageError: there is no such token.
            StoreError: it is forgotten only until the agent starts again.

        """
        if token_id not in self._tokens:
            raise UsageError(f"no token {token_id!r}; `fwid tokens` lists them")
        del self._tokens[token_id]
        for tell in tuple(self._on_revoked):
            tell(token_id)
        self._keep(self._tokens)

    def on_revoked(self, tell: Callable[[str], None]) -> Callable[[], None]:
        """Have each revoked token's id told; returns how to end that."""
        self._on_revoked.append(tell)
        return lambda: self._on_revoked.remove(tell)

    def _keep(self, tokens: dict[str, Token]) -> None:
        data = msgspec.json.encode(_File(1, tuple(tokens.values())))
        write_private(self._path, msgspec.json.format(data) + b"\n")
        self._tokens = dict(tokens)


def _read(path: Path) -> tuple[Token, ...]:
    data = read_private(path)
    if data is None:
        return ()
    try:
        file = msgspec.json.decode(data, type=_File)
    except msgspec.DecodeError as error:
        raise StoreError(f"{path}: not a file of tokens: {error}") from error
    if file.version != 1:
        raise StoreError(f"{path}: made by a newer version of fwid")
    return file.tokens


def _last_ns(token: Token) -> int:
    """When a token was made or last used, to the end of that day."""
    day = token.last_used or token.created[:10]
    return parse_time(f"{day}T00:00:00Z") + _DAY_NS


def _hash(secret: str) -> str:
    # Headers may hold any byte: those that are no text come as lone surrogates.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

"""A person's session on the page: log in and out, let others in, shut them out, take a backup.

A session is a token of its own kind, listed and revoked like any other. Its cookie is hidden from
scripts and sent by this site's own pages only (SameSite=Strict), and what changes anything needs a
header that no other site's page can add without being asked first (OWASP, "Cross-Site Request
Forgery Prevention"). A program's token opens none of this, in whatever form it is shown.
"""

import asyncio
import logging
import os
from typing import BinaryIO

from aiohttp import web

from fwid_agent.api.answers import RefusedError, answer
from fwid_agent.api.context import CONTEXT, SESSION_COOKIE
from fwid_agent.api.guard import Handler
from fwid_agent.api.handlers import admit_code, read_body
from fwid_agent.api.page_files import page, page_file
from fwid_agent.api.pairing import CODE_LIFE_NS
from fwid_agent.api.requests import Nothing
from fwid_agent.api.session_messages import Code, LogIn, TokenInfo, Tokens
from fwid_agent.api.tokens import SESSION_DAYS, Token

_COOKIE_S = SESSION_DAYS * 86_400
_CHUNK_BYTES = 1 << 18
_SECOND_NS = 1_000_000_000
# Each says to be the ones behind it too.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "an iPhone"), ("iPad", "an iPad"), ("Mac OS X", "a Mac"),
    ("Windows", "Windows"), ("CrOS", "a Chromebook"), ("Linux", "Linux"),
)  # fmt: skip
_log = logging.getLogger("fwid")


async def log_in(request: web.Request) -> web.Response:
    """Exchange a code for a cookie."""
    asked = await read_body(request, LogIn)
    token = admit_code(request, asked.code, _name_browser(request), session=True)
    response = answer(Nothing())
    response.set_cookie(
        SESSION_COOKIE, token, max_age=_COOKIE_S, path="/", secure=True, httponly=True,
        samesite="Strict",
    )  # fmt: skip
    return response


def _name_browser(request: web.Request) -> str:
    """Name it as its owner would; a browser says what it likes, so only known words are taken."""
    said = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in _BROWSERS if mark in said), "a browser")
    system = next((name for mark, name in _SYSTEMS if mark in said), "")
    return f"{browser} on {system}" if system else browser


async def log_out(request: web.Request) -> web.Response:
    """Forget the session, here and in the browser."""
    token = _session(request)
    request.app[CONTEXT].tokens.revoke(token.id)
    response = answer(Nothing())
    response.del_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
    return response


async def make_code(request: web.Request) -> web.Response:
    """Make a code with which another client is let in."""
    token, context = _session(request), request.app[CONTEXT]
    code = context.pairing.new_code(context.clock.steady_ns())
    _log.info("a pairing code was made on the page session=%s", token.id)
    life_s = CODE_LIFE_NS // _SECOND_NS
    return answer(Code(code=code, life_s=life_s, fingerprint=context.fingerprint))


async def list_tokens(request: web.Request) -> web.Response:
    """Who has been let in."""
    mine = _session(request)
    listed = tuple(
        TokenInfo(
            id=token.id,
            name=token.name,
            created=token.created,
            last_used=token.last_used,
            session=token.session,
            mine=token.id == mine.id,
        )
        for token in request.app[CONTEXT].tokens.tokens()
    )
    return answer(Tokens(tokens=listed))


async def revoke_token(request: web.Request) -> web.Response:
    """Shut a client out, at once."""
    mine = _session(request)
    request.app[CONTEXT].tokens.revoke(request.match_info["id"])
    _log.info("a token was revoked on the page session=%s", mine.id)
    return answer(Nothing())


async def backup(request: web.Request) -> web.StreamResponse:
    """Give a copy of the store as it is now."""
    _session(request)
    context = request.app[CONTEXT]
    if context.copying.locked():
        raise RefusedError(503, "another backup is being made; try again when it is done")
    async with context.copying:
        # Not in the worker: nobody has to wait while much is copied.
        path = await asyncio.to_thread(context.agent.backup)
        with path.open("rb") as file:
            path.unlink()  # it is there as long as it is open, however this ends
            return await _send_file(request, file)


async def _send_file(request: web.Request, file: BinaryIO) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_type = "application/octet-stream"
    response.content_length = os.fstat(file.fileno()).st_size
    response.headers["Content-Disposition"] = 'attachment; filename="fwid-backup.db"'
    await response.prepare(request)
    while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
        await response.write(chunk)
    await response.write_eof()
    return response


def _session(request: web.Request) -> Token:
    """Return the session that asks; raises RefusedError where it is a program."""
    token = request.app[CONTEXT].verify(request)
    if token is None or not token.session:
        raise RefusedError(403, "only a person who is logged in on the page may do this")
    return token


# name: method, path, handler
PAGE_ROUTES: dict[str, tuple[str, str, Handler]] = {
    "page": ("GET", "/", page),
    "page_file": ("GET", "/page/{name}", page_file),
    "log_in": ("POST", "/session", log_in),
    "log_out": ("DELETE", "/session", log_out),
    "make_code": ("POST", "/session/code", make_code),
    "list_tokens": ("GET", "/session/tokens", list_tokens),
    "revoke_token": ("DELETE", "/session/tokens/{id}", revoke_token),
    "backup": ("GET", "/session/backup", backup),
}

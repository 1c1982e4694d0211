"""The page: its files, and logging in and out by a cookie that scripts cannot read.

A session is a token like any other, listed and revoked like one. Its cookie is sent by this site's
own pages only (SameSite=Strict), and what changes anything needs a header that no other site's page
can add without being asked first (OWASP, "Cross-Site Request Forgery Prevention").
"""

from importlib.resources import files

from aiohttp import web

from fwid_agent.api import messages
from fwid_agent.api.answers import RefusedError, answer
from fwid_agent.api.context import CONTEXT, SESSION_COOKIE
from fwid_agent.api.guard import Handler
from fwid_agent.api.handlers import admit_code, read_body

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {
    "icon.svg": ("page/icon.svg", "image/svg+xml"),
    "page.js": ("page/page.js", "text/javascript"),
    "page.css": ("page/page.css", "text/css"),
    "uPlot.iife.min.js": ("page/vendor/uPlot.iife.min.js", "text/javascript"),
    "uPlot.min.css": ("page/vendor/uPlot.min.css", "text/css"),
}
_YEAR_S = 365 * 86_400


async def page(_: web.Request) -> web.Response:
    """The page; it holds nothing that is not for everybody."""
    return _file("page/index.html", "text/html")


async def page_file(request: web.Request) -> web.Response:
    """A script or style of the page."""
    found = _FILES.get(request.match_info["name"])
    if found is None:
        raise RefusedError(404, "no such file")
    return _file(*found)


async def log_in(request: web.Request) -> web.Response:
    """Exchange a code for a cookie."""
    asked = await read_body(request, messages.LogIn)
    token = admit_code(request, asked.code, "a browser")
    response = answer(messages.Nothing())
    response.set_cookie(
        SESSION_COOKIE, token, max_age=_YEAR_S, path="/", secure=True, httponly=True,
        samesite="Strict",
    )  # fmt: skip
    return response


async def log_out(request: web.Request) -> web.Response:
    """Forget the session, here and in the browser."""
    context = request.app[CONTEXT]
    token = context.verify(request)
    if token is not None:
        context.tokens.revoke(token.id)
    response = answer(messages.Nothing())
    response.del_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
    return response


# name: method, path, handler; only the last needs a token
PAGE_ROUTES: dict[str, tuple[str, str, Handler]] = {
    "page": ("GET", "/", page),
    "page_file": ("GET", "/page/{name}", page_file),
    "log_in": ("POST", "/session", log_in),
    "log_out": ("DELETE", "/session", log_out),
}


def _file(name: str, kind: str) -> web.Response:
    body = files("fwid_agent.api").joinpath(name).read_bytes()
    response = web.Response(body=body, content_type=kind, charset="utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response

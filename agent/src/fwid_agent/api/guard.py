"""What stands before and behind every handler: tokens, errors of one line, headers, the log."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from fwid_agent.api.answers import RefusedError, refuse
from fwid_agent.api.context import CONTEXT
from fwid_agent.api.routes import ROUTES
from fwid_agent.errors import FwidError, UsageError

_log = logging.getLogger("fwid")
_OPEN = {route.name for route in ROUTES if route.is_open} | {"page", "page_file", "log_in"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# No Strict-Transport-Security: with it browsers offer no way past a certificate that they do not
# know, and in a home they know none.

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let in who may, and answer in one line whatever goes wrong."""
    try:
        _admit(request)
        response = await handler(request)
    except RefusedError as error:
        response = refuse(error.status, str(error))
    except web.HTTPException as error:
        response = refuse(error.status, error.reason)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except UsageError as error:
        response = refuse(400, str(error))
    except FwidError as error:
        _log.warning("api: %s", error)
        response = refuse(503, str(error))
    except Exception:
        _log.exception("api: a fault while answering")
        response = refuse(500, "a fault of the agent; its log says more")
    if response.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    _write_log(request, response.status)
    return response


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Keep browsers from storing, guessing and framing; tell nobody what software answers."""
    response.headers["Server"] = "fwid"
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.app[CONTEXT].came_by_ingress(request):  # Home Assistant shows the page in its own
        response.headers["X-Frame-Options"] = "SAMEORIGIN"
        policy = response.headers["Content-Security-Policy"]
        framed = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
        response.headers["Content-Security-Policy"] = framed


def _admit(request: web.Request) -> None:
    # What is no route has no name: without a token one does not even learn which there are.
    is_open = request.match_info.route.name in _OPEN
    if not is_open and request.app[CONTEXT].verify(request) is None:
        raise RefusedError(401, "a valid token is needed: `fwid pair` makes a code to get one")


def _write_log(request: web.Request, status: int) -> None:
    """Addresses at debug level only; tokens and queries never."""
    if status in (401, 403, 423, 429):
        _log.info("api: refused a request status=%d", status)
    _log.debug(
        "api: request peer=%s method=%s path=%s status=%d",
        request.remote,
        request.method,
        request.rel_url.raw_path,
        status,
    )

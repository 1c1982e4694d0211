"""The files of the page: they hold nothing that is not for everybody, and ask nobody else."""

from importlib.resources import files

from aiohttp import web

from fwid_agent.api.answers import RefusedError

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FOLDER = files("fwid_agent.api").joinpath("page")
# What a browser may ask for is what is there, and nothing is looked for by a name of its choice.
_FILES = {
    file.name: file
    for folder in (_FOLDER, _FOLDER.joinpath("vendor"))
    for file in folder.iterdir()
    if file.name.rpartition(".")[2] in _KINDS
}


async def page(_: web.Request) -> web.Response:
    """The page itself."""
    return _answer(_FOLDER.joinpath("index.html").read_bytes(), "text/html")


async def page_file(request: web.Request) -> web.Response:
    """A script, style or picture of the page."""
    file = _FILES.get(request.match_info["name"])
    if file is None:
        raise RefusedError(404, "no such file")
    return _answer(file.read_bytes(), _KINDS[file.name.rpartition(".")[2]])


def _answer(body: bytes, kind: str) -> web.Response:
    response = web.Response(body=body, content_type=kind, charset="utf-8")
    response.headers["Content-Security-Policy"] = _POLICY
    return response

"""The page's session: a cookie for its own pages alone, and files that ask nobody but the agent."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import fwid_agent.api
import pytest
from fwid_agent.api.context import PAGE_HEADER, SESSION_COOKIE

PAGE = Path(fwid_agent.api.__file__).parent / "page"
_OURS = {PAGE_HEADER: "1"}


async def log_in(home: Any, more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Log in as the page does; returns the headers of its requests."""
    code = home.pairing.new_code(home.time.clock().steady_ns())
    status, _, headers = await home.ask(
        "POST", "/../../session", token=None, headers=_OURS | dict(more), json={"code": code}
    )
    assert status == 200
    cookie = headers["Set-Cookie"]
    for part in (f"{SESSION_COOKIE}=", "HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
        assert part in cookie
    return {"Cookie": cookie.partition(";")[0]}


def test_a_session_is_a_token_that_ends_with_it(serve: Any) -> None:
    """Logged in it reads and acts; logged out the cookie is worth nothing."""

    async def test(home: Any) -> None:
        cookie = await log_in(home)
        assert (await home.ask("GET", "/devices", token=None, headers=cookie))[0] == 200
        act = "/devices/90:8d:78:a8:e1:43/accept"
        assert (await home.ask("POST", act, token=None, headers=cookie | _OURS))[0] == 200
        assert [one.name for one in home.tokens.tokens()][-1] == "a browser"
        assert (await home.ask("DELETE", "/../../session", token=None, headers=cookie | _OURS))[
            0
        ] == 200
        assert (await home.ask("GET", "/devices", token=None, headers=cookie))[0] == 401

    serve(test)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
            "Safari on an iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
            "Edge on Windows",
        ),
        ("<script>alert(1)</script>", "a browser"),
    ],
)
def test_a_browser_is_known_by_what_its_owner_calls_it(serve: Any, said: str, name: str) -> None:
    """Who has a phone and a laptop let in can tell which one to shut out."""

    async def test(home: Any) -> None:
        await log_in(home, {"User-Agent": said})
        assert [one.name for one in home.tokens.tokens()][-1] == name

    serve(test)


def test_another_sites_page_can_change_nothing(serve: Any) -> None:
    """A browser that sends the cookie along is not enough: the page's own header is needed."""

    async def test(home: Any) -> None:
        cookie = await log_in(home)
        before = list(home.agent.told)
        for method, path in (
            ("POST", "/devices/90:8d:78:a8:e1:43/accept"),
            ("POST", "/devices/90:8d:78:a8:e1:43/relearn"),
            ("DELETE", "/../../session"),
        ):
            assert (await home.ask(method, path, token=None, headers=cookie))[0] == 401
        assert home.agent.told == before

    serve(test)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_another_sites_page_hears_nothing(serve: Any, origin: str) -> None:
    """Browsers let any page open a WebSocket: its origin decides."""

    async def test(home: Any) -> None:
        cookie = await log_in(home)
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                   "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
        headers = cookie | upgrade | ({"Origin": origin} if origin else {})
        assert (await home.ask("GET", "/events/ws", token=None, headers=headers))[0] == 401

    serve(test)


def test_wrong_codes_lock_the_login_too(serve: Any) -> None:
    """It is the same lock as that of pairing."""

    async def test(home: Any) -> None:
        home.pairing.new_code(home.time.clock().steady_ns())
        said = set()
        for _ in range(12):
            said.add(
                (await home.ask("POST", "/../../session", token=None, json={"code": "00000000"}))[0]
            )
        assert said <= {403, 423, 429}
        assert said & {423, 429}

    serve(test)


def test_the_page_asks_nobody_else(serve: Any) -> None:
    """Its policy allows this origin alone, and every file that it names is there."""

    async def test(home: Any) -> None:
        status, html, headers = await home.ask("GET", "/../../", token=None)
        assert status == 200
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        for name in re.findall(rb'(?:src|href)="(page/[^"]+)"', html):
            assert (await home.ask("GET", f"/../../{name.decode()}", token=None))[0] == 200
        assert (await home.ask("GET", "/../../page/..%2findex.html", token=None))[0] == 404
        assert (await home.ask("GET", "/../../page/vendor", token=None))[0] == 404

    serve(test)


def test_a_person_lets_another_client_in_and_shuts_it_out(serve: Any) -> None:
    """A code from the page is as good as one of the machine; revoking it closes its WebSocket."""

    async def test(home: Any) -> None:
        cookie = await log_in(home)
        page = cookie | _OURS
        status, made, _ = await home.ask("POST", "/../../session/code", token=None, headers=page)
        assert (status, made["life_s"]) == (200, 600)
        body = {"code": made["code"], "name": "Home Assistant"}
        paired = (await home.ask("POST", "/pair", token=None, json=body))[1]["token"]

        listed = (await home.ask("GET", "/../../session/tokens", token=None, headers=cookie))[1]
        told = {one["name"]: one for one in listed["tokens"]}
        assert told["a browser"]["mine"]
        assert told["a browser"]["session"]
        assert not told["Home Assistant"]["mine"]
        assert not told["Home Assistant"]["session"]
        assert paired not in str(listed)

        home.token = paired
        async with home.socket(0) as opened:
            path = f"/../../session/tokens/{told['Home Assistant']['id']}"
            assert (await home.ask("DELETE", path, token=None, headers=page))[0] == 200
            assert (await opened.receive(timeout=5)).data == 1008
        assert (await home.ask("GET", "/info"))[0] == 401
        assert (await home.ask("DELETE", path, token=None, headers=page))[0] == 400

    serve(test)


_OF_PEOPLE = [
    ("POST", "/../../session/code"),
    ("GET", "/../../session/tokens"),
    ("DELETE", "/../../session/tokens/00000000"),
    ("GET", "/../../session/backup"),
    ("DELETE", "/../../session"),
]


def test_a_programs_token_opens_nothing_of_a_persons(serve: Any) -> None:
    """Shown as it should be, or dressed up as the page's cookie; whoever stole it stays alone."""

    async def test(home: Any) -> None:
        dressed = {"Cookie": f"{SESSION_COOKIE}={home.token}"} | _OURS
        for method, path in _OF_PEOPLE:
            assert (await home.ask(method, path))[0] == 403
            assert (await home.ask(method, path, token=None, headers=dressed))[0] == 403
            assert (await home.ask(method, path, token=None, headers=_OURS))[0] == 401
        assert not home.pairing.is_open(home.time.now_ns)
        assert len(home.tokens.tokens()) == 1

    serve(test)


def test_another_sites_page_makes_no_code_and_revokes_nobody(serve: Any) -> None:
    """The cookie alone is not enough."""

    async def test(home: Any) -> None:
        cookie = await log_in(home)
        for method, path in _OF_PEOPLE:
            if method != "GET":
                assert (await home.ask(method, path, token=None, headers=cookie))[0] == 401
        assert not home.pairing.is_open(home.time.now_ns)

    serve(test)


def test_a_session_that_is_not_used_ends(serve: Any) -> None:
    """Browsers are lost and sold; what a program was given stays until it is revoked."""

    async def test(home: Any) -> None:
        cookie = await log_in(home)
        for days, status in ((29, 200), (29, 200), (33, 401), (0, 401)):
            home.time.now_ns += days * 86_400 * 10**9
            asked = await home.ask("GET", "/devices", token=None, headers=cookie)
            assert asked[0] == status
        assert (await home.ask("GET", "/devices"))[0] == 200
        assert [one.session for one in home.tokens.tokens()] == [False]

    serve(test)


def test_a_backup_is_sent_whole_and_nothing_of_it_stays(serve: Any) -> None:
    """As a file to keep, never to be shown."""

    async def test(home: Any) -> None:
        cookie = await log_in(home)
        status, data, headers = await home.ask(
            "GET", "/../../session/backup", token=None, headers=cookie
        )
        assert (status, data) == (200, b"SQLite" * 100_000)
        assert headers["Content-Disposition"].startswith("attachment")
        assert headers["Content-Type"] == "application/octet-stream"
        assert not home.agent.copy.exists()

    serve(test)


def test_the_page_writes_no_html() -> None:
    """What a device calls itself is text, whatever it holds; and nothing is loaded from afar."""
    scripts = list(PAGE.glob("*.js"))
    assert scripts
    for script in scripts:
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in script.read_text()
    for file in (*scripts, PAGE / "index.html", *PAGE.glob("*.css")):
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")  # a name, not an address
        assert not re.search(r"(https?:)?//[a-z]+\.[a-z]", text)

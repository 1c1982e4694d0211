"""The page of a real agent, which has replayed real captures, in a real browser."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "tests/data/iot-sentinel"
SENSOR = "90:8d:78:a8:e1:43"  # was updated between the captures
PHONE = {"width": 390, "height": 844}


@dataclass
class Agent:
    """A running agent, and its command on the same machine."""

    store: Path
    port: int
    log: Any = None  # the process, where somebody reads what it says
    session: Any = None  # cookies of whoever is logged in: an address has few tries a minute

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/"

    def ask(self, *words: str) -> Any:
        """Run a command of fwid and give what it answers."""
        return self.ask_lines(*words)[0]

    def ask_lines(self, *words: str) -> list[Any]:
        """The same for a command that answers by one object a line."""
        command = [sys.executable, "-m", "fwid_agent.cli.main", *words, "--json"]
        done = subprocess.run(
            [*command, "--store", str(self.store)], capture_output=True, check=True, timeout=60
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def code(self) -> str:
        return str(self.ask("pair")["code"])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def replayed(folder: Path, *devices: str) -> Iterator[Agent]:
    """Run an agent that has replayed the captures of these devices, and goes on serving."""
    agent = Agent(folder / "fwid.db", free_port())
    config = folder / "fwid.toml"
    config.write_text((ROOT / "scripts/demo.toml").read_text() + "discovery = false\n")
    process = subprocess.Popen(
        [
            sys.executable, "-m", "fwid_agent.cli.main", "run", "--replay",
            *(str(CAPTURES / device) for device in devices), "--speed", "max",
            "--config", str(config), "--store", str(agent.store), "--port", str(agent.port),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        log = []
        while not log or "the replay is finished" not in log[-1]:
            log.append(process.stderr.readline())
            assert log[-1], "".join(log)
        yield agent
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """An agent to look at; whoever changes anything takes one of his own."""
    with replayed(tmp_path_factory.mktemp("agent"), "D-LinkSensor", "WeMoSwitch") as running:
        yield running


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


def launch(playwright: Playwright) -> Browser:
    """Start the browser that is installed."""
    # Chromium refuses its sandbox to root, and in many containers to everybody.
    return playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox"]
    )


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = launch(playwright)
    yield started
    started.close()


class Program:
    """A program that was paired: another client of the same agent."""

    def __init__(self, playwright: Playwright, agent: Agent, code: str, name: str) -> None:
        self._agent = agent
        self._http = playwright.request.new_context(ignore_https_errors=True)
        paired = self.post("pair", {"code": code, "name": name})
        self._headers = {"Authorization": f"Bearer {paired['token']}"}

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = getattr(self, "_headers", {})
        url = f"{self._agent.url}api/v1/{path}"
        answer = self._http.post(url, data=body or {}, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    def get(self, path: str) -> Any:
        return self._http.get(f"{self._agent.url}api/v1/{path}", headers=self._headers).json()

    def is_let_in(self) -> bool:
        return "error" not in self.get("info")

    def close(self) -> None:
        self._http.dispose()


@dataclass
class Watched:
    """What a page asked for and complained of."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def watch(context: BrowserContext) -> Watched:
    """Note every request and complaint of a context's pages, breaches of the policy among them."""
    watched = Watched()
    context.on("request", lambda request: watched.requests.append(request.url))
    context.on("weberror", lambda error: watched.complaints.append(str(error.error)))
    context.on("dialog", lambda dialog: watched.complaints.append(f"dialog {dialog.message}"))
    # A refused request and a picture that is not there yet are told, too: no complaints. Nor
    # is that another test on this machine has made or removed a network.
    expected = re.compile(r"status of (401|403|404|409|423|429)|ERR_NETWORK_CHANGED")
    context.on(
        "console",
        lambda line: (
            watched.complaints.append(line.text)
            if line.type in ("error", "warning") and not expected.search(line.text)
            else None
        ),
    )
    return watched


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Show an agent's page, logged in; it may ask nobody else and must complain of nothing."""
    visits: list[tuple[BrowserContext, Watched, str]] = []

    def log_in(agent: Agent, *, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(
            ignore_https_errors=True,
            viewport={"width": width, "height": height},
            locale="en-GB",
            timezone_id="Europe/Berlin",
            storage_state=agent.session,
            **options,
        )
        context.set_default_timeout(20_000)
        visits.append((context, watch(context), agent.url))
        page = context.new_page()
        page.goto(agent.url)
        if agent.session is None:
            page.get_by_label("Code").fill(agent.code())
            page.keyboard.press("Enter")
        page.get_by_role("heading", name="devices").wait_for()
        agent.session = context.storage_state()
        return page

    yield log_in
    for context, watched, url in visits:
        context.close()
        sockets = url.replace("https", "wss")
        strangers = [one for one in watched.requests if not one.startswith((url, sockets, "blob:"))]
        assert strangers == []
        assert watched.complaints == []

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, sync_playwright

from tests.card.scenes import NOW, Scene

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "custom_components/fwid/frontend/fwid-card.js"
# What a picture of the agent looks like to a browser: one grey dot.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636800000082008177cd72b60000000049454e44ae426082"
)


class HarnessHandler(SimpleHTTPRequestHandler):
    """Serves the harness, the built card and one picture."""

    def do_GET(self) -> None:
        if self.path.startswith("/api/fwid/image/plug/"):
            self.send_error(404)
        elif self.path.startswith("/api/fwid/image/"):
            self.answer("image/png", PNG)
        elif self.path == "/fwid-card.js":
            self.answer("text/javascript", BUILT.read_bytes())
        else:
            super().do_GET()

    def answer(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the harness is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(HarnessHandler, directory=str(HERE)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Chromium refuses its sandbox to root, and in many containers to everybody.
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


OpenCard = Callable[..., Page]


@pytest.fixture
def open_card(browser: Browser, address: str) -> Iterator[OpenCard]:
    """Open a page with the card in a scene; the page may ask nobody else and must log no error."""
    strangers: list[str] = []
    errors: list[str] = []

    def watch(route: Route) -> None:
        if route.request.url.startswith((address, "data:")):
            route.continue_()
        else:
            strangers.append(route.request.url)
            route.abort()

    contexts = []

    def open_scene(scene: Scene, *, width: int = 600, height: int = 800, **options: Any) -> Page:
        viewport: ViewportSize = {"width": width, "height": height}
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        context.route("**/*", watch)
        context.clock.set_fixed_time(NOW)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{address}/harness.html")
        page.evaluate("scene => harness.show(scene)", scene)
        return page

    yield open_scene
    for context in contexts:
        context.close()
    assert strangers == []
    assert errors == []

"""Headless Chromium on a host of the home, driven through pipes by the DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.system.agent import wait_for
from tests.system.home import Host

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One page."""

    def __init__(self, ask: int, hear: int) -> None:
        self._ask, self._hear = ask, os.fdopen(hear, "rb", buffering=1 << 16)
        self._pending, self._number, self._session = b"", 0, ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser to do something; gives its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._ask, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def look(self, script: str) -> Any:
        """Run a script in the page; gives its value."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script: str, seconds: float = 20) -> Any:
        """Wait until a script's value is true."""
        return wait_for(lambda: self.look(script), seconds, script)

    def picture(self, path: Path) -> None:
        """Take a picture of the whole page."""
        self.look("scrollTo(0, 0)")
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._pending:
            data = self._hear.read1()
            assert data, "the browser has gone"
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def close(self) -> None:
        """Close the pipes, at which the browser ends."""
        os.close(self._ask)
        self._hear.close()


@contextmanager
def browser_on(host: Host, width: int = 900, height: int = 1000) -> Iterator[Browser]:
    """Start a browser on a host."""
    theirs_in, ask = os.pipe()
    hear, theirs_out = os.pipe()
    with tempfile.TemporaryDirectory(prefix="fwid-browser-") as folder:
        # It wants its pipes as numbers 3 and 4.
        script = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        command = ["bash", "-c", script, "chromium", str(CHROMIUM), "--headless=new"]
        command += ["--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        command += ["--ignore-certificate-errors", "--no-first-run", "--disable-dev-shm-usage"]
        command += [f"--window-size={width},{height}", f"--user-data-dir={folder}/profile"]
        process = subprocess.Popen(
            host.inside(*command),
            pass_fds=[theirs_in, theirs_out],
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": folder},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        browser = Browser(ask, hear)
        try:
            yield browser
        finally:
            browser.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

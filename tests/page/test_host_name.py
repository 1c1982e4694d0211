"""A device that calls itself by a script, in a real request: a text wherever it is shown."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.agent.live.conftest import Lan, lan  # noqa: F401 - a fixture
from tests.page.conftest import Agent, Visit, free_port

NAME = "<img src=x onerror=alert(1)>\x1b[31m\u202e"
SHOWN = "<img src=x onerror=alert(1)>[31m"


@pytest.fixture
def agent(lan: Lan, tmp_path: Path) -> Iterator[Agent]:  # noqa: F811
    """An agent that watches a cable on which a DHCP client asks for an address."""
    if shutil.which("busybox") is None:
        pytest.skip("needs busybox, whose DHCP client is asked to lie")
    config = tmp_path / "fwid.toml"
    config.write_text("window_s = 2\nunit_s = 4\nhandshakes = true\ndiscovery = false\n")
    made = Agent(tmp_path / "fwid.db", free_port())
    command = [sys.executable, "-m", "fwid_agent.cli.main", "run", lan.near]
    command += ["--store", str(made.store), "--config", str(config), "--port", str(made.port)]
    client = lan.inside(
        "busybox", "udhcpc", "-i", lan.far, "-f", "-s", "/bin/true", "-T", "1", "-A", "1",
        "-x", f"0x0c:{NAME.encode().hex()}",
    )  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        made.log = process
        asking = subprocess.Popen(client, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 40
            while time.monotonic() < until and not _named(made):
                time.sleep(1)
            yield made
        finally:
            asking.kill()
            asking.wait()
            process.terminate()


def _named(agent: Agent) -> list[str]:
    if not agent.store.exists() or not Path(f"{agent.store}.sock").exists():
        return []
    listed = agent.ask_lines("devices")
    return [one["name"] for one in listed if one["name"]]


def test_script_in_a_host_name_is_inert(agent: Agent, visit: Visit, tmp_path: Path) -> None:
    """On the page, which may run nothing; in tables, the report and the log."""
    assert _named(agent) == [SHOWN]
    page = visit(agent)
    card = page.get_by_role("listitem").filter(has_text=SHOWN)
    expect(card).to_be_visible()
    card.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(SHOWN)
    expect(page.get_by_text("as it calls itself")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0

    store = ["--store", str(agent.store)]
    fwid = [sys.executable, "-m", "fwid_agent.cli.main"]
    table = subprocess.run([*fwid, "devices", *store], capture_output=True, check=True).stdout
    assert SHOWN.encode() in table
    assert b"\x1b[31m" not in table
    written = tmp_path / "report.html"
    subprocess.run([*fwid, "report", str(written), *store], capture_output=True, check=True)
    assert "<img src=x" not in written.read_text("utf-8")
    assert "&lt;img src=x" in written.read_text("utf-8")
    page.close()
    agent.log.terminate()
    assert "onerror" not in agent.log.communicate(timeout=30)[1]

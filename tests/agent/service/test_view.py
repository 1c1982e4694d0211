"""What the API is given of the running agent fits what it promises."""

from pathlib import Path

import msgspec
from fwid_agent.api import messages
from fwid_agent.api.metrics import METRICS
from fwid_agent.config import Config
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.view import AgentView
from fwid_agent.service.watcher import Watcher
from fwid_agent.store import Store

from tests.agent.service.test_watcher import Clock, Hours


def _view(folder: Path) -> AgentView:
    with Store.open(folder / "fwid.db"):
        pass
    request = WatchRequest(("made",), folder / "fwid.db", Config())
    feed = Hours(Clock(0), hours=1)
    return AgentView(request, Watcher(request, feed, lambda _: None, lambda: None))


def test_every_figure_that_is_promised_is_there_and_no_other(tmp_path: Path) -> None:
    """One that nobody explains, or that is never given, misleads who draws it."""
    assert set(_view(tmp_path).metrics()) == set(METRICS)


def test_every_loss_is_told_at_its_stage(tmp_path: Path) -> None:
    """A field that is left to its default says "nothing lost" for ever."""
    capture = _view(tmp_path).info()["capture"]
    assert set(capture) == set(messages.CaptureHealth.__struct_fields__)
    assert set(capture["sources"][0]) == set(messages.SourceHealth.__struct_fields__)
    msgspec.convert(capture, messages.CaptureHealth)

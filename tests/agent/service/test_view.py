"""What the API is given of the running agent fits what it promises."""

from dataclasses import replace
from pathlib import Path

import msgspec
from fwid_agent.api import messages
from fwid_agent.api.metrics import METRICS
from fwid_agent.config import Config
from fwid_agent.pipeline.identifying import Answer, EndedUnit
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.view import AgentView
from fwid_agent.service.watcher import Watcher
from fwid_agent.store import DeviceRow, IdentificationRow, Progress, Store
from fwid_agent.types import Identification, Kind

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


def test_what_a_device_is_and_behaves_like_is_told(tmp_path: Path) -> None:
    """As its record, and to those who subscribed; what one says goes where they take it back."""
    view, mac = _view(tmp_path), 0xB0C554000001
    answer = Identification("Hue bridge", "Hub", 0.97, "Hue bridge")
    row = IdentificationRow(mac, 0, answer, "home", 3, "Hue bridge")
    with Store.open(tmp_path / "fwid.db") as store:
        store.commit_progress(
            Progress(devices=[DeviceRow(mac, 1, 2, 3, 4, 5)], identifications=[row])
        )
    view.set_kind(mac, "Bridge", None, "home_assistant")
    view.set_kind(mac, "Hue bridge", "Hub", "person")
    device = msgspec.convert(view.device(mac), messages.Device)
    assert device.kind == messages.Kind(label="Hue bridge", category="Hub", source="person")
    assert device.identified is not None
    assert (device.identified.label, device.identified.agrees) == ("Hue bridge", True)
    view.set_kind(mac, None, None, "person")
    device = msgspec.convert(view.device(mac), messages.Device)
    assert device.kind == messages.Kind(label="Bridge", source="home_assistant")
    assert device.identified is not None
    assert device.identified.agrees is None

    told: list[object] = []
    view.subscribe(told.append)
    kind = Kind("Hue bridge", None, "person")
    view.tell_judged([Answer(EndedUnit(mac, 0, 1), row, news=True, kind=kind, suspicion=None)])
    changed, identified = told
    assert isinstance(changed, messages.Changed)
    assert isinstance(identified, messages.NewlyIdentified)
    assert identified.device == "b0:c5:54:00:00:01"
    assert identified.identified is not None
    assert identified.identified.agrees is True


def test_whoever_switched_it_off_sees_no_old_answer(tmp_path: Path) -> None:
    """What a device behaved like is not what it behaves like."""
    view, mac = _view(tmp_path), 0xB0C554000001
    view._request = replace(view._request, config=Config(identify="off"))
    row = IdentificationRow(mac, 0, Identification("x", None, 0.9, "x"), "home", 1, None)
    with Store.open(tmp_path / "fwid.db") as store:
        store.commit_progress(
            Progress(devices=[DeviceRow(mac, 1, 2, 3, 4, 5)], identifications=[row])
        )
    assert msgspec.convert(view.device(mac), messages.Device).identified is None

"""Published software is fetched once, whole or not at all, and named as its publisher does."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fwid_agent.errors import UsageError
from fwid_agent.lab.corpus import fetch
from fwid_agent.lab.corpus.catalogue import DEVICES
from fwid_agent.lab.corpus.fetch import Stacks
from fwid_agent.lab.corpus.model import CorpusError, Debian, Layer, Version
from fwid_agent.lab.corpus.order import Wish, choose_order

CURL = Debian("bookworm", ("curl",))
DOORCAM = next(device for device in DEVICES if device.name == "doorcam")
PLUG = next(device for device in DEVICES if device.name == "plug")


class Mirror:
    """Stands in for what brings a layer; breaks off while it is told to."""

    def __init__(self, contents: dict[str, str]) -> None:
        self.contents = contents
        self.broken = False
        self.asked: list[Layer] = []

    def __call__(self, layer: Layer, over: Sequence[Path], target: Path) -> dict[str, str]:
        """Bring one file, or half of it."""
        del over
        self.asked.append(layer)
        (target / "half").touch()
        if self.broken:
            raise CorpusError("the mirror broke off")
        (target / "half").rename(target / "whole")
        return self.contents


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """A mirror with curl and a library of CoAP."""
    made = Mirror({"curl": "7.88.1-10+deb12u15", "libcoap3-bin": "4.3.1-1", "libc6": "2.36"})
    monkeypatch.setattr(fetch, "_fetch_into", made)
    return made


def test_a_layer_is_fetched_once(mirror: Mirror, tmp_path: Path) -> None:
    """The second day waits for nobody."""
    for _ in range(2):
        (root,) = Stacks(tmp_path, lambda _: None).paths([CURL])
        assert [path.name for path in root.iterdir()] == ["whole"]
    assert mirror.asked == [CURL]


def test_what_broke_off_is_fetched_anew(mirror: Mirror, tmp_path: Path) -> None:
    """Half a root is never taken for a whole one."""
    stacks = Stacks(tmp_path, lambda _: None)
    mirror.broken = True
    with pytest.raises(CorpusError, match="broke off"):
        stacks.paths([CURL])
    mirror.broken = False
    (root,) = stacks.paths([CURL])
    assert [path.name for path in root.iterdir()] == ["whole"]


def test_a_version_has_its_publishers_name(mirror: Mirror, tmp_path: Path) -> None:
    """Also where the package's own name changed from release to release."""
    del mirror
    stacks, version = Stacks(tmp_path, lambda _: None), Version((CURL,))
    assert stacks.label(DOORCAM, version) == "curl 7.88.1-10+deb12u15"
    assert stacks.label(PLUG, version) == "libcoap 4.3.1-1"
    assert stacks.label(PLUG, Version((CURL,), "libcoap 5")) == "libcoap 5"


def test_a_device_without_its_program_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    """Before a day is spent on it."""
    mirror.contents = {"libc6": "2.36"}
    with pytest.raises(CorpusError, match="doorcam: curl is not among"):
        Stacks(tmp_path, lambda _: None).label(DOORCAM, Version((CURL,)))


def test_an_unknown_device_is_named() -> None:
    """With those that there are."""
    wish = Wish(1, None, None, ("toaster",), quick=False, handshakes=True, homes=1)
    with pytest.raises(UsageError, match=r"toaster: no such device; there are doorcam, "):
        choose_order(wish, None)

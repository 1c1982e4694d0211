"""A flood of made-up addresses passes: the home's devices stay, and new ones find room again."""

from pathlib import Path

from fwid_agent.config import Config
from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.ingest import ReadOptions
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.store import Store

from tests.agent.core.test_copies import block_of

_HOUR_NS = 3_600_000_000_000
_BEGIN_NS = 18_000 * 24 * _HOUR_NS
_PLACES = 32
_LAMP, _NEW, _PASSER = 0x900000000001, 0x900000000002, 0x0E0000000000


class Run:
    """A home with few places, hour by hour."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path)
        options = ReadOptions(_HOUR_NS, False, False, Config(max_devices=_PLACES))
        ledger = Ledger(self.store)
        self.home = Home(options, "day", ledger)
        self.home.restore(self.store)
        self.home.ingest.begin_session(ledger.open_live("eth0"), _BEGIN_NS)

    def hear(self, hour: int, *macs: int) -> int:
        """Hear each of them once, store that, and make room; gives how many were forgotten."""
        frames = [b"\xff" * 6 + mac.to_bytes(6, "big") + b"\x88\xb5" + bytes(50) for mac in macs]
        times = [_BEGIN_NS + hour * _HOUR_NS + number for number in range(len(macs))]
        self.home.feed(block_of(frames, times))
        now_ns = _BEGIN_NS + (hour + 1) * _HOUR_NS
        list(self.home.end_units(now_ns))
        self.home.collect()
        self.home.commit()
        return self.home.make_room(now_ns, _PLACES, _HOUR_NS)

    def sent(self) -> dict[int, int]:
        return {row.device: row.packets_sent for row in self.store.devices()}


def test_after_a_flood_a_new_device_is_followed(tmp_path: Path) -> None:
    """Ten times as many addresses as there are places, and the home goes on as before."""
    run = Run(tmp_path / "fwid.db")
    run.hear(0, _LAMP)
    flood = [_PASSER + number for number in range(10 * _PLACES)]
    assert run.hear(1, _LAMP, *flood) == 0  # who was heard this hour may be somebody
    assert run.home.ingest.devices.overflow > 0
    assert run.hear(2, _LAMP) == _PLACES - 1
    run.hear(3, _LAMP, _NEW)
    assert run.sent() == {_LAMP: 4, _NEW: 1}
    assert set(run.home.devices) == {_LAMP, _NEW}
    assert {event.device for event in run.store.events().events} == {
        "90:00:00:00:00:01",
        "90:00:00:00:00:02",
    }


def test_an_address_that_comes_back_is_counted_anew(tmp_path: Path) -> None:
    """Its place has been given away, and what is stored of it was forgotten."""
    run = Run(tmp_path / "fwid.db")
    run.hear(0, *(_PASSER + number for number in range(_PLACES)))
    assert run.hear(2, _LAMP) == _PLACES
    run.hear(3, _LAMP, _PASSER, _PASSER)
    assert run.sent() == {_LAMP: 1, _PASSER: 2}
    (event,) = run.store.events(device="0e:00:00:00:00:00").events
    assert event.type == "new_device"


def test_whoever_a_person_wants_is_never_forgotten(tmp_path: Path) -> None:
    """Enrolled, named or muted: it stays, in the store and in a later run too."""
    run = Run(tmp_path / "fwid.db")
    run.hear(0, *(_PASSER + number for number in range(_PLACES)))
    run.store.want(_PASSER)
    run.store.name(_PASSER + 1, "door")
    run.store.mute(_PASSER + 2, None, 0)
    later = Run(tmp_path / "fwid.db")
    later.hear(3, _LAMP)
    assert set(later.sent()) == {_LAMP, _PASSER, _PASSER + 1, _PASSER + 2}

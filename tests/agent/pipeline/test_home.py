"""A home over days: who falls silent is quiet, and is heard again."""

import time
from pathlib import Path

from fwid_agent.config import Config
from fwid_agent.pipeline import ReplayRequest, VerdictLine, replay
from fwid_agent.store import Store
from fwid_agent.types import parse_mac
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.made_captures import Frame, pcap

_HOUR_NS = 3_600_000_000_000
_DAY_NS = 24 * _HOUR_NS
_BEGIN_NS = 17_000 * _DAY_NS
_ONE, _OTHER = "02:00:00:00:00:01", "02:00:00:00:00:02"


def says(mac: str, day: int) -> list[Frame]:
    """A day of a device: the same packet every half hour."""
    address = f"10.0.0.{mac[-1]}"
    data = bytes(
        Ether(src=mac, dst="02:00:00:00:00:09")
        / IP(src=address, dst="10.0.0.9")
        / UDP(sport=5000, dport=6000)
        / Raw(bytes(100))
    )
    return [
        Frame(data, _BEGIN_NS + day * _DAY_NS + half * _HOUR_NS // 2 + int(mac[-1]))
        for half in range(48)
    ]


def states(folder: Path, days: dict[str, set[int]]) -> dict[str, list[str]]:
    """The states that each device comes to, day by day."""
    frames = [frame for mac, spoken in days.items() for day in spoken for frame in says(mac, day)]
    path = folder / "home.pcap"
    path.write_bytes(pcap(sorted(frames, key=lambda frame: frame.ts_ns)))
    request = ReplayRequest((str(path),), config=Config(learning_units=2, settle_units=2))
    found: dict[str, list[str]] = {}
    for line in replay(request, on_progress=lambda _: None, on_note=lambda _: None):
        if isinstance(line, VerdictLine):
            found.setdefault(line.device, []).append(line.state)
    return found


def test_who_falls_silent_is_quiet_and_is_heard_again(tmp_path: Path) -> None:
    """Silence is told once; it changes neither what was learnt nor the state behind it."""
    found = states(tmp_path, {_ONE: set(range(9)), _OTHER: {0, 1, 2, 3, 7, 8}})
    assert found[_ONE] == ["learning", *["stable"] * 8]
    assert found[_OTHER] == ["learning", "stable", "stable", "stable", "quiet", "stable", "stable"]


def test_who_is_new_is_learnt_from_then_on(tmp_path: Path) -> None:
    """A device that comes later does not count the days before it."""
    found = states(tmp_path, {_ONE: set(range(5)), _OTHER: {3, 4}})
    assert found[_OTHER] == ["learning", "stable"]


def test_a_frame_of_a_far_future_wipes_nothing(tmp_path: Path) -> None:
    """What is kept is counted back from the newest traffic: that cannot be of the year 2106."""
    path, store = tmp_path / "home.pcap", tmp_path / "home.db"
    frames = [frame for day in range(4) for frame in says(_ONE, day)]
    path.write_bytes(pcap([*frames, Frame(frames[0].data, (2**32 - 10) * 10**9)]))
    request = ReplayRequest((str(path),), str(store), config=Config(learning_units=2))
    for _ in replay(request, on_progress=lambda _: None, on_note=lambda _: None):
        pass
    with Store.open(store) as opened:
        kept = opened.verdicts(parse_mac(_ONE))
        assert len(kept) >= 4
        newest_ns = max(row.last_seen_ns for row in opened.devices())
    assert newest_ns < time.time_ns() + 2 * _DAY_NS


def hears(mac: str, day: int, *, unicast: bool) -> list[Frame]:
    """A day of a device as it is heard from a plain switch, or from where all of it passes."""
    groups = [mac_frame(mac, "ff:ff:ff:ff:ff:ff", day, half) for half in range(48)]
    if not unicast:
        return groups
    return groups + [
        frame
        for half in range(48)
        for frame in (
            mac_frame(mac, "02:00:00:00:00:09", day, half, later_ns=1),
            mac_frame("02:00:00:00:00:09", mac, day, half, later_ns=2),
        )
    ]


def mac_frame(src: str, dst: str, day: int, half: int, *, later_ns: int = 0) -> Frame:
    data = bytes(Ether(src=src, dst=dst) / IP(src="10.0.0.1", dst="10.0.0.9") / UDP() / Raw(b"x"))
    return Frame(data, _BEGIN_NS + day * _DAY_NS + half * _HOUR_NS // 2 + later_ns)


def test_who_is_only_heard_by_multicast_is_never_called_stable(tmp_path: Path) -> None:
    """Calm would mean nothing. Seen entirely it is learnt, and moved away again it is quiet."""
    frames = [f for day in range(7) for f in hears(_ONE, day, unicast=2 <= day < 5)]
    path = tmp_path / "home.pcap"
    path.write_bytes(pcap(sorted(frames, key=lambda frame: frame.ts_ns)))
    request = ReplayRequest(
        (str(path),), store=str(tmp_path / "fwid.db"), config=Config(learning_units=2)
    )
    lines = replay(request, on_progress=lambda _: None, on_note=lambda _: None)
    found = [one.state for one in lines if isinstance(one, VerdictLine) and one.device == _ONE]
    assert found == ["quiet", "quiet", "learning", "stable", "stable", "quiet", "quiet"]
    with Store.open(tmp_path / "fwid.db") as store:
        missing = [row.decision.missing for row in store.verdicts(parse_mac(_ONE))]
        assert [bool("everybody" in text) for text in missing] == [True] * 2 + [False] * 3 + [
            True
        ] * 2
        assert store.contacts(parse_mac(_ONE)).seen.sum(axis=0).tolist() == [144, 144, 336, 0]

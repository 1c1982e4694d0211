"""The analysis over windows: what a wrong clock must not do to what is stored."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from fwid_agent.config import Config
from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.service.feed import SourceHealth
from fwid_agent.service.logs import name_device
from fwid_agent.service.request import WatchRequest
from fwid_agent.service.watcher import Watcher
from fwid_agent.store import DeviceRow, Progress, SessionProgress, Store
from fwid_agent.types import FrameBlock, format_mac

from tests.agent.core.test_copies import block_of
from tests.made_tables import DAY_NS, HOUR_NS, make_table

_NOW_NS = 20_500 * DAY_NS
_OLD = 0x900000000001
_MAC = 0x900000000002
_FRAME = b"\xff" * 6 + _MAC.to_bytes(6, "big") + b"\x88\xb5" + bytes(50)


class Clock:
    """Shows what it is told; nobody sets what it shows beside."""

    def __init__(self, wrong_ns: int) -> None:
        self.wrong_ns = wrong_ns
        self.passed_ns = 0

    def now_ns(self) -> int:
        return _NOW_NS + self.passed_ns + self.wrong_ns

    def steady_ns(self) -> int:
        return self.passed_ns


class Hours:
    """A frame an hour, stamped by the clock; ends the watch after so many."""

    def __init__(self, clock: Clock, hours: int) -> None:
        self.clock = clock
        self.sources = (SourceHealth("made", "interface", ""),)
        self.end_watch: Callable[[], None] = lambda: None
        self._left = hours

    def begin(self, home: Home, ledger: Ledger) -> None:
        self._home = home
        home.ingest.begin_session(ledger.open_live("made"), self.clock.now_ns())

    def step(self, timeout_s: float) -> None:
        block: FrameBlock = block_of([_FRAME], [self.clock.now_ns()])
        self._home.feed(block)
        self.clock.passed_ns += HOUR_NS
        self._left -= 1
        if not self._left:
            self.end_watch()

    def end(self) -> None:
        self._home.end_session()


def _watch(store: Path, wrong_ns: int, hours: int = 3) -> None:
    feed = Hours(Clock(wrong_ns), hours)
    request = WatchRequest(("made",), store, Config())
    watcher = Watcher(request, feed, lambda _: None, lambda: None)
    feed.end_watch = watcher.stop
    watcher.run()
    assert watcher.error is None


def _starts(path: Path) -> tuple[list[int], list[int]]:
    with Store.open(path) as store:
        return store.windows(_OLD).start_ns.tolist(), store.units(_OLD, DAY_NS).start_ns.tolist()


def test_a_clock_years_ahead_makes_nothing_old(tmp_path: Path) -> None:
    """Frames bear the wrong year too: neither they nor the clock fold or delete what is stored."""
    path = tmp_path / "fwid.db"
    begun_ns = [_NOW_NS - day * DAY_NS for day in (10, 5, 1)]
    with Store.open(path) as store:
        store.commit_progress(
            Progress(
                session=SessionProgress("before", "before", 0),
                devices=[DeviceRow(_OLD, begun_ns[0], begun_ns[-1], 1, 1, 1)],
                windows={_OLD: make_table(1, begun_ns)},
            )
        )
    _watch(path, wrong_ns=10 * 365 * DAY_NS)
    assert _starts(path) == (begun_ns, begun_ns)
    _watch(path, wrong_ns=0)
    assert _starts(path) == (begun_ns, begun_ns)


def test_each_verdict_is_logged_with_no_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Which device was judged can be followed from day to day, and logs may be shown to others."""
    path = tmp_path / "fwid.db"
    with caplog.at_level(logging.INFO, "fwid"):
        _watch(path, wrong_ns=0, hours=50)
    with Store.open(path) as store:
        name = name_device(store.agent, _MAC)
    judged = [line for line in caplog.messages if line.startswith("judged ")]
    assert judged == [f"judged device={name} verdict=insufficient state=quiet"] * 2
    assert format_mac(_MAC) not in caplog.text

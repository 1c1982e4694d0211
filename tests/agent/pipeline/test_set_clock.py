"""A clock that is wrong by years until the network sets it bars nothing, and is not learnt from."""

from pathlib import Path

from fwid_agent.config import Config
from fwid_agent.pipeline.home import Home
from fwid_agent.pipeline.ingest import ReadOptions
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.store import Store
from fwid_agent.types import FrameBlock, parse_mac

from tests.agent.core.test_copies import block_of
from tests.agent.pipeline.test_replay import ONE, says

_HOUR_NS = 3_600_000_000_000
_DAY_NS = 24 * _HOUR_NS
_YEAR_NS = 365 * _DAY_NS
_TODAY_NS = 18_000 * _DAY_NS
_FRAME = says(ONE, 0).data


def a_day(start_ns: int, hours: int = 24) -> FrameBlock:
    """A packet each minute."""
    times = [start_ns + minute * _HOUR_NS // 60 for minute in range(hours * 60)]
    return block_of([_FRAME] * len(times), times)


class Run:
    """A home, and the units that were judged in it."""

    def __init__(self, path: Path) -> None:
        self.store = Store.open(path)
        config = Config(learning_units=2, settle_units=2)
        ledger = Ledger(self.store)
        self.home = Home(ReadOptions(_HOUR_NS, False, False, config), "day", ledger)
        self.home.restore(self.store)
        self.ledger = ledger
        self.begin()

    def begin(self) -> None:
        self.home.ingest.begin_session(self.ledger.open_live("eth0"), 0)

    def go(self, start_ns: int, hours: int = 24) -> list[int]:
        """Watch for so long; gives the starts of the units that were judged, as days from today."""
        self.home.feed(a_day(start_ns, hours))
        verdicts = list(self.home.end_units(start_ns + hours * _HOUR_NS))
        starts = [one.unit_start_ns for one in verdicts if one.device == parse_mac(ONE)]
        return [(start_ns - _TODAY_NS) // _DAY_NS for start_ns in starts]

    def set_clock(self, before_ns: int, now_ns: int) -> None:
        self.home.end_session()
        self.home.set_clock(before_ns, now_ns)
        self.begin()


def test_minutes_of_a_wrong_year_are_not_judged(tmp_path: Path) -> None:
    """A Pi without a battery starts in 1970, and a moment later it is today."""
    run = Run(tmp_path / "fwid.db")
    assert run.go(_HOUR_NS, hours=1) == []
    run.set_clock(2 * _HOUR_NS, _TODAY_NS)
    assert run.go(_TODAY_NS) == [0]
    assert run.go(_TODAY_NS + _DAY_NS) == [1]
    state = run.home.devices[parse_mac(ONE)].watch.state
    assert state.learned_units == 2


def test_a_time_that_was_ahead_bars_nothing(tmp_path: Path) -> None:
    """Set back by years, days are judged as they come; after a restart too."""
    run = Run(tmp_path / "fwid.db")
    ahead_ns = _TODAY_NS + 3 * _YEAR_NS
    assert run.go(ahead_ns) == [3 * 365]
    run.home.feed(a_day(ahead_ns + _DAY_NS, hours=2))
    run.set_clock(ahead_ns + _DAY_NS + 2 * _HOUR_NS, _TODAY_NS)
    assert run.go(_TODAY_NS) == [0]
    run.home.commit()
    again = Run(tmp_path / "fwid.db")
    again.home.set_clock(_TODAY_NS + _DAY_NS, _TODAY_NS + _DAY_NS)
    assert again.go(_TODAY_NS + _DAY_NS) == [1]


def test_an_hour_more_or_less_loses_no_unit(tmp_path: Path) -> None:
    """Within a unit all that was seen stays."""
    run = Run(tmp_path / "fwid.db")
    run.home.feed(a_day(_TODAY_NS, hours=10))
    run.set_clock(_TODAY_NS + 10 * _HOUR_NS, _TODAY_NS + 9 * _HOUR_NS)
    assert run.go(_TODAY_NS + 9 * _HOUR_NS, hours=15) == [0]
    sent = {row.device: row.packets_sent for row in run.store.devices()}
    assert sent[parse_mac(ONE)] == 25 * 60

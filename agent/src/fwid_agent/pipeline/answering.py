"""The answers of a run: which units are asked about, and what follows of what they are like."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from fwid_agent.core.stability import Rules, suspect
from fwid_agent.identify.kept import InUse
from fwid_agent.pipeline.identifying import Answer, EndedUnit, Identifying
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.pipeline.watched import WatchedDevice
from fwid_agent.types import UnitTable

_MOST_NEWS = 1024  # a replay has nobody to tell


class Answering:
    """Collects units as they are judged, and has them answered before they are stored.

    Args:
        identifying: whom to ask; None: nobody.
        ledger: takes the answers.
        unit_ns: length of a unit.

    """

    def __init__(self, identifying: Identifying | None, ledger: Ledger, unit_ns: int) -> None:
        self._identifying = identifying
        self._ledger = ledger
        self._unit_ns = unit_ns
        self._first_ns: dict[int, int] = {}  # of sessions that are units
        self._ended: list[EndedUnit] = []
        self._news: deque[Answer] = deque(maxlen=_MOST_NEWS)

    def use(self, in_use: InUse) -> None:
        """Ask another model from now on."""
        if self._identifying is not None:
            self._identifying.use(in_use)

    def begin_file(self, session: int, first_ns: int) -> None:
        """Note when a session that is one unit begins."""
        self._first_ns[session] = first_ns

    def add(self, device: int, unit: UnitTable, end_ns: int) -> None:
        """Note a unit that was judged."""
        start_ns = self._first_ns.get(int(unit.session[0]), end_ns - self._unit_ns)
        if self._identifying is not None:
            self._ended.append(EndedUnit(device, start_ns, end_ns))

    def answer(self, devices: dict[int, WatchedDevice], rules: Rules) -> Iterator[int]:
        """Ask about the units; yields the devices whose state this changes.

        Raises:
            StoreError: what was answered before cannot be read.

        """
        ended, self._ended = self._ended, []
        if not ended or self._identifying is None:
            return
        for answer in self._identifying.answer(ended, self._ledger.flow_sample):
            self._ledger.add_identifications([answer.row])
            if answer.news:
                self._news.append(answer)
            device = devices.get(answer.row.device)
            if answer.suspicion and device is not None:
                state, events = suspect(
                    device.watch.state, answer.suspicion, answer.unit.end_ns, rules
                )
                device.watch = replace(device.watch, state=state)
                self._ledger.add_events(events)
                yield answer.row.device

    def take_news(self) -> tuple[Answer, ...]:
        """Take out what devices behave like other than before, since the last time."""
        news = tuple(self._news)
        self._news.clear()
        return news

"""Devices day by day through the watch, as an agent judges them, with an owner who accepts.

What a home notices is counted: alarms on days on which nothing had changed, changes that were told,
and after how many days. A change that is not told stays pending until the next one, and an alarm
while it does is counted as telling it, not as a false one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from fwid_agent.core.evidence import Judge
from fwid_agent.core.periods import make_period, select_units
from fwid_agent.core.scan import Method
from fwid_agent.core.stability import Accepted, Rules, step
from fwid_agent.core.watch import begin, judge_unit
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice, label_of
from fwid_agent.types import EventType, State, UnitTable

ALARMS = (EventType.VERSION_CHANGED, EventType.RETURNED_TO_KNOWN_VERSION)


@dataclass(frozen=True, slots=True)
class Day:
    """A day that was judged."""

    label: Label
    state: State
    score: float  # evidence that anything differs; 1 is the alarm threshold
    told: tuple[EventType, ...]

    @property
    def alarmed(self) -> bool:
        """Whether the owner was told of a change of version."""
        return any(each in ALARMS for each in self.told)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of version, and what came of it."""

    device: str
    day: int  # index of the first day of the new version
    label: Label
    told_after: int | None  # days, the first one included; None where it was never told


@dataclass(frozen=True, slots=True)
class FalseAlarm:
    """An alarm while nothing had changed."""

    device: str
    day: int
    hard: str  # what happened when the suspicion arose


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an owner would have seen of one device."""

    device: str
    days: tuple[Day, ...]
    changes: tuple[Change, ...]
    false_alarms: tuple[FalseAlarm, ...]
    calm_by_hard: Mapping[str, int]  # days judged without a pending change; "" for plain ones

    @property
    def calm_days(self) -> int:
        """Days that were judged while no change was pending."""
        return sum(self.calm_by_hard.values())


def list_days(device: LabelledDevice) -> Iterator[tuple[Label, UnitTable]]:
    """Yield each day of a device with what is known of it, in the order of time."""
    period = make_period(device.windows, "day", DAY_NS)
    for number in range(period.units):
        yield label_of(device, period, number), select_units(period, [number]).observations


def watch_days(
    mac: int,
    units: Iterable[tuple[Label, UnitTable]],
    judge: Judge,
    rules: Rules,
    unit_ns: int = DAY_NS,
) -> tuple[Day, ...]:
    """Judge each day in order; a change that is told is accepted on the same evening."""
    method = Method(judge, "day", unit_ns, rules)
    watch, _ = begin(mac, 0, rules)
    days = []
    for label, unit in units:
        now_ns = (int(unit.start_ns[0]) // unit_ns + 1) * unit_ns
        watch, decision, events = judge_unit(watch, unit, now_ns, method)
        told = tuple(event.type for event in events)
        if EventType.VERSION_CHANGED in told:
            watch = replace(watch, state=step(watch.state, Accepted(), now_ns, rules)[0])
        days.append(Day(label, watch.state.state, decision.score, told))
    return tuple(days)


def weigh_days(device: str, days: Sequence[Day], learning_units: int) -> Outcome:
    """Hold what was told of a device against what is known of it."""
    changes: list[Change] = []
    false_alarms: list[FalseAlarm] = []
    calm: dict[str, int] = {}
    pending = False
    for number, day in enumerate(days):
        label = day.label
        if number and label.version != days[number - 1].label.version:
            # While it learns, nothing can be told: such a change is nobody's to find.
            pending = number >= learning_units
            if pending:
                changes.append(Change(device, number, label, None))
        if day.alarmed and pending:
            found = changes[-1]
            changes[-1] = replace(found, told_after=number - found.day + 1)
            pending = False
        elif day.alarmed:
            false_alarms.append(FalseAlarm(device, number, _what_happened(days, number)))
        if not pending and number >= learning_units:
            calm[label.hard] = calm.get(label.hard, 0) + 1
    return Outcome(device, tuple(days), tuple(changes), tuple(false_alarms), calm)


def _what_happened(days: Sequence[Day], alarmed: int) -> str:
    """Name what happened on the day that aroused the suspicion, or else on that of the alarm."""
    first = alarmed
    while first and days[first - 1].state is State.SUSPECTED:
        first -= 1
    return days[first].label.hard or days[alarmed].label.hard


def run_daily(
    devices: Sequence[LabelledDevice], judge: Judge, learning_units: int
) -> Iterator[Outcome]:
    """Watch every device whose version is known on each of its days."""
    rules = Rules(UUID(int=0), learning_units=learning_units)
    for device in devices:
        days = watch_days(device.mac, list_days(device), judge, rules)
        if all(day.label.version for day in days):
            yield weigh_days(device.name, days, learning_units)

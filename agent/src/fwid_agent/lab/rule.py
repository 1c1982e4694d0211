"""The alarm rule on any score: two units have to agree, and an owner accepts at once.

It is that of core.watch without what belongs to the default detector: a suspicious unit waits
beside the baseline; the next one either agrees, or is judged alone in case the one that waits was
the day of the update, or shows that there was nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fwid_agent.core.periods import Period, make_period, select_units
from fwid_agent.core.scan import CONFIRMING_UNITS
from fwid_agent.core.watch import QUIET_SHARE
from fwid_agent.lab.cases import DAY_NS, LabelledDevice, label_of
from fwid_agent.lab.daily import Day
from fwid_agent.types import (
    F8,
    SENT,
    SUM_INDEX,
    EventType,
    State,
)

Units = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rule made of one unit."""

    score: float
    state: State
    alarmed: bool


@dataclass(slots=True)
class Asked:
    """A device's units, and the answers that a detector has given: each is asked for once."""

    device: LabelledDevice
    score: Callable[[Period, Period], float]
    period: Period = field(init=False)
    _known: dict[tuple[Units, Units], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the units."""
        self.period = make_period(self.device.windows, "day", DAY_NS)

    def __call__(self, baseline: Units, test: Units) -> float:
        """Return the score of some units against others."""
        question = baseline, test
        if question not in self._known:
            before, after = (select_units(self.period, units) for units in question)
            self._known[question] = self.score(before, after)
        return self._known[question]

    def sent(self) -> F8:
        """Return the packets that the device itself sent in each unit."""
        packets = self.period.observations.sums[:, SENT, SUM_INDEX["packets"]].sum(axis=1)
        sent: F8 = np.bincount(self.period.unit, packets, self.period.units).astype(np.float64)
        return sent


def watch_units(
    sent: F8, score: Callable[[Units, Units], float], threshold: float, learning: int
) -> list[Judged]:
    """Judge units in the order of time.

    Args:
        sent: [units] packets that the device itself sent: where they are few, nothing is judged.
        score: of a test against a baseline.
        threshold: from which on the device looks changed.
        learning: units that are taken as usual before any is judged.

    """
    baseline: Units = ()
    waiting: Units = ()
    result = []
    for unit in range(len(sent)):
        if len(baseline) < learning and not waiting and unit < learning:
            baseline = (*baseline, unit)
            result.append(Judged(0.0, State.LEARNING, alarmed=False))
            continue
        if sent[unit] <= QUIET_SHARE * sent[list(baseline)].mean():
            result.append(Judged(0.0, State.QUIET, alarmed=False))
            continue
        after = (*waiting, unit)
        value = score(baseline, after)
        if value < threshold and waiting:
            alone = score(baseline, (unit,))
            if alone >= threshold:
                after, value = (unit,), alone
        if value < threshold:
            baseline, waiting, state = (*baseline, *waiting, unit), (), State.STABLE
        elif len(after) < CONFIRMING_UNITS:
            waiting, state = after, State.SUSPECTED
        else:
            baseline, waiting, state = after, (), State.CHANGED
        result.append(Judged(value, state, alarmed=state is State.CHANGED))
    return result


def watch_days_by_score(asked: Asked, threshold: float, learning: int) -> tuple[Day, ...]:
    """Judge a device's days by a score, as `lab.daily.watch_days` does by the default detector."""
    judged = watch_units(asked.sent(), asked, threshold, learning)
    scale = threshold if threshold > 0 else 1.0
    return tuple(
        Day(
            label_of(asked.device, asked.period, number),
            each.state,
            each.score / scale,
            (EventType.VERSION_CHANGED,) if each.alarmed else (),
        )
        for number, each in enumerate(judged)
    )


def calm_scores(asked: Asked, runs: Sequence[Sequence[int]], learning: int) -> list[float]:
    """Return the scores on which the rule would have alarmed while a version ran.

    Of two units in a row, the lower of what the first shows alone and what both show together.
    """
    scores = []
    for run in runs:
        for end in range(learning + 2, len(run) + 1):
            *baseline, first, second = run[:end]
            alone = asked(tuple(baseline), (first,))
            scores.append(min(alone, asked(tuple(baseline), (first, second))))
    return scores

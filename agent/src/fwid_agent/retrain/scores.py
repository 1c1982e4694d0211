"""Is a new model better? Measured on the newest day, which it has not learnt from.

The rule, in the order in which it is asked. A model takes another's place unless

1. fewer than two devices have the newest day: nothing can be measured;
2. of the devices that the other knows, it names fewer rightly: that is what a home would notice;
3. it calls more of them by another's name: wrong is worse than *none that I know*;
4. its macro-F1 over those devices' flows is lower by more than a point: days decide, but a day of a
   dozen devices cannot show what their flows show; a point is what two trainings differ by;
5. it names less than half of all devices rightly.

What is no worse by this is better: it learnt newer days, and all that was measured says that newer
days last longer (docs/identification.md). Devices that only the new one knows count for it, for
they are asked about in 5 alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fwid_agent.identify.identifier import Identifier
from fwid_agent.retrain.days import Day

_LEAST_DEVICES = 2
_LEAST_RIGHT = 0.5
_ROUND = 0.01  # of macro-F1


@dataclass(frozen=True, slots=True)
class Score:
    """What a model makes of devices' days."""

    days: int
    right: int  # that are named as what the model learnt of the very device
    wrong: int  # that are called by another's name
    macro_f1: float  # over the devices' flows, each device counted alike; 0 where there is none

    @property
    def accuracy(self) -> float | None:
        """Share of right days."""
        return self.right / self.days if self.days else None


def measure(model: Identifier, days: Sequence[Day]) -> Score:
    """Measure a model.

    A device that it learnt is right where it is called as the model calls it, whatever it is called
    now: a new name is no other device.
    """
    right = wrong = 0
    truth: list[int] = []
    said: list[int] = []
    labels = [known.label for known in model.classes]
    for day in days:
        own = model.class_of(day.device)
        answer = model.identify(day.values)
        if answer.label is not None:
            is_own = own is not None and answer.label == own.label
            right += is_own
            wrong += not is_own
        if own is not None:
            truth += [labels.index(own.label)] * len(day.values)
            said += model.probabilities(day.values).argmax(axis=1).tolist()
    return Score(len(days), right, wrong, _macro_f1(np.array(truth), np.array(said)))


def _macro_f1(truth: np.ndarray, said: np.ndarray) -> float:
    found = []
    for each in np.unique(truth):
        hits = int(((truth == each) & (said == each)).sum())
        found.append(2 * hits / int((truth == each).sum() + (said == each).sum()))
    return float(np.mean(found)) if found else 0.0


def find_fault(new: Identifier, old: Identifier, held: Sequence[Day]) -> str:
    """Say why a model is not to take another's place; "" where it is."""
    if len({day.device for day in held}) < _LEAST_DEVICES:
        return "too few devices have the newest day to measure on"
    shared = list(of_devices(held, old.knows))
    before, after = measure(old, shared), measure(new, shared)
    if after.right < before.right:
        return f"it would name {after.right} of {before.days} devices rightly, not {before.right}"
    if after.wrong > before.wrong:
        return f"it would call {after.wrong} devices by another's name, not {before.wrong}"
    if after.macro_f1 < before.macro_f1 - _ROUND:
        return f"of flows it tells less: {after.macro_f1:.3f}, against {before.macro_f1:.3f}"
    all_ = measure(new, held)
    if all_.right < _LEAST_RIGHT * all_.days:
        return f"it names {all_.right} of {all_.days} devices rightly, which is too few"
    return ""


def of_devices(days: Iterable[Day], devices: frozenset[int]) -> Iterable[Day]:
    """Return the days of some devices."""
    return (day for day in days if day.device in devices)

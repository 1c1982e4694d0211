"""Days of devices whose version is known on each, drawn in pairs of periods for training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from fwid_agent.core.periods import Period, make_period, select_units
from fwid_agent.lab.cases import DAY_NS, LabelledDevice, label_of
from fwid_agent.lab.visible import LEVEL, tell_apart
from fwid_agent.types import UnitTable

_LEAST_DAYS = 6
_MOST_BEFORE, _MOST_AFTER = 8, 3
# How often days of two versions, and those of one version in two settings, are drawn.
_VERSIONS, _SETTINGS = 0.3, 0.3


@dataclass(frozen=True, slots=True)
class Drawn:
    """Two periods of one device."""

    baseline: UnitTable
    test: UnitTable
    software: bool | None  # whether the software changed; None: nothing that is known changed


class Setup(NamedTuple):
    """What makes days comparable."""

    version: str
    settings: str
    address: str


@dataclass(frozen=True, slots=True)
class KnownDays:
    """A device's days by set-up; days of an update have two versions in them and are left out."""

    device: LabelledDevice
    period: Period
    days: Mapping[Setup, Sequence[int]]
    visible: dict[tuple[str, str], bool] = field(default_factory=dict)  # filled as it is asked for

    @classmethod
    def of(cls, device: LabelledDevice) -> "KnownDays | None":
        """Return a device's days, or None where they are too few or not all known."""
        period = make_period(device.windows, "day", DAY_NS)
        labels = [label_of(device, period, unit) for unit in range(period.units)]
        if period.units < _LEAST_DAYS or not all(label.version for label in labels):
            return None
        days: dict[Setup, list[int]] = {}
        for unit, label in enumerate(labels):
            if label.update != "episode":
                setup = Setup(label.version, label.settings, label.address)
                days.setdefault(setup, []).append(unit)
        return cls(device, period, days)

    def draw(self, rng: np.random.Generator) -> Drawn | None:
        """Draw two periods; None where chance chose what there is not.

        Versions that nobody could tell apart are never drawn as two: they would teach noise.
        """
        setups = sorted(self.days)
        before = setups[int(rng.integers(len(setups)))]
        what = rng.random()
        if what < _VERSIONS:
            others = [each for each in setups if self._can_tell(before.version, each.version)]
        elif what < _VERSIONS + _SETTINGS:
            others = [each for each in setups if each != before and each[0] == before[0]]
        else:
            return self._draw_alike(before, rng)
        if not others or len(self.days[before]) < 2:
            return None
        after = others[int(rng.integers(len(others)))]
        return Drawn(
            self._take(self.days[before], _MOST_BEFORE, rng, least=2),
            self._take(self.days[after], _MOST_AFTER, rng),
            before.version != after.version,
        )

    def _draw_alike(self, setup: Setup, rng: np.random.Generator) -> Drawn | None:
        days = rng.permutation(np.array(self.days[setup]))
        if len(days) < 3:
            return None
        after = int(rng.integers(1, min(_MOST_AFTER, len(days) - 2) + 1))
        return Drawn(
            self._take(days[after:].tolist(), _MOST_BEFORE, rng, least=2),
            self._take(days[:after].tolist(), _MOST_AFTER, rng),
            None,
        )

    def _take(
        self, days: Sequence[int], most: int, rng: np.random.Generator, least: int = 1
    ) -> UnitTable:
        count = int(rng.integers(least, min(most, len(days)) + 1))
        chosen = sorted(rng.permutation(np.array(days))[:count].tolist())
        return select_units(self.period, chosen).observations

    def _can_tell(self, before: str, after: str) -> bool:
        if before == after:
            return False
        pair = (min(before, after), max(before, after))
        if pair not in self.visible:
            self.visible[pair] = tell_apart(self.device, *pair) <= LEVEL
        return self.visible[pair]

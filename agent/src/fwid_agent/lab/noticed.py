"""What homes would have noticed: false alarms, changes told, and how soon; by kind."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fwid_agent.lab.cases import LabelledDevice
from fwid_agent.lab.counting import Count, Rate
from fwid_agent.lab.daily import Change, Outcome
from fwid_agent.lab.visible import LEVEL, tell_apart
from fwid_agent.types import EventType, State

DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Seen:
    """A change, and whether an oracle sees it."""

    change: Change
    visible: bool


@dataclass(frozen=True, slots=True)
class Noticed:
    """All devices of a corpus together."""

    devices: int
    alarms: Rate  # false ones, per device-year
    told: Count  # of the visible changes
    told_invisible: Count
    delay_median: float | None  # days of the visible ones that were told; None where none was
    delay_90: float | None
    by_change: Mapping[str, Count]  # visible changes by major, minor, patch, rollback
    by_update: Mapping[str, Count]  # the same by quiet, episode
    alarms_by_hard: Mapping[str, Rate]  # false alarms per device-day of each kind
    updates: tuple[Count, Count]  # told as they happened, of days with a visible one and of others


def look_for(
    outcomes: Sequence[Outcome],
    devices: Sequence[LabelledDevice],
    kin: Mapping[str, Sequence[LabelledDevice]],
) -> list[Seen]:
    """Ask the oracle about every change; `kin` are, by name, the same devices of other corpora."""
    named = {device.name: device for device in devices}
    seen = []
    for outcome in outcomes:
        for change in outcome.changes:
            before = outcome.days[change.day - 1].label.version
            others = kin.get(outcome.device, ())
            chance = tell_apart(named[outcome.device], before, change.label.version, others)
            seen.append(Seen(change, chance <= LEVEL))
    return seen


def summarise(outcomes: Sequence[Outcome], seen: Sequence[Seen]) -> Noticed:
    """Add up what was noticed."""
    visible = [each.change for each in seen if each.visible]
    delays = [each.told_after for each in visible if each.told_after is not None]
    false_alarms = [alarm for outcome in outcomes for alarm in outcome.false_alarms]
    calm: dict[str, int] = {}
    for outcome in outcomes:
        for hard, days in outcome.calm_by_hard.items():
            calm[hard] = calm.get(hard, 0) + days
    return Noticed(
        len(outcomes),
        Rate(len(false_alarms), sum(calm.values()) / DAYS_A_YEAR),
        _count(visible),
        _count(each.change for each in seen if not each.visible),
        float(np.median(delays)) if delays else None,
        float(np.quantile(delays, 0.9)) if delays else None,
        _by(visible, lambda change: change.label.change),
        _by(visible, lambda change: change.label.update),
        {
            hard or "plain": Rate(sum(each.hard == hard for each in false_alarms), float(days))
            for hard, days in sorted(calm.items())
        },
        _updates(outcomes),
    )


def _updates(outcomes: Sequence[Outcome]) -> tuple[Count, Count]:
    days = [each for outcome in outcomes for each in outcome.days]
    days = [each for each in days if each.state is not State.LEARNING]
    visible = [each for each in days if each.label.update == "episode"]
    others = [each for each in days if each.label.update != "episode"]
    seen, wrongly = (
        Count(sum(EventType.UPDATE_IN_PROGRESS in each.told for each in part), len(part))
        for part in (visible, others)
    )
    return seen, wrongly


def to_record(
    noticed: Noticed, outcomes: Sequence[Outcome], seen: Sequence[Seen]
) -> dict[str, Any]:
    """Return everything as plain values for a JSON file."""
    return {
        "noticed": asdict(noticed) | {"limit": noticed.alarms.interval()[1]},
        "changes": [asdict(each.change) | {"visible": each.visible} for each in seen],
        "false_alarms": [asdict(alarm) for outcome in outcomes for alarm in outcome.false_alarms],
        "devices": [
            {
                "device": outcome.device,
                "calm_days": outcome.calm_days,
                "days": [asdict(day) | {"alarmed": day.alarmed} for day in outcome.days],
            }
            for outcome in outcomes
        ],
    }


def _count(changes: Iterable[Change]) -> Count:
    told = [each.told_after is not None for each in changes]
    return Count(sum(told), len(told))


def _by(changes: Sequence[Change], kind: Callable[[Change], str]) -> dict[str, Count]:
    kinds = sorted({kind(each) for each in changes})
    return {name: _count(each for each in changes if kind(each) == name) for name in kinds}

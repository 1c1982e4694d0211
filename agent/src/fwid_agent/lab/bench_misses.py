"""What the default detector got wrong, the worst first: how its score went, as pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from fwid_agent.lab.bench_tables import visible_changes
from fwid_agent.lab.daily import Outcome
from fwid_agent.lab.fold_run import FoldResult
from fwid_agent.lab.methods import DEFAULT

WORST = 5  # are shown
_BEFORE, _AFTER = 4, 8  # days around the change, or the false alarm
_STYLES = (("#1f5fa8", "-o"), ("#b3402a", "--s"), ("#333333", ":^"), ("#d98c00", "-.D"),
           ("#7b5ea7", "-v"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wrong:
    """A visible change that nobody was told of, or an alarm while nothing had changed."""

    device: str
    day: int  # of the change, or of the alarm: its place among the device's days
    what: str  # the new version, or what happened when the suspicion arose ("" on a plain day)
    scores: tuple[tuple[int, float], ...]  # days since then, and the score in thresholds

    @property
    def highest(self) -> float:
        """The highest score from then on."""
        return max((score for day, score in self.scores if day >= 0), default=0.0)


def find_misses(folds: Sequence[FoldResult]) -> list[Wrong]:
    """Return the worst misses: those whose score came nearest to nothing, the worst first."""
    visible = visible_changes(folds)
    misses = [
        Wrong(outcome.device, change.day, change.label.version, _scores(outcome, change.day))
        for outcome in _outcomes(folds)
        for change in outcome.changes
        if visible.get((outcome.device, change.day), False) and change.told_after is None
    ]
    return sorted(misses, key=lambda miss: miss.highest)[:WORST]


def find_false_alarms(folds: Sequence[FoldResult]) -> list[Wrong]:
    """Return the worst false alarms: those whose score went highest, the worst first."""
    alarms = [
        Wrong(outcome.device, alarm.day, alarm.hard, _scores(outcome, alarm.day))
        for outcome in _outcomes(folds)
        for alarm in outcome.false_alarms
    ]
    return sorted(alarms, key=lambda alarm: -alarm.highest)[:WORST]


def _outcomes(folds: Sequence[FoldResult]) -> Iterator[Outcome]:
    for fold in folds:
        for watched in fold.watched:
            if watched.row == DEFAULT:
                yield watched.outcome


def _scores(outcome: Outcome, day: int) -> tuple[tuple[int, float], ...]:
    near = range(max(day - _BEFORE, 0), min(day + _AFTER, len(outcome.days)))
    return tuple((each - day, outcome.days[each].score) for each in near)


def draw_misses(axes: Any, misses: Sequence[Wrong]) -> bool:  # noqa: ANN401
    """Draw each miss's score from day to day; says whether there is any."""
    axes.set_xlabel("days since the change")
    axes.set_title("The score of visible changes that were not told, day by day")
    return _draw(axes, misses)


def draw_false_alarms(axes: Any, alarms: Sequence[Wrong]) -> bool:  # noqa: ANN401
    """Draw the score around each false alarm; says whether there is any."""
    axes.set_xlabel("days since the false alarm")
    axes.set_title("The score around false alarms, day by day")
    return _draw(axes, alarms)


def _draw(axes: Any, cases: Sequence[Wrong]) -> bool:  # noqa: ANN401
    for case, (colour, style) in zip(cases, _STYLES, strict=False):
        days, scores = zip(*case.scores, strict=True)
        axes.plot(days, scores, style, color=colour, markersize=4,
                  label=f"{case.device}: {case.what or 'a plain day'}")  # fmt: skip
    if not cases:
        return False
    axes.axhline(1, color="#8a8a8a", linewidth=1)
    axes.axvline(0, color="#8a8a8a", linewidth=1, linestyle=":")
    axes.set_ylabel("score, in parts of the threshold")
    axes.legend(fontsize=8, frameon=False)
    return True

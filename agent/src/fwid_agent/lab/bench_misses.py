"""The visible changes that the default detector did not tell: how its score went, as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fwid_agent.lab.bench_tables import visible_changes
from fwid_agent.lab.fold_run import FoldResult
from fwid_agent.lab.methods import DEFAULT

WORST = 5  # are shown: those whose score came nearest to nothing
_BEFORE, _AFTER = 4, 8  # days around the change
_STYLES = (("#1f5fa8", "-o"), ("#b3402a", "--s"), ("#333333", ":^"), ("#d98c00", "-.D"),
           ("#7b5ea7", "-v"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Miss:
    """A change that an oracle sees and nobody was told of."""

    device: str
    after: str  # the new version
    scores: tuple[tuple[int, float], ...]  # days since the change, and the score in thresholds

    @property
    def highest(self) -> float:
        """The highest score since the change."""
        return max((score for day, score in self.scores if day >= 0), default=0.0)


def find_misses(folds: Sequence[FoldResult]) -> list[Miss]:
    """Return the worst misses, the worst of them first."""
    visible = visible_changes(folds)
    misses = []
    for fold in folds:
        for watched in fold.watched:
            outcome = watched.outcome
            for change in outcome.changes if watched.row == DEFAULT else ():
                seen = visible.get((outcome.device, change.day), False)
                if not seen or change.told_after is not None:
                    continue
                near = range(
                    max(change.day - _BEFORE, 0), min(change.day + _AFTER, len(outcome.days))
                )
                scores = tuple((day - change.day, outcome.days[day].score) for day in near)
                misses.append(Miss(outcome.device, change.label.version, scores))
    return sorted(misses, key=lambda miss: miss.highest)[:WORST]


def draw_misses(axes: Any, misses: Sequence[Miss]) -> bool:  # noqa: ANN401
    """Draw each miss's score from day to day; says whether there is any."""
    for miss, (colour, style) in zip(misses, _STYLES, strict=False):
        days, scores = zip(*miss.scores, strict=True)
        axes.plot(days, scores, style, color=colour, markersize=4,
                  label=f"{miss.device}: {miss.after}")  # fmt: skip
    if not misses:
        return False
    axes.axhline(1, color="#8a8a8a", linewidth=1)
    axes.axvline(0, color="#8a8a8a", linewidth=1, linestyle=":")
    axes.set_xlabel("days since the change")
    axes.set_ylabel("score, in parts of the threshold")
    axes.set_title("The score of visible changes that were not told, day by day")
    axes.legend(fontsize=8, frameon=False)
    return True

"""How right answers are: micro-F1, as published, and macro-F1, which no busy device can carry."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fwid_agent.types import F8, I8


@dataclass(frozen=True, slots=True)
class Score:
    """Of a set of flows, each of one class."""

    micro: float  # with one answer a flow it is the share of right ones
    macro: float  # mean F1 over the classes that were there
    flows: int
    device_days: float  # share of devices' days that most of their flows name rightly

    def record(self) -> dict[str, float | int]:
        """Return it for a table."""
        return {
            "micro_f1": round(float(self.micro), 4),
            "macro_f1": round(float(self.macro), 4),
            "device_days_right": round(float(self.device_days), 4),
            "flows": self.flows,
        }


def score(truth: I8, answer: I8, group: I8) -> Score:
    """Score answers [n]; `group` [n] numbers the devices' days."""
    if not len(truth):
        return Score(float("nan"), float("nan"), 0, float("nan"))
    f1 = f1_by_class(truth, answer)
    return Score(
        float(np.mean(truth == answer)),
        float(np.mean([f1[each] for each in np.unique(truth)])),
        len(truth),
        share_of_groups(truth, answer, group),
    )


def f1_by_class(truth: I8, answer: I8) -> F8:
    """Return the F1 of each class, 0 where it was neither there nor answered."""
    classes = int(max(truth.max(), answer.max())) + 1
    right = np.bincount(truth[truth == answer], minlength=classes)
    both = np.bincount(truth, minlength=classes) + np.bincount(answer, minlength=classes)
    result: F8 = 2 * right / np.maximum(both, 1)
    return result


def share_of_groups(truth: I8, answer: I8, group: I8) -> float:
    """Return in how many groups the answer that most flows give is right; a tie is not."""
    right = 0
    groups = np.unique(group)
    for each in groups.tolist():
        mine = group == each
        counts = np.bincount(answer[mine])
        true = int(truth[mine][0])
        others = np.delete(counts, true) if true < len(counts) else counts
        own = counts[true] if true < len(counts) else 0
        right += own > (others.max() if len(others) else 0)
    return right / len(groups)


def mean_of(scores: Sequence[Score]) -> Score:
    """Return the mean over repeats, each counted alike."""
    return Score(
        float(np.mean([each.micro for each in scores])),
        float(np.mean([each.macro for each in scores])),
        sum(each.flows for each in scores),
        float(np.mean([each.device_days for each in scores])),
    )

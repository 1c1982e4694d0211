"""The alarm rule that all score rows share, on scores that are written down."""

import math

import numpy as np
import pytest
from fwid_agent.core.periods import Period
from fwid_agent.lab.ablation import tail_threshold
from fwid_agent.lab.cases import Kind, Label, LabelledDevice
from fwid_agent.lab.rule import Asked, calm_scores, watch_days_by_score, watch_units
from fwid_agent.lab.run_cases import list_run_cases, runs_of
from fwid_agent.types import State
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.core.tables import DAY_NS, TLS_SENT, table

Units = tuple[int, ...]


def by_version(versions: str, baseline: Units, test: Units) -> float:
    """A perfect score: how many of the test's units are of a version that the baseline lacks."""
    known = {versions[unit] for unit in baseline}
    return sum(versions[unit] not in known for unit in test) / len(test)


def watch(versions: str, threshold: float = 0.9, learning: int = 2, sent: str = "") -> str:
    """What became of each unit: a letter each."""
    packets = np.array([0.0 if mark == "-" else 9.0 for mark in sent or versions])
    judged = watch_units(packets, lambda b, t: by_version(versions, b, t), threshold, learning)
    letters = {
        State.LEARNING: "l",
        State.STABLE: ".",
        State.SUSPECTED: "?",
        State.CHANGED: "!",
        State.QUIET: "-",
    }
    assert all(each.alarmed == (each.state is State.CHANGED) for each in judged)
    return "".join(letters[each.state] for each in judged)


@pytest.mark.parametrize(
    ("versions", "told"),
    [
        ("aaaaaa", "ll...."),
        ("aaaabbbb", "ll..?!.."),  # two units agree; what was told is the new baseline
        ("aaaabaaa", "ll..?..."),  # one does not
        ("aaaabcbb", "ll..?!.."),  # two that are both new agree that it is not the old one
        ("aaaabbaa", "ll..?!?!"),  # back again is a change too
        ("abbbbb", "ll...."),  # learnt is learnt
    ],
)
def test_two_units_have_to_agree(versions: str, told: str) -> None:
    """One never alarms."""
    assert watch(versions) == told


def test_the_day_of_the_update_does_not_stand_in_the_way() -> None:
    """A waiting unit that is half old makes both together too weak; the second is judged alone."""

    def score(baseline: Units, test: Units) -> float:
        shown = {4: 1.0, 5: 0.9, 6: 1.0}
        if test == (4, 5):
            return 0.5
        return float(np.mean([shown.get(unit, 0.0) for unit in test]))

    judged = watch_units(np.full(7, 9.0), score, 0.8, 2)
    assert [each.alarmed for each in judged] == [False] * 6 + [True]


def test_silent_units_are_not_judged() -> None:
    """Neither suspicious nor usual: the change after them is told."""
    assert watch("aaaabbbb", sent="xxxx--xx") == "ll..--?!"


@given(st.text("ab", min_size=3, max_size=12), st.floats(0.1, 1.0))
def test_every_unit_is_judged_once_and_no_alarm_stands_alone(
    versions: str, threshold: float
) -> None:
    """An alarm has a suspicion right before it."""
    told = watch(versions, threshold)
    assert len(told) == len(versions)
    assert all(told[at - 1] == "?" for at, mark in enumerate(told) if mark == "!")


def test_a_threshold_out_of_reach_tells_nothing() -> None:
    """As of a row that nothing calibrates."""
    assert set(watch("aaaabbbbcccc", math.inf)) == {"l", "."}


def device(sizes: list[int], versions: str) -> LabelledDevice:
    """A day each."""
    windows = table(
        [(day * DAY_NS, day + 1, {(TLS_SENT, size): 5}) for day, size in enumerate(sizes)]
    )
    return LabelledDevice("some", 1, windows, {n + 1: Label(v) for n, v in enumerate(versions)})


def size_differs(baseline: Period, test: Period) -> float:
    """Whether all sizes of the test are new."""
    old = set(baseline.observations.tokens["value"].tolist())
    new = set(test.observations.tokens["value"].tolist())
    return float(not old & new)


def test_days_are_labelled_and_scores_are_in_parts_of_the_threshold() -> None:
    """As those of the default detector, so that both are weighed alike."""
    some = device([100] * 4 + [104] * 3, "aaaabbb")
    days = watch_days_by_score(Asked(some, size_differs), 0.5, 2)
    assert [day.label.version for day in days] == list("aaaabbb")
    assert [day.alarmed for day in days] == [False] * 5 + [True, False]
    assert [day.score for day in days] == [0, 0, 0, 0, 2, 2, 0]


def test_a_question_is_asked_once() -> None:
    """Sweeping thresholds must not cost a detector's time again and again."""
    asked: list[int] = []

    def score(baseline: Period, test: Period) -> float:
        asked.append(test.units)
        return 0.0

    ready = Asked(device([100] * 5, "aaaaa"), score)
    for threshold in (0.1, 0.5, 1.0):
        watch_days_by_score(ready, threshold, 2)
    assert len(asked) == 3


def test_calm_scores_are_those_of_alarms() -> None:
    """The rule alarms on exactly those pairs of days whose calm score reaches the threshold."""
    scores = {(2,): 0.3, (3,): 0.8, (2, 3): 0.6, (4,): 0.1, (3, 4): 0.9}
    ready = Asked(device([100] * 5, "aaaaa"), lambda b, t: 0.0)
    ready._known = {(tuple(range(test[0])), test): score for test, score in scores.items()}
    assert calm_scores(ready, [list(range(5))], 2) == [min(0.3, 0.6), min(0.8, 0.9)]


def test_the_tail_gives_the_rate_that_is_asked_for() -> None:
    """Of scores that are exponential, as believed: half a thousand, so within a fifth or so."""
    scores = np.random.default_rng(4).exponential(2.0, 20_000)
    shares = [(scores[:500] >= tail_threshold(scores[:500].tolist(), c)).mean() for c in (0.1, 0.3)]
    assert shares == pytest.approx([0.1, 0.3], rel=0.6)
    assert tail_threshold([], 0.1) == math.inf
    assert tail_threshold([1.0], 0.001) > tail_threshold([1.0], 0.1)


def cases(versions: str, test_days: int) -> list[tuple[str, Units, Units]]:
    """Kind, baseline and test of each case."""
    labels = [Label(version) for version in versions]
    return [
        (case.kind.value, case.baseline, case.test)
        for case in list_run_cases("some", labels, test_days, 2)
    ]


def test_the_papers_cases_keep_the_order_of_time() -> None:
    """Later days are held against earlier ones, and a stable test day is asked once."""
    assert cases("aaaaaabb", 2) == [
        ("stable", (0, 1), (2, 3)),
        ("stable", (0, 1, 2, 3), (4, 5)),
        ("changed", (0, 1, 2, 3, 4, 5), (6, 7)),
    ]
    assert cases("abbb", 1) == [("stable", (1, 2), (3,))]  # one day is no baseline
    assert cases("aaab", 2) == []  # too few days for a test


@given(st.lists(st.sampled_from("abc"), max_size=15), st.integers(1, 4))
def test_cases_never_mix_versions(versions: list[str], test_days: int) -> None:
    """One version in the baseline and one in the test, and the kind says whether they are one."""
    for case in list_run_cases("some", [Label(v) for v in versions], test_days, 2):
        before = {versions[unit] for unit in case.baseline}
        after = {versions[unit] for unit in case.test}
        assert len(before) == len(after) == 1
        assert (case.kind is Kind.STABLE) == (before == after)
        assert max(case.baseline) < min(case.test)
        assert len(case.test) == test_days


def test_runs_are_told_apart_where_a_version_returns() -> None:
    """A rollback is a run of its own."""
    assert runs_of([Label(version) for version in "aabba"]) == [[0, 1], [2, 3], [4]]

"""What is better, and what is worse: never a network that would raise more alarms."""

from dataclasses import replace

from fwid_agent.refine.scores import Score, find_fault, is_worse
from hypothesis import given
from hypothesis import strategies as st

_scores = st.builds(
    Score,
    auc=st.floats(0, 1),
    alarms=st.integers(0, 40),
    alike=st.just(40),
    missed=st.integers(0, 40),
    software=st.just(40),
)


@given(_scores, _scores)
def test_what_takes_the_place_is_better_in_one_and_worse_in_nothing(new: Score, old: Score) -> None:
    """A fault is found wherever alarms rise or the telling falls."""
    if find_fault(new, old) == "":
        assert new.auc > old.auc
        assert new.alarms <= old.alarms
        assert not is_worse(new, old)
        assert find_fault(old, new) != ""


@given(_scores)
def test_nothing_is_better_than_itself(score: Score) -> None:
    """Neither is it worse: a network that is in use stays."""
    assert find_fault(score, score) != ""
    assert not is_worse(score, score)


def test_a_fault_says_what_it_is() -> None:
    """In figures, for people."""
    old = Score(0.9, 3, 40, 5, 40)
    assert find_fault(replace(old, auc=0.95), old) == ""
    assert "4 alarms on unchanged days, instead of 3" in find_fault(
        replace(old, auc=0.95, alarms=4), old
    )
    assert "0.850, against 0.900" in find_fault(replace(old, auc=0.85), old)
    assert "too few days" in find_fault(replace(old, auc=0.95, alike=3), old)


def test_figures_that_are_none_are_no_gain() -> None:
    """Where one kind of pair is missing the AUC is no number."""
    old = Score(0.9, 3, 40, 5, 40)
    assert find_fault(replace(old, auc=float("nan")), old) != ""

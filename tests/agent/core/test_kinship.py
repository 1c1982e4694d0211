"""A device that ceases to behave like itself is told once, and nothing else is."""

from collections.abc import Sequence

import pytest
from fwid_agent.core.kinship import Answered, find_stranger
from fwid_agent.types import Identification

CAMERA = "camera"


def taken_for(label: str | None, certainty: float = 0.95, learnt: str | None = CAMERA) -> Answered:
    return Answered(Identification(label, None, certainty, CAMERA), learnt)


RIGHT, HUB, NONE = taken_for(CAMERA), taken_for("hub"), taken_for(None)
DOUBT = taken_for("hub", 0.89)


def told_at(answers: Sequence[Answered]) -> list[int]:
    """On which days a suspicion is told, as they come."""
    return [day for day in range(len(answers)) if find_stranger(answers[: day + 1]) is not None]


@pytest.mark.parametrize(
    ("answers", "days"),
    [
        ([RIGHT, RIGHT, HUB, HUB], [3]),
        ([RIGHT, HUB, NONE, HUB, HUB], [2]),  # once, whatever it is taken for later
        ([RIGHT, NONE, NONE], [2]),
        ([RIGHT, HUB, RIGHT, HUB, HUB], [4]),
        ([RIGHT, HUB, HUB, RIGHT, HUB, HUB], [2, 5]),  # it was itself again
        ([RIGHT, HUB, DOUBT, HUB, HUB, DOUBT, HUB, HUB], [4]),
        ([RIGHT, HUB], []),
        ([RIGHT, HUB, DOUBT], []),
        ([HUB, HUB, HUB], []),  # never told rightly: the model is at fault
        ([taken_for(CAMERA, learnt=None), HUB, HUB], []),
        ([taken_for("hub", learnt=None)] * 4, []),  # of no model of this home
        ([], []),
    ],
)
def test_when_a_stranger_is_told(answers: list[Answered], days: list[int]) -> None:
    """On the second sure day in a row, of a device that was told rightly before."""
    assert told_at(answers) == days


def test_what_is_told() -> None:
    """What the device is known as, and what it behaves like now."""
    reason = find_stranger([RIGHT, HUB, NONE])
    assert reason is not None
    assert (reason.key, reason.params) == ("unlike_its_kind", {"label": CAMERA, "like": None})

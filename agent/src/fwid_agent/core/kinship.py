"""A device that stops behaving like what it is: when that is told.

One day proves little: an update, a visit or a fault makes a day unlike all others. Two in a row
tell, of a device that was told rightly before; once, until it is told rightly again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from fwid_agent.types import Identification, Reason

SURE = 0.9
KEY = "unlike_its_kind"


@dataclass(frozen=True, slots=True)
class Answered:
    """What one of a device's units was taken for."""

    answer: Identification
    learnt_as: str | None  # by a model of this home, as what this very device was learnt

    @property
    def agrees(self) -> bool:
        """Whether the device was told rightly."""
        return self.learnt_as is not None and self.answer.label == self.learnt_as

    @property
    def odd(self) -> bool:
        """Whether it is surely taken for something else, or for nothing that is known."""
        known = self.learnt_as is not None and not self.agrees
        return known and self.answer.certainty >= SURE


def find_stranger(answers: Sequence[Answered]) -> Reason | None:
    """Say why a device is unlike its kind, where its newest unit is the first to show it.

    Args:
        answers: what its units were taken for, oldest first.

    """
    since = list(_since_agreeing(answers))
    if len(since) == len(answers):
        return None  # it was never told rightly
    pairs = [first.odd and second.odd for second, first in pairwise(since)]
    # Newest first: this pair, and none before it.
    if not pairs or not pairs[0] or any(pairs[1:]):
        return None
    newest = answers[-1]
    params = {"label": newest.learnt_as, "like": newest.answer.label}
    return Reason(KEY, params, newest.answer.certainty)


def _since_agreeing(answers: Sequence[Answered]) -> Iterator[Answered]:
    """Yield the answers since it was told rightly last, newest first."""
    for answered in reversed(answers):
        if answered.agrees:
            return
        yield answered

"""What is usual for a device nobody has watched yet, learnt from the training devices.

A device's own few days say little about its day-to-day spread, so every estimate is shrunk
towards what the training devices showed: variances by the moderated t of Smyth (2004), presence
of exact values by a Beta distribution, scores of unchanged devices by an exponential tail.
Fitting is research (`lab`); this is only the result.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fwid_agent.types import DIRECTIONS, TokenKind

PRIOR_VERSION = 1
_VAGUE_LOSS = 0.05


@dataclass(frozen=True, slots=True)
class Spread:
    """A scaled inverse chi-square prior of one feature's unit-to-unit variance."""

    variance: float  # in the feature's own unit, squared
    degrees: float  # how many days of the device's own this knowledge is worth


@dataclass(frozen=True, slots=True)
class Tail:
    """Scores of unchanged devices: chance exp(-score / scale) of reaching a score."""

    scale: float
    cases: float  # how many of the device's own comparisons this knowledge is worth

    def threshold(self, chance: float, own: Sequence[float] = ()) -> float:
        """Return the score that an unchanged device reaches with this chance.

        `own` are scores of the device's own baseline units, each against the others. The scale
        of an exponential distribution has a Gamma conjugate, so own cases simply add.
        """
        scale = (self.scale * self.cases + sum(own)) / (self.cases + len(own))
        return max(scale, self.scale / 2) * math.log(1 / chance)


@dataclass(frozen=True, slots=True)
class Prior:
    """Everything that is known before the device's own days are.

    `loss[direction][kind]` is the Beta parameter b of a value's absence: a value that was there
    on each of d units is missing from the next with probability b / (d + b).
    """

    spreads: Mapping[str, Mapping[str, Spread]]  # direction -> feature name -> spread
    loss: Mapping[str, Mapping[str, float]]  # direction -> TokenKind name -> b
    single: Tail  # score of replaced own values with one baseline replicate
    once: Tail  # the same with two baseline replicates or more and one test replicate
    several: Tail  # the same with two or more on both sides
    anything: Tail  # score of whatever differs most, two baseline replicates or more
    score_spread_floor: float  # smallest standard deviation of similarity scores believed
    trained_on: tuple[str, ...] = ()
    version: int = PRIOR_VERSION

    def loss_of(self, direction: str, kind: TokenKind) -> float:
        """Return b of a kind; of one that the training captures do not show, a vague one."""
        return self.loss[direction].get(kind.name, _VAGUE_LOSS)


def weak_prior(variances: Mapping[str, float]) -> Prior:
    """Return a vague prior, from which a better one is fitted; variances by feature name."""
    spreads = {name: Spread(variance, 1.0) for name, variance in variances.items()}
    loss = {kind.name: _VAGUE_LOSS for kind in TokenKind}
    return Prior(
        spreads=dict.fromkeys(DIRECTIONS, spreads),
        loss=dict.fromkeys(DIRECTIONS, loss),
        single=Tail(0.9, 5),
        once=Tail(0.5, 5),
        several=Tail(0.5, 5),
        anything=Tail(0.7, 5),
        score_spread_floor=0.01,
    )

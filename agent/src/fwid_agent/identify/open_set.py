"""One answer from a device's flows of a day, of which "none that I know" is one.

A closed model shares all of its belief among the classes that it knows, and an unknown device gets
an answer too. Two numbers tell it apart: how much belief the winner has over all flows, and how
sure each flow is by itself. Weights and limit are measured on devices that were left out of
training (lab.identification.open_set), and are the same for every class.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from fwid_agent.types import F8

SIGNS = ("winner", "sureness")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a device from some of its flows."""

    best: int  # the class that is most likely, were it one of those that are known
    share: float  # its mean probability over the flows
    known: float  # how likely the device is one of those that are known at all
    accepted: bool  # else the answer is: none that I know


@dataclass(frozen=True, slots=True)
class OpenSet:
    """When an answer is believed."""

    weights: tuple[float, float]  # of SIGNS
    offset: float
    limit: float  # of `known`: below, no class is named

    def answer(self, probabilities: F8) -> Answer:
        """Answer from flows [n, classes] of one device; raises ValueError where there are none."""
        if not len(probabilities):
            raise ValueError("no flow, no answer")
        mean = probabilities.mean(axis=0)
        best = int(mean.argmax())
        known = float(expit(np.dot(self.weights, signs_of(probabilities)) + self.offset))
        return Answer(best, float(mean[best]), known, known >= self.limit)


def signs_of(probabilities: F8) -> F8:
    """Return SIGNS [2] of flows [n, classes]."""
    return np.array([probabilities.mean(axis=0).max(), probabilities.max(axis=1).mean()])

"""When an answer is believed: measured on devices that a model was not trained on."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from fwid_agent.identify.open_set import OpenSet
from fwid_agent.types import F8, Bools

REFUSED = 0.05  # of the days of known devices
_RIDGE = 1e-3


def calibrate(signs: F8, known: Bools, most: float = 1.0, least: float = 0.0) -> OpenSet:
    """Fit the weights by logistic regression, known and unknown counted alike, and set the limit.

    The limit refuses 5 % of the days of known devices, and is within `least` and `most`.

    Args:
        signs: [n, 2] of devices' days (open_set.signs_of).
        known: [n] the device was trained on.
        most: where the days are few and from the same week, later ones are less certain than these.
        least: where most that is met is unknown, nothing is named that is likelier unknown as well.

    """
    share = np.where(known, 0.5 / max(known.sum(), 1), 0.5 / max((~known).sum(), 1))
    sign = np.where(known, 1.0, -1.0)

    def loss(weights: F8) -> float:
        margin = sign * (signs @ weights[:2] + weights[2])
        return float(share @ np.logaddexp(0, -margin) + _RIDGE * (weights[:2] ** 2).sum())

    weights = minimize(loss, np.zeros(3)).x
    certain = expit(signs[known] @ weights[:2] + weights[2])
    limit = float(np.quantile(certain, REFUSED)) if len(certain) else 0.5
    limit = max(min(limit, most), least)
    return OpenSet((float(weights[0]), float(weights[1])), float(weights[2]), limit)

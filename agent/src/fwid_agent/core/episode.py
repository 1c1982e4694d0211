"""An update as it happens: a large download, and then the device joins the network anew.

Neither is news by itself: people stream, and devices reboot. Both on one day, in a device that does
not download as much otherwise, are what an update looks like while it is installed. It says nothing
of what changed, so it never alarms by itself; it lets weaker signs of the days after it count.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from fwid_agent.core.periods import Period
from fwid_agent.core.prior import Prior
from fwid_agent.types import F8, ROWS, SUM_INDEX, Reason

EPISODE_CHANCE = 0.01  # of an unchanged device's day to look like one
_LEAST_BYTES = 100_000  # smaller downloads are messages
_LEAST_RATIO = 3.0  # over the largest day before
_DOWNLOADS = np.array([row.direction == "received" and row.scope == "cloud" for row in ROWS])
_JOINS = np.array([row.direction == "sent" and row.protocol in ("dhcp", "eapol") for row in ROWS])
_BYTES = SUM_INDEX["size"]


@dataclass(frozen=True, slots=True)
class Episode:
    """A day that looks like that of an update."""

    downloaded_bytes: float  # received from the cloud on that day
    most_before_bytes: float  # on any day of the baseline
    surprise: float  # -log10 of the chance of the download alone

    def reason(self) -> Reason:
        """Return it as a reason of a verdict."""
        params: dict[str, object] = {
            "downloaded": self.downloaded_bytes,
            "most_before": self.most_before_bytes,
        }
        return Reason("update_episode", params, self.surprise)


def find_episode(baseline: Period, day: Period, prior: Prior) -> Episode | None:
    """Say whether a day looks like that of an update, held against the days before it.

    The download is judged by a moderated t on the logarithm of a day's bytes (Smyth 2004), one day
    against the baseline's days, by its chance alone; joining is asked for besides.

    Args:
        baseline: two days or more of the version that runs.
        day: one unit.
        prior: how much the bytes of unchanged devices differ from day to day.

    """
    if baseline.units < 2 or day.units != 1:
        return None
    before, downloaded = _total(baseline, _DOWNLOADS), float(_total(day, _DOWNLOADS)[0])
    most = float(before.max())
    if downloaded < _LEAST_BYTES or downloaded < _LEAST_RATIO * most:
        return None
    if _total(day, _JOINS)[0] <= np.median(_total(baseline, _JOINS)):
        return None
    chance = _chance(np.log10(1 + before), math.log10(1 + downloaded), prior)
    if chance > EPISODE_CHANCE:
        return None
    return Episode(downloaded, most, -math.log10(max(chance, 1e-12)))


def _total(period: Period, rows: np.ndarray) -> F8:
    """Add up the packets' bytes of some rows: [units]."""
    each = period.observations.sums[:, rows, _BYTES].sum(axis=1)
    total: F8 = np.bincount(period.unit, each, period.units).astype(np.float64)
    return total


def _chance(before: F8, after: float, prior: Prior) -> float:
    spread = prior.spreads["received"]["bytes"]
    degrees = len(before) - 1 + spread.degrees
    squares = float(((before - before.mean()) ** 2).sum())
    variance = (squares + spread.degrees * spread.variance) / degrees
    t = (after - float(before.mean())) / math.sqrt(variance * (1 + 1 / len(before)))
    return float(stdtr(degrees, -t))

"""Is a refined network better? Measured on the newest days, which none has learnt from."""

from dataclasses import dataclass

from fwid_agent.core.effect import rank_auc
from fwid_agent.core.evidence import SOFTWARE_LEAST
from fwid_agent.pipeline.models import RowTwin
from fwid_agent.refine.pairs import Pairs

_LEAST_GAIN = 0.002  # of the AUC: less is not worth another network
_LEAST_PAIRS = 20  # of each kind: fewer measure nothing


@dataclass(frozen=True, slots=True)
class Score:
    """What a network makes of held-out days."""

    auc: float  # of made-up software over the days as they were
    alarms: int  # pairs of unchanged days that it would let pass as software
    alike: int  # pairs of unchanged days
    missed: int  # made-up software that it would call settings
    software: int


def measure(twin: RowTwin, pairs: Pairs) -> Score:
    """Measure a network."""
    distances = twin.distances(pairs.pictures)
    said = twin.software(distances) >= SOFTWARE_LEAST
    software = pairs.software
    return Score(
        rank_auc(distances[~software], distances[software]),
        int((said & ~software).sum()),
        int((~software).sum()),
        int((~said & software).sum()),
        int(software.sum()),
    )


def find_fault(new: Score, old: Score) -> str:
    """Say why a network is not to take another's place; "" where it is better.

    Better is: it tells made-up software better from the days as they were, and raises no alarm more
    on those.
    """
    if min(new.alike, new.software) < _LEAST_PAIRS:
        return "too few days to measure on"
    if new.alarms > old.alarms:
        return f"it would raise {new.alarms} alarms on unchanged days, instead of {old.alarms}"
    if not new.auc >= old.auc + _LEAST_GAIN:
        return f"it tells software no better: {new.auc:.3f}, against {old.auc:.3f}"
    return ""


def is_worse(used: Score, shipped: Score) -> bool:
    """Say whether a network that is used does worse on new days than what came with the agent."""
    return used.alarms > shipped.alarms or used.auc < shipped.auc

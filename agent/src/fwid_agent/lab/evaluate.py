"""Every detector on cases of dates: a device's earlier dates against its later ones.

Scoring models never saw the vendor whose cases they score, and thresholds come from other vendors'
unchanged cases. Versions are known for a few devices only; the others' cases are reported apart
and prove nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fwid_agent.lab.cases import (
    Case,
    Kind,
    LabelledDevice,
    list_cases,
    list_session_cases,
)
from fwid_agent.lab.counting import Count, bootstrap_by_device, rank_auc
from fwid_agent.lab.methods import Method, threshold_of
from fwid_agent.types import ROWS, UnitTable

_UNCHANGED = (Kind.STABLE, Kind.UNVERIFIED)
# How cases are made of a corpus; each has a table of its own.
PROTOCOLS: Mapping[str, Callable[[Sequence[LabelledDevice]], list[Case]]] = {
    "dates": list_cases,
    "two sessions": list_session_cases,
}


@dataclass(frozen=True, slots=True)
class Scored:
    """One case by one method."""

    protocol: str
    method: str
    device: str
    kind: Kind
    baseline_units: int
    score: float
    threshold: float

    @property
    def changed(self) -> bool:
        """Whether the method says "changed"."""
        return self.score >= self.threshold


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One row of a table."""

    protocol: str
    method: str
    stable: Count  # verified stable cases that were called so
    changed: Count  # verified changes that were found
    unverified: Count  # cases of unknown version that were called stable
    mixed: Count  # cases with both versions in the baseline that were called changed
    auc: float  # of verified changed over verified stable cases
    auc_assumed: float  # of changed and mixed over stable cases, unverified ones taken as stable
    stable_by_device: tuple[float, float]  # bootstrap interval by device


def score_dates(
    rest: Sequence[LabelledDevice],
    held: Sequence[LabelledDevice],
    methods: Sequence[Method],
) -> list[Scored]:
    """Score every case of the devices held out; thresholds come from the rest's unchanged cases."""
    scored: list[Scored] = []
    for method in methods:
        for protocol, cases_of in PROTOCOLS.items():
            cases = cases_of(held)
            if cases:
                threshold = threshold_of(
                    method, [c for c in cases_of(rest) if c.kind in _UNCHANGED]
                )
                scored += [_score(protocol, method, case, threshold) for case in cases]
    return scored


def _score(protocol: str, method: Method, case: Case, threshold: float) -> Scored:
    score = method.score(case)
    return Scored(
        protocol, method.name, case.device, case.kind, case.baseline.units, score, threshold
    )


def summarise(scored: Sequence[Scored], seed: int) -> list[MethodResult]:
    """Count by protocol and method, in the order of first appearance."""
    methods = dict.fromkeys(each.method for each in scored)
    return [
        _summarise(protocol, method, chosen, seed)
        for protocol in PROTOCOLS
        for method in methods
        if (chosen := [s for s in scored if (s.protocol, s.method) == (protocol, method)])
    ]


def _summarise(protocol: str, method: str, scored: Sequence[Scored], seed: int) -> MethodResult:
    by_kind = {kind: [each for each in scored if each.kind is kind] for kind in Kind}
    stable, changed = by_kind[Kind.STABLE], by_kind[Kind.CHANGED]
    calm = {
        device: [not each.changed for each in stable if each.device == device]
        for device in {each.device for each in stable}
    }
    unverified, mixed = by_kind[Kind.UNVERIFIED], by_kind[Kind.MIXED]
    return MethodResult(
        protocol,
        method,
        _count_calm(stable),
        _count_alarms(changed),
        _count_calm(unverified),
        _count_alarms(mixed),
        _auc(stable, changed),
        _auc([*stable, *unverified], [*changed, *mixed]),
        bootstrap_by_device(calm, np.random.default_rng(seed)),
    )


def _auc(unchanged: Sequence[Scored], changed: Sequence[Scored]) -> float:
    return rank_auc(
        np.array([each.score for each in unchanged]), np.array([each.score for each in changed])
    )


def _count_calm(scored: Sequence[Scored]) -> Count:
    return Count(sum(not each.changed for each in scored), len(scored))


def _count_alarms(scored: Sequence[Scored]) -> Count:
    return Count(sum(each.changed for each in scored), len(scored))


def without_http(device: LabelledDevice) -> LabelledDevice:
    """Leave out a device's HTTP rows: the download of an update is not the update."""
    rows = [index for index, row in enumerate(ROWS) if row.protocol == "http"]
    table = device.windows
    sums = table.sums.copy()
    sums[:, rows] = 0
    kept = ~np.isin(table.tokens["row"], rows)
    windows = UnitTable(table.start_ns, table.session, table.observed, sums, table.tokens[kept])
    return LabelledDevice(device.name, device.mac, windows, device.labels)

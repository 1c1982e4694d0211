"""Simulated drift moves what it says, by as much as it says, and nothing else."""

import numpy as np
import pytest
from fwid_agent.core.evidence import Judge, Likeness
from fwid_agent.lab import drift
from fwid_agent.lab.cases import Label, LabelledDevice
from fwid_agent.lab.drift import DriftPlan, What, drift_device
from fwid_agent.pipeline.models import load_prior
from fwid_agent.types import SUM_INDEX, TokenKind, UnitTable

from tests.agent.core.tables import DAY_NS, TLS_SENT, table

JUDGE = Judge(load_prior(), lambda asked: [Likeness(1.0, 1.0) for _ in asked])


def unit(count: int = 100) -> UnitTable:
    """A day with one own size, and another."""
    return table([(0, 1, {(TLS_SENT, 100): count, (TLS_SENT, 200): 7})])


def sizes(moved: UnitTable) -> dict[int, int]:
    """Count of each own size."""
    here = moved.tokens[moved.tokens["kind"] == TokenKind.SIZE]
    return dict(zip(here["value"].tolist(), here["count"].tolist(), strict=True))


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_a_share_of_one_size_becomes_another(share: float) -> None:
    """No packet is lost, and the other size stays."""
    after = sizes(drift._move_size(unit(), (TLS_SENT, 100), share))
    moved = round(100 * share)
    expected = {100: 100 - moved, 104: moved, 200: 7}
    assert after == {size: count for size, count in expected.items() if count}


def test_a_drift_moves_what_is_there_already() -> None:
    """Where the other size is in use too, counts add."""
    both = table([(0, 1, {(TLS_SENT, 100): 10, (TLS_SENT, 104): 3})])
    assert sizes(drift._move_size(both, (TLS_SENT, 100), 0.5)) == {100: 5, 104: 8}


def test_volume_grows_in_the_same_sizes() -> None:
    """Packets, bytes and counts alike."""
    before = unit()
    after = drift._grow(before, 0.5)
    assert sizes(after) == {100: 150, 200: round(7 * 1.5)}
    grown = after.sums[0, TLS_SENT] / np.maximum(before.sums[0, TLS_SENT], 1e-9)
    assert grown[SUM_INDEX["packets"]] == grown[SUM_INDEX["size"]] == 1.5


def steady() -> LabelledDevice:
    """Six days of one version."""
    windows = table(
        [(day * DAY_NS, day + 1, {(TLS_SENT, 100): 50, (TLS_SENT, 200): 9}) for day in range(6)]
    )
    return LabelledDevice("some", 1, windows, {n + 1: Label("a") for n in range(6)})


def test_no_drift_is_told_as_none_and_a_jump_is_told_at_once() -> None:
    """All of a size in one day is what an update is: two days have to agree."""
    told = {
        (each.what, each.speed): each.alarmed_after
        for each in drift_device(steady(), JUDGE, 3, DriftPlan(1, (0.0, 1.0), 12))
    }
    assert told[What.SIZE, 0.0] is None
    assert told[What.VOLUME, 0.0] is None
    assert told[What.SIZE, 1.0] == 2


def test_only_plain_days_of_one_version_and_one_setting_are_drawn() -> None:
    """Hard days are left out; after new settings another stretch begins."""
    windows = table([(day * DAY_NS, day + 1, {(TLS_SENT, 100 + day): 5}) for day in range(9)])
    hard = {1: "lossy", 3: "settings"}
    labels = {d + 1: Label("a" if d < 8 else "b", hard=hard.get(d, "")) for d in range(9)}
    pool = drift.plain_days(LabelledDevice("some", 1, windows, labels))
    assert [next(iter(sizes(day))) for day in pool] == [104, 105, 106, 107]


def test_a_device_of_few_captures_does_not_drift() -> None:
    """Its days would all be the same one."""
    windows = table([(0, 1, {(TLS_SENT, 100): 5})])
    few = LabelledDevice("some", 1, windows, {1: Label("a")})
    assert list(drift_device(few, JUDGE, 3, DriftPlan(1))) == []

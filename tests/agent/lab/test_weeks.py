"""Eight weeks out of fewer days: the order of versions is kept, and no day is asked about twice."""

from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.errors import UsageError
from fwid_agent.lab.identification.samples import Home
from fwid_agent.lab.identification.weeks import (
    CHANGES,
    NEVER,
    WEEK,
    WEEKLY,
    WEEKS,
    is_due,
    make_long,
)

pytestmark = pytest.mark.lab


def made(name: str, versions: tuple[str, ...], day_of: dict[int, int]) -> Home:
    """A home of one device: each flow carries the number of its day."""
    days = np.array(sorted(day_of))
    values = np.zeros((len(days), 19))
    values[:, 0] = days
    names = ("bulb 1.9", "bulb 1.10", "bulb 2.0")
    version = np.array([names.index(versions[day_of[day]]) for day in days.tolist()])
    nothing = np.zeros(len(days), np.int64)
    return Home(name, values, nothing, days, nothing > 0, version, ("bulb",), ("Hub",), names)


HOMES = [
    made("one", ("bulb 1.10", "bulb 2.0"), {day: int(day >= 12) for day in range(20)}),
    made("other", ("bulb 1.9", "bulb 2.0"), {day: int(day >= 15) for day in range(20)}),
]


def test_versions_follow_each_other_and_days_keep_their_order() -> None:
    """1.9 before 1.10; within a version as recorded, those drawn again behind."""
    home = make_long(HOMES, 1)
    assert len(home.days) == WEEKS * WEEK
    versions = [each.version for each in home.days]
    assert versions == sorted(versions)
    assert set(home.changes().values()) == {1}
    assert len(home.changes()) == 2
    fresh = [(each.version, each.flows.values[0, 0]) for each in home.days if not each.again]
    assert len(fresh) == 40
    assert [day for version, day in fresh if version == 0] == list(range(15))
    assert [day for version, day in fresh if version == 1] == list(range(12))
    for version in range(3):
        own = [each for each in home.days if each.version == version]
        assert [each.again for each in own] == sorted(each.again for each in own)


def test_what_was_drawn_again_is_not_asked_about() -> None:
    """It is learnt from alone; and a morning knows nothing of its own day."""
    home = make_long(HOMES, 1)
    asked = [each for day in range(WEEKS * WEEK) for each in home.on(day)]
    assert len(asked) == 40
    assert len(home.before(9)) == 9


def test_versions_have_to_be_known() -> None:
    """Without them no order is right."""
    unknown = [replace(home, versions=("", "", "")) for home in HOMES]
    with pytest.raises(UsageError, match="version is not known"):
        make_long(unknown, 1)


@pytest.mark.parametrize(
    ("plan", "day", "last", "due"),
    [
        (NEVER, 8, (-56, -56), True),
        (NEVER, 50, (8, 8), False),
        (WEEKLY, 14, (8, 8), False),
        (WEEKLY, 15, (8, 8), True),
        (CHANGES, 12, (8, 8), True),
        (CHANGES, 11, (8, 8), False),  # the new version has not been there for a day
        (CHANGES, 13, (12, 12), False),
        (CHANGES, 13, (12, 8), True),  # until one is accepted
    ],
)
def test_retraining_is_due_as_in_the_agent(
    plan: str, day: int, last: tuple[int, int], due: bool
) -> None:
    """A version changed on day 10."""
    assert is_due(plan, day, last, {10: 1}) is due

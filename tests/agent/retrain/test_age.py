"""When a model is getting old, and when another is due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fwid_agent.retrain.age import Standing, Tries, is_due, old_because, tries_of

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def ns(time: datetime) -> int:
    return int(time.timestamp()) * 1_000_000_000


TRAINED = NOW - 3 * DAY
FRESH = Standing(
    labelled=frozenset({1, 2}),
    first_ns=ns(NOW - 30 * DAY),
    knows=frozenset({1, 2}),
    trained_ns=ns(TRAINED),
    changed_ns=None,
    accuracy=0.9,
    accuracy_now=0.85,
)
NEVER = replace(FRESH, trained_ns=None, knows=frozenset(), accuracy=None, accuracy_now=None)


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (FRESH, None),
        (replace(FRESH, trained_ns=ns(NOW - 14 * DAY)), None),
        (replace(FRESH, trained_ns=ns(NOW - 15 * DAY)), "age"),
        (replace(FRESH, changed_ns=ns(NOW - DAY)), "changed"),
        (replace(FRESH, accuracy_now=0.79), "worse"),
        (replace(FRESH, accuracy_now=None), None),
        (replace(FRESH, labelled=frozenset({1, 2, 3})), "new_devices"),
        (replace(FRESH, labelled=frozenset({1})), None),
        (NEVER, "age"),
        (replace(NEVER, first_ns=ns(NOW - 13 * DAY)), None),
        (replace(NEVER, labelled=frozenset()), None),
        (replace(NEVER, first_ns=None), None),
    ],
)
def test_a_model_is_getting_old(standing: Standing, why: str | None) -> None:
    """By age, by a version change, by ten points, by a device that it does not know."""
    assert old_because(standing, ns(NOW)) == why


CHANGED = replace(FRESH, changed_ns=ns(NOW - 2 * DAY))


@pytest.mark.parametrize(
    ("standing", "last", "accepted", "due"),
    [
        (NEVER, None, None, True),
        (replace(NEVER, labelled=frozenset({1})), None, None, False),
        (FRESH, 3 * DAY, 3 * DAY, False),
        (FRESH, 7 * DAY, 3 * DAY, True),
        (FRESH, -DAY, None, True),  # the clock was set back
        (CHANGED, 3 * DAY, 3 * DAY, True),
        (replace(FRESH, changed_ns=ns(NOW - DAY / 2)), 3 * DAY, 3 * DAY, False),  # not settled
        (CHANGED, DAY / 2, 3 * DAY, False),  # once a day at the most
        (CHANGED, DAY, 3 * DAY, True),  # until one is accepted
        (CHANGED, DAY / 2, DAY / 2, False),
    ],
)
def test_another_is_due(
    standing: Standing, last: timedelta | None, accepted: timedelta | None, due: bool
) -> None:
    """Every week, and a day after a version change, never more often than once a day."""
    tries = Tries(
        None if last is None else NOW - last, None if accepted is None else NOW - accepted
    )
    assert is_due(standing, tries, NOW, DAY) is due


def test_the_record_of_attempts_says_when() -> None:
    """The latest of all, and of those that were accepted; a damaged time is none."""
    record = [
        {"time": "2026-05-01T00:00:00Z", "outcome": "accepted"},
        {"time": "2026-05-08T00:00:00Z", "outcome": "kept"},
    ]
    tries = tries_of(record)
    assert tries == Tries(datetime(2026, 5, 8, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC))
    assert tries_of([]) == Tries()
    assert tries_of([{"time": "yesterday", "outcome": "kept"}]) == Tries()

"""Units are days or files, and a comparison across a pause counts visits."""

import numpy as np
from fwid_agent.core.periods import make_period, replicates, select_units
from fwid_agent.types import SUM_INDEX

from tests.agent.core.tables import DAY_NS, DNS_SENT, HOUR_NS, TLS_SENT, days, table

PACKETS = SUM_INDEX["packets"]


def sessions(
    starts_h: list[float], first_session: int = 0
) -> list[tuple[int, int, dict[tuple[int, int], int]]]:
    """Make one-window sessions that start at these hours."""
    return [
        (int(hour * HOUR_NS), first_session + i, {(TLS_SENT, 600): 2})
        for i, hour in enumerate(starts_h)
    ]


def test_a_day_is_one_unit_however_many_windows_and_sessions_it_has() -> None:
    """Windows of a day add up; sessions stay observations of their own."""
    windows = table(sessions([1, 2, 3, 25, 26]))
    period = make_period(windows, "day", DAY_NS)
    assert period.units == 2
    assert len(period.observations) == 5
    assert period.unit.tolist() == [0, 0, 0, 1, 1]
    assert period.observations.sums[:, TLS_SENT, PACKETS].sum() == 10


def test_a_file_is_one_unit_also_across_midnight() -> None:
    """A session is never cut into two units when files are the units."""
    windows = table(
        [(23 * HOUR_NS, 7, {(TLS_SENT, 600): 1}), (24 * HOUR_NS, 7, {(DNS_SENT, 70): 1})]
    )
    period = make_period(windows, "file", DAY_NS)
    assert period.units == 1
    assert len(period.observations) == 1
    assert make_period(windows, "day", DAY_NS).units == 2


def test_silent_windows_were_not_observed() -> None:
    """A device that was off for a day adds no unit."""
    period = make_period(
        table(days(2, {(TLS_SENT, 600): 1}) + days(1, {}, first_day=2)), "day", DAY_NS
    )
    assert period.units == 2


def test_units_are_in_order_of_time_whatever_the_order_of_files() -> None:
    """Session numbers say nothing of time."""
    period = make_period(table(sessions([50, 2, 26])), "file", DAY_NS)
    assert np.all(np.diff(period.start_ns) > 0)
    assert period.observations.session[np.argsort(period.unit)].tolist() == [1, 2, 0]


def test_selecting_units_keeps_their_traffic() -> None:
    """The chosen units, renumbered; nothing else."""
    period = make_period(table(sessions([1, 30, 60])), "day", DAY_NS)
    chosen = select_units(period, [2, 0])
    assert chosen.units == 2
    assert sorted(chosen.unit.tolist()) == [0, 1]
    assert chosen.observations.sums.sum() == period.observations.sums.sum() * 2 / 3
    assert set(chosen.observations.tokens["period"].tolist()) == {0, 1}


def test_sessions_of_one_date_are_one_replicate_across_a_pause() -> None:
    """Five captures of one afternoon against five of another month are one against one."""
    baseline = make_period(table(sessions([1, 1.2, 2, 2.5, 3])), "file", DAY_NS)
    test = make_period(table(sessions([800, 800.5, 801], 5)), "file", DAY_NS)
    before, after = replicates(baseline, test)
    assert before.tolist() == [0] * 5
    assert after.tolist() == [0] * 3


def test_sessions_in_a_row_are_replicates_of_their_own() -> None:
    """Compressed days follow each other without a pause: each one counts."""
    baseline = make_period(table(sessions([1, 2, 3, 4])), "file", DAY_NS)
    test = make_period(table(sessions([5, 6], 4)), "file", DAY_NS)
    before, after = replicates(baseline, test)
    assert before.tolist() == [0, 1, 2, 3]
    assert after.tolist() == [0, 1]


def test_consecutive_days_are_replicates_of_their_own() -> None:
    """Live traffic: day after day, no pause longer than a night."""
    hours = [(h * HOUR_NS, 0, {(TLS_SENT, 600): 1}) for h in range(24 * 5)]
    baseline = make_period(table(hours[: 24 * 3]), "day", DAY_NS)
    test = make_period(table(hours[24 * 3 :]), "day", DAY_NS)
    before, after = replicates(baseline, test)
    assert before.tolist() == [0, 1, 2]
    assert after.tolist() == [0, 1]


def test_days_in_a_row_are_replicates_also_across_a_pause() -> None:
    """A week, a pause and another week: seven dates against seven, not one and one."""
    windows = [(h * HOUR_NS, 0, {(TLS_SENT, 600): 1}) for h in range(24 * 20)]
    baseline = make_period(table(windows[: 24 * 7]), "day", DAY_NS)
    test = make_period(table(windows[24 * 9 : 24 * 16]), "day", DAY_NS)
    before, after = replicates(baseline, test)
    assert before.tolist() == list(range(7))
    assert after.tolist() == list(range(7))

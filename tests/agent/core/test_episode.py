"""The day of an update: what looks like one, and what such a day may change in a verdict."""

import numpy as np
import pytest
from fwid_agent.core.episode import EPISODE_CHANCE, Episode, find_episode
from fwid_agent.core.features import FEATURES
from fwid_agent.core.periods import Period, make_period
from fwid_agent.core.prior import weak_prior
from fwid_agent.types import ROWS, Row
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.core.tables import DAY_NS, TLS_RECEIVED, TLS_SENT, Sizes, days, table

PRIOR = weak_prior(dict.fromkeys(FEATURES, 0.01))
DHCP = ROWS.index(Row("dhcp", "sent", "lan"))
USUAL: Sizes = {(TLS_SENT, 90): 30, (TLS_RECEIVED, 1000): 40, (DHCP, 300): 3}
DOWNLOAD, JOINED = {(TLS_RECEIVED, 1500): 2000}, {(DHCP, 300): 4}


def period(*each: Sizes, first_day: int = 0) -> Period:
    made = [days(1, sizes, first_day=first_day + n)[0] for n, sizes in enumerate(each)]
    return make_period(table(made), "day", DAY_NS)


def look(day: Sizes, *before: Sizes) -> Episode | None:
    baseline = before or (USUAL,) * 5
    return find_episode(period(*baseline), period(day, first_day=len(baseline)), PRIOR)


def test_a_large_download_and_a_new_start_are_an_episode() -> None:
    """The reason tells both amounts, which a person can hold against the news of an update."""
    found = look({**USUAL, **DOWNLOAD, **JOINED})
    assert found is not None
    assert found.downloaded_bytes == 40 * 1000 + 2000 * 1500
    assert found.reason().params == {"downloaded": 3.04e6, "most_before": 4e4}
    assert found.surprise >= -np.log10(EPISODE_CHANCE)


@pytest.mark.parametrize(
    "day",
    [
        {**USUAL, **JOINED},  # a reboot
        {**USUAL, **DOWNLOAD},  # a film
        {**USUAL, (TLS_RECEIVED, 1500): 30, **JOINED},  # some messages more
    ],
)
def test_half_of_it_is_none(day: Sizes) -> None:
    """People watch films and pull plugs."""
    assert look(day) is None


def test_who_downloads_much_anyway_shows_none() -> None:
    """A television's update drowns in what it streams."""
    streams = {**USUAL, (TLS_RECEIVED, 1500): 1500}
    assert look({**USUAL, **DOWNLOAD, **JOINED}, *(streams,) * 5) is None


def test_one_day_before_is_too_little_to_know_what_is_usual() -> None:
    """A first day may be a quiet one."""
    assert look({**USUAL, **DOWNLOAD, **JOINED}, USUAL) is None


@given(st.lists(st.integers(0, 5000), min_size=2, max_size=8), st.integers(0, 20000))
def test_what_is_called_one_is_large_and_rare(counts: list[int], downloaded: int) -> None:
    """The bounds hold whatever the days before were."""
    before = [{**USUAL, (TLS_RECEIVED, 1500): count} for count in counts]
    found = look({**USUAL, (TLS_RECEIVED, 1500): downloaded, **JOINED}, *before)
    if found is not None:
        assert found.downloaded_bytes >= max(3 * found.most_before_bytes, 100_000)
        assert 10**-found.surprise <= EPISODE_CHANCE

"""Where the agent stands: what it says of typical days of a device, seen from typical places."""

import pytest
from fwid_agent.core.vantage import LEAST_PACKETS, judge_vantage
from fwid_agent.types import Vantage
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("sent", "received", "multicast", "vantage"),
    [
        (60_000, 55_000, 2_000, Vantage.ALL),  # a speaker, from the router
        (900, 700, 12_000, Vantage.ALL),  # a local plug that announces itself all day
        (1_000_000, 5_000, 10, Vantage.ALL),  # a camera that streams
        (0, 0, 1_500, Vantage.MULTICAST),  # from a plain switch
        (3, 25, 1_500, Vantage.MULTICAST),  # the same, with strays that the switch let out
        (60_000, 0, 2_000, Vantage.SENT),  # a mirror port of one direction
        (0, 55_000, 2_000, Vantage.RECEIVED),
        (0, 55_000, 0, Vantage.RECEIVED),
        (0, 3, 4, Vantage.UNKNOWN),  # nearly silent
        (0, 0, 0, Vantage.UNKNOWN),
    ],
)
def test_typical_days(sent: int, received: int, multicast: int, vantage: Vantage) -> None:
    """Each kind of place is told apart."""
    assert judge_vantage(sent, received, multicast) is vantage


@given(*3 * [st.integers(0, 10**6)])
def test_the_directions_are_alike(sent: int, received: int, multicast: int) -> None:
    """Turned round, what is sent becomes what is received, and nothing else changes."""
    swap = {Vantage.SENT: Vantage.RECEIVED, Vantage.RECEIVED: Vantage.SENT}
    one, other = judge_vantage(sent, received, multicast), judge_vantage(received, sent, multicast)
    assert swap.get(one, one) is other
    assert (one is Vantage.UNKNOWN) == (sent + received + multicast < LEAST_PACKETS)

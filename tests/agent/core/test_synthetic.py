"""Made-up changes do what they say to traffic, and nothing else."""

import numpy as np
import pytest
from fwid_agent.core import synthetic
from fwid_agent.types import ROWS, SUM_INDEX, TokenKind, UnitTable
from hypothesis import given
from hypothesis import strategies as st

from tests.agent.core.tables import DAY_NS, DNS_SENT, TLS_RECEIVED, TLS_SENT, table

_seeds = st.integers(0, 2**32)
_SENT = np.array([row.direction == "sent" for row in ROWS])


def days() -> UnitTable:
    """Three days of a device whose sizes are always the same."""
    sizes = {(TLS_SENT, 634): 4, (TLS_SENT, 90): 7, (DNS_SENT, 70): 3, (TLS_RECEIVED, 1500): 9}
    return table([(day * DAY_NS, day, sizes) for day in range(3)], first=[(TLS_SENT, 634)])


def own_sizes(found: UnitTable) -> set[tuple[int, int]]:
    tokens = found.tokens[np.isin(found.tokens["kind"], (TokenKind.SIZE, TokenKind.FIRST_SIZE))]
    sent = tokens[_SENT[tokens["row"]]]
    return {(int(row), int(value)) for row, value in sent[["row", "value"]]}


def assert_sound(found: UnitTable) -> None:
    """Tokens are sorted without repeats, as every stage expects them, and nothing is negative."""
    tokens = found.tokens
    keys = [tuple(map(int, one)) for one in tokens[["period", "row", "kind", "value"]]]
    assert keys == sorted(set(keys))
    assert (tokens["count"] > 0).all()
    for name in ("packets", "size", "size_sq", "gaps"):
        assert (found.sums[:, :, SUM_INDEX[name]] >= 0).all(), name


@given(_seeds)
def test_software_replaces_what_the_device_itself_sends(seed: int) -> None:
    """At least one own size is another in every period; packets and what is received stay."""
    before = days()
    # One replacement: of several, a later one can undo an earlier.
    assert own_sizes(synthetic.replace_own_size(before, np.random.default_rng(seed))) != own_sizes(
        before
    )
    after = synthetic.change_software(before, np.random.default_rng(seed))
    assert_sound(after)
    packets = SUM_INDEX["packets"]
    assert (after.sums[:, :, packets] == before.sums[:, :, packets]).all()
    assert (after.sums[:, ~_SENT] == before.sums[:, ~_SENT]).all()


@given(_seeds)
def test_the_sums_go_with_a_replaced_size(seed: int) -> None:
    """The sum of sizes is that of the sizes counted."""
    after = synthetic.replace_own_size(days(), np.random.default_rng(seed))
    tokens = after.tokens[after.tokens["kind"] == TokenKind.SIZE]
    for period in range(len(after)):
        for row in (TLS_SENT, DNS_SENT):
            here = tokens[(tokens["period"] == period) & (tokens["row"] == row)]
            total = int((here["value"].astype(int) * here["count"]).sum())
            assert after.sums[period, row, SUM_INDEX["size"]] == total


@given(_seeds)
def test_settings_leave_what_opens_a_connection(seed: int) -> None:
    """First flights are the software's: no setting moves them, unless their protocol is off."""
    before = days()
    after = synthetic.change_settings(before, np.random.default_rng(seed))
    assert_sound(after)
    opening = (after.tokens["kind"] == TokenKind.FIRST_SIZE) & (after.tokens["row"] == TLS_SENT)
    first = after.tokens[opening]
    assert set(first["value"].tolist()) <= {634}


@pytest.mark.parametrize(
    "change",
    [synthetic.scale_volume, synthetic.shift_timing, synthetic.change_peers],
)
def test_use_and_peers_leave_the_devices_sizes(change: synthetic.Change) -> None:
    """Volume, timing and other machines' answers are no software of this device."""
    for seed in range(20):
        after = change(days(), np.random.default_rng(seed))
        assert_sound(after)
        assert own_sizes(after) == own_sizes(days())


def test_changes_are_seeded_and_leave_their_input_alone() -> None:
    """The same seed makes the same change; the traffic it is made from is not touched."""
    before, untouched = days(), days()
    for change in (synthetic.change_software, synthetic.change_settings):
        one, other = (change(before, np.random.default_rng(5)) for _ in range(2))
        assert (one.sums == other.sums).all()
        assert (one.tokens == other.tokens).all()
    assert (before.sums == untouched.sums).all()
    assert (before.tokens == untouched.tokens).all()

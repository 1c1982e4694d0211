"""The sample of a day's flows is just as good as the day, however the day was cut into parts."""

import numpy as np
from fwid_agent.core.flow_features import FLOW_FEATURE_INDEX
from fwid_agent.core.flow_sample import draw_marks, sample_flows
from fwid_agent.tables import merge_flow_samples
from fwid_agent.types import FLOWS_KEPT, FlowSample, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.made_flows import make_flows

CAMERA, HUB, ROUTER = 0xB0C554000001, 0xB0C554000002, 0xB0C554000003
ALL = np.array([CAMERA, 0, HUB, ROUTER], np.uint64)  # 0: a place that was given up


def samples(records: Table) -> dict[tuple[int, int], FlowSample]:
    units = np.zeros(len(records), np.int64)
    return {(mac, unit): each for mac, unit, each in sample_flows(records, ALL, units)}


def assert_same(one: FlowSample, other: FlowSample) -> None:
    assert one.seen == other.seen
    np.testing.assert_array_equal(one.marks, other.marks)
    np.testing.assert_array_equal(one.values, other.values)


@settings(max_examples=60)
@given(
    st.integers(1, 3 * FLOWS_KEPT),
    st.lists(st.integers(0, 3 * FLOWS_KEPT), max_size=5),
    st.randoms(use_true_random=False),
)
def test_parts_in_any_order_make_the_sample_of_the_whole(
    count: int, cuts: list[int], random: object
) -> None:
    """A run may store a day piece by piece, and be ended and started in between."""
    records = make_flows(count, count, opener=CAMERA, responder=ROUTER)
    whole = samples(records)[CAMERA, 0]
    pieces = np.split(records, sorted(min(cut, count) for cut in cuts))
    parts = [samples(piece)[CAMERA, 0] for piece in pieces if len(piece)]
    random.shuffle(parts)  # type: ignore[attr-defined]
    assert_same(merge_flow_samples(parts), whole)
    merged = parts[0]
    for part in parts[1:]:
        merged = merge_flow_samples([part, merged])
    assert_same(merged, whole)
    assert len(whole) == min(count, FLOWS_KEPT)
    assert whole.seen == count


def test_every_flow_is_kept_as_likely_as_any_other() -> None:
    """Neither the hour of a day nor the order of ports says whether a flow is in its sample.

    Of 100 days with 2560 flows each tenth of a day has 2560 in the samples in the mean, with a
    standard deviation of 48 (binomial, one in ten kept).
    """
    kept = np.zeros(10)
    for day in range(100):
        records = make_flows(day, 10 * FLOWS_KEPT, opener=CAMERA, responder=ROUTER)
        limit = np.sort(draw_marks(records))[FLOWS_KEPT]
        chosen = np.flatnonzero(draw_marks(records) < limit)
        kept += np.bincount(chosen * 10 // len(records), minlength=10)
    assert kept.sum() == 100 * FLOWS_KEPT
    assert np.abs(kept - 10 * FLOWS_KEPT).max() < 5 * 48


def test_a_flow_in_the_home_is_of_both_ends_as_each_sees_it() -> None:
    """What one end sends the other one receives."""
    both = samples(make_flows(1, 20, opener=CAMERA, responder=HUB))
    assert set(both) == {(CAMERA, 0), (HUB, 0)}
    out, back = (FLOW_FEATURE_INDEX[name] for name in ("bytes_out", "bytes_in"))
    opened, answered = both[CAMERA, 0].values, both[HUB, 0].values
    np.testing.assert_array_equal(opened[:, out], answered[:, back])
    np.testing.assert_array_equal(opened[:, back], answered[:, out])


def test_who_forwards_a_flow_has_no_part_in_it() -> None:
    """A router would have the flows of all devices."""
    records = make_flows(1, 20, opener=CAMERA, responder=ROUTER)
    records["far"][:, 1] = True
    assert set(samples(records)) == {(CAMERA, 0)}


def test_a_flow_is_of_the_unit_in_which_it_began() -> None:
    """Each unit has a sample of its own; nobody's flows are nobody's."""
    records = make_flows(1, 20, opener=CAMERA, responder=0xFFFFFFFFFFFF)
    units = np.repeat([0, 7], [5, 15])
    found = {unit: each.seen for _, unit, each in sample_flows(records, ALL, units)}
    assert found == {0: 5, 7: 15}
    assert not list(sample_flows(records, ALL[1:], units))
    assert not list(sample_flows(records[:0], ALL, units[:0]))

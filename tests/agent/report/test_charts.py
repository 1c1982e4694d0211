"""Where charts place what they show."""

import re
from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.report.charts import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    draw_effect,
    draw_similarity,
    draw_timeline,
    usual_bands,
)
from fwid_agent.report.model import ReportDevice, ReportVerdict
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

UNIT = ReportVerdict("2026-01-01T00:00:00.000Z", "stable", 1, "stable", 0.9, 0.1, -1.0, 1.2, (), "")
DEVICE = ReportDevice(
    mac="02:00:00:00:00:01",
    state="stable",
    version=1,
    since=UNIT.time,
    first_seen=UNIT.time,
    last_seen=UNIT.time,
    packets_sent=1,
    packets_received=1,
    randomised=True,
    verdicts=(),
)


def device_of(*units: ReportVerdict) -> ReportDevice:
    return replace(DEVICE, verdicts=units)


def days(*similarities: float | None, **changes: object) -> tuple[ReportVerdict, ...]:
    """Units on successive days."""
    return tuple(
        replace(UNIT, time=f"2026-01-{day:02}T00:00:00.000Z", similarity=value, **changes)  # type: ignore[arg-type]
        for day, value in enumerate(similarities, 1)
    )


def test_the_band_is_the_prediction_interval_of_the_stable_units_before() -> None:
    """Checked against scipy.stats; a unit never widens the band that it is held against."""
    values = (0.91, 0.93, 0.9, 0.94, 0.2)
    bands = usual_bands(days(*values))
    seen = np.array(values[:4])
    low, high = stats.t.interval(
        0.95, 3, loc=seen.mean(), scale=seen.std(ddof=1) * np.sqrt(1 + 1 / 4)
    )

    assert bands[:3] == [None, None, None]
    assert bands[4] == pytest.approx((low, high))


def test_the_band_begins_anew_with_a_version() -> None:
    """What the old software did says nothing of the new."""
    old, new = days(0.9, 0.91, 0.92, 0.93), days(0.5, 0.5, version=2)
    assert usual_bands(old + new)[4:] == [None, None]


def test_units_that_were_not_stable_do_not_widen_the_band() -> None:
    """A change must not hide the next one."""
    calm, wild = days(0.9, 0.91, 0.92), days(0.1, verdict="changed")
    assert usual_bands(calm + wild + calm)[4] == usual_bands(calm + calm)[3]


scores = st.none() | st.floats(0, 1)
effects = st.none() | st.floats(-1e6, 1e6)


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            ReportVerdict,
            st.sampled_from(["2026-01-01T00:00:00.000Z", "2026-02-01T10:00:00.000Z"]),
            st.sampled_from(["stable", "changed", "learning"]),
            st.integers(1, 3),
            st.sampled_from(["stable", "changed", "different", "insufficient"]),
            scores,
            effects,
            effects,
            effects,
            st.just(()),
            st.just(""),
        ),
        max_size=40,
    )
)
def test_everything_lies_inside_the_chart(units: list[ReportVerdict]) -> None:
    """No value, however large, is drawn over something else or comes out as no number."""
    device = device_of(*units)
    charts = [chart for chart in (draw_similarity(device), draw_effect(device)) if chart]
    for chart in charts:
        assert 2 <= len(chart.y_ticks) <= 12
        for mark in chart.marks:
            match = re.match(r"M([\d.-]+),([\d.-]+) ", mark.path)
            assert match
            assert LEFT - 8 <= float(match[1]) <= RIGHT + 8
            assert TOP - 8 <= float(match[2]) <= BOTTOM + 8
            for y in (mark.bar or (0, TOP, BOTTOM))[1:]:
                assert TOP - 0.01 <= y <= BOTTOM + 0.01
        for path in (*chart.bands, *chart.lines):
            assert "nan" not in path


def test_each_verdict_has_a_form_of_its_own() -> None:
    """Who cannot tell the colours apart sees the difference."""
    device = device_of(
        *(replace(UNIT, verdict=name) for name in ("stable", "changed", "different"))
    )
    chart = draw_similarity(device)
    assert chart is not None
    forms = [mark.path.partition(" ")[2] for mark in chart.marks]

    assert len(set(forms)) == 3


def test_a_line_ends_with_the_version() -> None:
    """Similarities to different baselines are not joined."""
    chart = draw_similarity(device_of(*days(0.9, 0.8), *days(0.7, 0.6, version=2)))
    assert chart is not None
    assert len(chart.lines) == 2


def test_the_timeline_joins_equal_neighbours() -> None:
    """Versions and states fill the axis without gaps, with the version's name in it."""
    units = days(0.9, 0.9) + days(0.5, state="changed") + days(0.9, version=2)
    timeline = draw_timeline(replace(device_of(*units), labels={2: "1.7.5"}))
    assert timeline is not None

    assert [segment.text for segment in timeline.versions] == ["1", "2 (1.7.5)"]
    assert [segment.text for segment in timeline.states] == ["stable", "changed", "stable"]
    for row in (timeline.versions, timeline.states):
        assert sum(segment.width for segment in row) == pytest.approx(RIGHT - LEFT)


def test_nothing_to_show_is_no_chart() -> None:
    """A device of which nothing is known has no empty frame."""
    silent = device_of(*days(None, g=None))
    assert draw_timeline(device_of()) is None
    assert draw_similarity(silent) is None
    assert draw_effect(silent) is None

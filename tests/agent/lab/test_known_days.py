"""Training pairs of devices that are known day by day: what may be drawn as what."""

import numpy as np
import pytest
from fwid_agent.core.periods import make_period
from fwid_agent.lab.cases import DAY_NS, Label, LabelledDevice
from fwid_agent.lab.known_days import Drawn, KnownDays

from tests.agent.core.tables import TLS_SENT, table

_SIZES = {"a": 100, "b": 102, "c": 102, "": 100}  # nobody can tell b from c


def device(days: list[Label]) -> LabelledDevice:
    """A day a label; its version decides the size of what it sends."""
    windows = table(
        [
            (day * DAY_NS, day + 1, {(TLS_SENT, 60): 9, (TLS_SENT, _SIZES[label.version]): 5})
            for day, label in enumerate(days)
        ]
    )
    return LabelledDevice("some", 1, windows, {n + 1: label for n, label in enumerate(days)})


def draw_all(known: KnownDays, seed: int = 1) -> list[Drawn]:
    rng = np.random.default_rng(seed)
    return [drawn for drawn in (known.draw(rng) for _ in range(400)) if drawn is not None]


def sizes(drawn: Drawn) -> tuple[set[int], set[int]]:
    both = (set(t.tokens["value"].tolist()) - {60} for t in (drawn.baseline, drawn.test))
    return next(both), next(both)


@pytest.fixture
def known() -> KnownDays:
    """Five days of each version, the last three of them with other settings."""
    days = [Label(v, settings=str(int(n > 1))) for v in "abc" for n in range(5)]
    found = KnownDays.of(device(days))
    assert found is not None
    return found


def test_only_versions_that_can_be_told_apart_are_drawn_as_software(known: KnownDays) -> None:
    """Two names of what looks the same would teach noise."""
    drawn = draw_all(known)
    assert {each.software for each in drawn} == {True, False, None}
    for each in drawn:
        before, after = sizes(each)
        assert (before != after) == (each.software is True)


def test_a_day_is_never_on_both_sides(known: KnownDays) -> None:
    """A baseline that holds its own test would look too much alike."""
    for each in draw_all(known):
        days = [set(t.start_ns.tolist()) for t in (each.baseline, each.test)]
        assert not days[0] & days[1]
        assert make_period(each.baseline, "day", DAY_NS).units >= 2


def test_settings_are_drawn_apart_within_a_version(known: KnownDays) -> None:
    """Those are the pairs that the network is there for."""
    settings = {day: label.settings for day, label in enumerate(known.device.labels.values())}
    for each in draw_all(known):
        if each.software is False:
            days = [{int(s) // DAY_NS for s in t.start_ns} for t in (each.baseline, each.test)]
            before, after = ({settings[day] for day in side} for side in days)
            assert before != after


def test_the_day_of_an_update_is_left_out() -> None:
    """It has both versions in it."""
    days = [Label("a")] * 4 + [Label("b", update="episode")] + [Label("b")] * 4
    known = KnownDays.of(device(days))
    assert known is not None
    assert all(4 not in units for units in known.days.values())


@pytest.mark.parametrize("days", [[Label("a")] * 5, [Label("a")] * 6 + [Label()]])
def test_a_device_that_is_not_known_well_enough_is_another_kind(days: list[Label]) -> None:
    """Its days are taken for those of one version, whichever that is."""
    assert KnownDays.of(device(days)) is None

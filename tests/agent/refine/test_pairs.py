"""Pairs at home: what is learnt from and measured on stay apart, every device has its say."""

from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.core.image import ROW_COLUMNS, still_image
from fwid_agent.core.periods import make_period
from fwid_agent.lab.cases import DAY_NS
from fwid_agent.refine import pairs as pairs_module
from fwid_agent.refine.attempt import Plan, draw_home, draw_of
from fwid_agent.refine.days import HELD_DAYS, Stretch
from fwid_agent.refine.pairs import join
from fwid_agent.types import ROW_COUNT, UnitTable


def test_half_of_the_pairs_are_software(home: list[Stretch], plan: Plan) -> None:
    """And every device has as many as it was to have, of pictures as the network takes them."""
    for stretch in home:
        learnt, held = draw_of(stretch, plan)
        for drawn, wanted in ((learnt, plan.learnt_pairs), (held, plan.held_pairs)):
            assert drawn.pictures.shape == (wanted, ROW_COUNT, len(ROW_COLUMNS))
            assert drawn.software.sum() == wanted // 2


def test_the_newest_days_are_not_learnt_from(
    home: list[Stretch], plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is measured on has to be new to the network."""
    compared: list[tuple[set[int], set[int]]] = []
    real = pairs_module._compare

    def remember(baseline: UnitTable, test: UnitTable, draw: pairs_module.Draw) -> object:
        compared.append(
            (set((baseline.start_ns // DAY_NS).tolist()), set((test.start_ns // DAY_NS).tolist()))
        )
        return real(baseline, test, draw)

    monkeypatch.setattr(pairs_module, "_compare", remember)
    stretch = home[0]
    newest = {int(day.start_ns[0]) // DAY_NS for day in stretch.days[-HELD_DAYS:]}
    draw = pairs_module.Draw(plan.prior, plan.unit_ns, np.random.default_rng(1))
    pairs_module.draw_learnt(stretch, 20, draw)
    for baseline, test in compared:
        assert not (baseline | test) & newest
        assert not baseline & test
        assert len(baseline) > 1
    compared.clear()
    pairs_module.draw_held(stretch, 20, draw)
    for baseline, test in compared:
        assert not baseline & newest
        assert test <= newest


def test_pairs_are_seeded_and_do_not_depend_on_other_devices(
    home: list[Stretch], plan: Plan
) -> None:
    """The same seed draws the same; another seed, others."""
    learnt, held = draw_home(home, plan)
    again, _ = draw_home(home[::-1], plan)
    count = plan.learnt_pairs
    assert np.array_equal(learnt.pictures[:count], again.pictures[-count:])
    assert len(held.software) == plan.held_pairs * len(home)
    other, _ = draw_home(home, replace(plan, seed=2))
    assert not np.array_equal(learnt.pictures, other.pictures)


def test_days_that_are_two_devices_are_left_out(home: list[Stretch], plan: Plan) -> None:
    """Another device's day under the address is doubted, not learnt to be alike."""
    one, other = home[0], home[1]
    mixed = Stretch(one.device, (*one.days[:-3], other.days[0], *one.days[-2:]))
    clean, swapped = draw_of(one, plan)[0], draw_of(mixed, plan)[0]
    assert clean.doubted == 0
    assert swapped.doubted > 0


def test_no_pairs_are_no_fault() -> None:
    """A household of nothing."""
    nothing = join([])
    assert nothing.pictures.shape == (0, *still_image().shape)
    assert len(nothing.software) == 0


def test_a_silent_day_makes_no_pair(home: list[Stretch], plan: Plan) -> None:
    """A day without a packet cannot be compared."""
    day = home[0].days[0]
    silent = replace(day, sums=np.zeros_like(day.sums), tokens=day.tokens[:0])
    assert make_period(silent, "day", DAY_NS).units == 0
    with pytest.raises(ValueError, match="silent"):
        Stretch(home[0].device, (silent, *home[0].days[1:]))

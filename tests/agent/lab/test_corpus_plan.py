"""The made corpus's plan: from a seed alone, with every kind of day, and nothing on two at once."""

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from fwid_agent.lab.corpus.catalogue import DEVICES, QUICK
from fwid_agent.lab.corpus.labels import Label, add_labels
from fwid_agent.lab.corpus.make import find_missing
from fwid_agent.lab.corpus.model import HOME_WIDE, CorpusError, DayPlan, Hard, Update
from fwid_agent.lab.corpus.order import Wish, choose_order, keep_order
from fwid_agent.lab.corpus.schedule import Plan, make_plan

DAYS = 20
SEEDS = (1, 2, 3)


@pytest.fixture(params=SEEDS)
def plan(request: pytest.FixtureRequest) -> Plan:
    """A full corpus's plan."""
    return make_plan(DEVICES, request.param, DAYS)


def test_a_seed_gives_its_plan_again_and_another_one_another() -> None:
    """A corpus that was ended goes on with the same plan; two seeds are two corpora."""
    assert make_plan(DEVICES, 1, DAYS) == make_plan(DEVICES, 1, DAYS)
    assert make_plan(DEVICES, 1, DAYS) != make_plan(DEVICES, 2, DAYS)


def test_every_device_changes_after_days_of_one_version(plan: Plan) -> None:
    """There is a baseline before each first change, and a change of each device."""
    for days in plan.days.values():
        changes = [day.day for day in days if day.changed]
        assert changes
        assert changes[0] >= 5
        assert [day.day for day in days] == list(range(DAYS))
        assert all(later.before == earlier.version for earlier, later in pairwise(days))


def test_the_hard_positives_are_there(plan: Plan) -> None:
    """A rollback, two changes within a week, a change in the holiday; seen and unseen updates."""
    changes = [[day for day in days if day.changed] for days in plan.days.values()]
    every = [day for each in changes for day in each]
    assert any(day.rollback for day in every)
    assert any(b.day - a.day <= 7 for each in changes for a, b in pairwise(each))
    assert any(day.hard is Hard.HOLIDAY for day in every)
    assert {day.update for day in every} == {Update.QUIET, Update.EPISODE}


def test_the_hard_negatives_are_there(plan: Plan) -> None:
    """Each kind on some day of some device, and never on the day of a change."""
    days = [day for each in plan.days.values() for day in each]
    assert {day.hard for day in days} == set(Hard)
    wrong = [day for day in days if day.changed and day.hard not in {Hard.NONE, *HOME_WIDE}]
    assert wrong == []


def test_the_home_has_its_days_together(plan: Plan) -> None:
    """A router starts anew for everybody."""
    for kind in HOME_WIDE:
        happening = {name: _days_of(days, kind) for name, days in plan.days.items()}
        assert len({tuple(days) for days in happening.values()}) == 1


def _days_of(days: tuple[DayPlan, ...], kind: Hard) -> list[int]:
    return [day.day for day in days if day.hard is kind]


def test_use_follows_what_happens(plan: Plan) -> None:
    """Nobody uses anything on holiday; doubled use is more than any usual day's."""
    by_kind: dict[Hard, list[int]] = {}
    for days in plan.days.values():
        for day in days:
            by_kind.setdefault(day.hard, []).append(len(day.use))
            assert all(0 <= part < 1 for part in (*day.use, *day.visit))
    assert set(by_kind[Hard.HOLIDAY]) | set(by_kind[Hard.IDLE]) == {0}
    usual, doubled = Counter(by_kind[Hard.NONE]), Counter(by_kind[Hard.DOUBLED])
    assert sum(doubled.elements()) / doubled.total() > sum(usual.elements()) / usual.total()


def test_settings_and_address_last(plan: Plan) -> None:
    """As people leave them."""
    for days in plan.days.values():
        for earlier, later in pairwise(days):
            assert later.settings == max(earlier.settings, later.hard is Hard.SETTINGS)
            assert later.address == max(earlier.address, later.hard is Hard.NEW_IP)


def test_the_short_corpus_has_a_change_of_each_device() -> None:
    """Two minutes are enough to see a change."""
    order = choose_order(Wish(1, None, None, (), quick=True, handshakes=True, homes=1), None)
    assert {device.name for device in order.devices} == set(QUICK)
    plan = make_plan(DEVICES, order.seed, order.days)
    assert all(any(day.changed for day in plan.days[name]) for name in QUICK)


def test_a_device_more_changes_no_other_device() -> None:
    """A corpus that was made before it may be added to."""
    fewer, all_of_them = make_plan(DEVICES[:-1], 1, DAYS), make_plan(DEVICES, 1, DAYS)
    assert all(all_of_them.days[name] == days for name, days in fewer.days.items())


def test_two_orders_never_mix_but_devices_are_added(tmp_path: Path) -> None:
    """Another seed would fill the gaps of the first one with days of another plan."""
    short = Wish(1, None, None, (), quick=True, handshakes=True, homes=1)
    keep_order(choose_order(short, tmp_path))
    keep_order(choose_order(replace(short, devices=("doorcam", "bulb")), tmp_path))
    keep_order(choose_order(replace(short, homes=4), tmp_path))
    for other in (replace(short, seed=2), replace(short, days=6), replace(short, handshakes=False)):
        with pytest.raises(CorpusError, match="holds another corpus"):
            keep_order(choose_order(other, tmp_path))
    kept = json.loads((tmp_path / "order.json").read_text())["devices"]
    assert set(kept) == {*QUICK, "bulb"}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"devices": 1}'])
def test_a_damaged_order_is_named(tmp_path: Path, text: str) -> None:
    """Nobody can say whose days these are."""
    (tmp_path / "order.json").write_text(text)
    wish = Wish(1, None, None, (), quick=True, handshakes=True, homes=1)
    with pytest.raises(CorpusError, match=r"order\.json is damaged"):
        keep_order(choose_order(wish, tmp_path))


def test_a_day_whose_capture_is_gone_is_made_again(tmp_path: Path) -> None:
    """Labels alone are nothing to read."""
    wish = Wish(1, None, None, ("clock",), quick=True, handshakes=True, homes=1)
    order = choose_order(wish, tmp_path)
    label = Label(
        *("clock", "2026-01-06.pcap.zst", "00:00:5e:00:53:12", "2026-01-06T06:00:00Z", 9.5, 20),
        *(10, "busybox 1.35", "Appliance", "system", 1, "", "", "", "", 0, 0, 6),
    )
    add_labels(tmp_path, [label])
    assert sorted(find_missing(order)) == [0, 1, 2, 3, 4]
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / label.file).touch()
    assert sorted(find_missing(order)) == [0, 2, 3, 4]

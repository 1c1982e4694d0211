"""An attempt: real flows make a model that names devices, and what is poisoned makes none worse."""

from dataclasses import replace
from functools import cache

import pytest
from fwid_agent.errors import UsageError
from fwid_agent.identify.identifier import Identifier
from fwid_agent.identify.kept import read_shipped
from fwid_agent.retrain.attempt import Tried, train_model, try_retraining
from fwid_agent.retrain.days import Household
from fwid_agent.retrain.models import Recipe, can_train
from fwid_agent.retrain.trees import Growth
from fwid_agent.types import FlowDay

from tests.agent.retrain.home import (
    categories,
    flood,
    flow_days,
    household,
    labels,
    swapped,
    worth,
)

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not can_train("tree"), reason="needs scikit-learn"),
]
FOREST = Recipe("forest", growth=Growth(trees=20))
BULB, DOORCAM = 1, 2


@cache
def used() -> Identifier:
    """The model in use: of the first eight days."""
    return attempt(household(flow_days(0, 8)), read_shipped()).model


def attempt(home: Household, before: Identifier, *, believe: bool = False) -> Tried:
    return try_retraining(home, before, FOREST, believe=believe)


def in_use_after(tried: Tried, before: Identifier) -> Identifier:
    return before if tried.fault else tried.model


@cache
def later() -> tuple[FlowDay, ...]:
    return tuple(flow_days(10, 14))


def test_files_that_begin_when_they_like_are_days_all_the_same() -> None:
    """Where each file is a unit, those of one day do not begin in the same nanosecond."""
    days = flow_days(0, 8)
    moved = [replace(day, start_ns=day.start_ns + day.device * 7_000_000_001) for day in days]
    for part in ("learnt", "held"):
        of_days, of_files = (
            [(day.device, day.start_ns) for day in getattr(household(each), part)]
            for each in (days, moved)
        )
        assert of_days == of_files != []


def test_a_first_model_names_the_homes_devices() -> None:
    """What came with the agent knows none of them; the new one is taken, and knows whom it met."""
    tried = attempt(household(flow_days(0, 8)), read_shipped())
    assert tried.fault == ""
    assert (tried.before.days, tried.all_.days) == (0, 5)  # one was silent
    assert tried.model.knows == set(labels())
    assert {known.label: known.category for known in tried.model.classes} == categories()
    assert tried.model.about.window_days == 7
    assert tried.model.about.accuracy == tried.all_.right / 5
    assert worth(tried.model, later()) >= 0.75 * len(later())


def test_a_week_later_another_takes_its_place() -> None:
    """Days are right as before, and it has learnt newer ones."""
    tried = attempt(household(flow_days(0, 10)), used())
    assert tried.fault == ""
    assert tried.after.right >= tried.before.right
    assert (tried.model.about.trained_ns or 0) > (used().about.trained_ns or 0)


def test_two_devices_under_each_others_name_make_nothing_worse() -> None:
    """Their labels are not believed: they behave as what they were before.

    Believed, they would make a model that is right by its own measure and wrong about both.
    """
    poisoned = household(flow_days(0, 10), swapped(BULB, DOORCAM))
    tried = attempt(poisoned, used())
    assert tried.home.doubted == {BULB: "doorcam", DOORCAM: "bulb"}
    before = worth(used(), later())
    assert worth(in_use_after(tried, used()), later()) >= before
    believed = attempt(poisoned, used(), believe=True)
    assert believed.fault == ""
    assert worth(believed.model, later()) < before - 4
    assert (believed.model.class_of(BULB) or used().classes[0]).label == "doorcam"


def test_a_new_name_is_a_new_name() -> None:
    """No device had it before: it is believed, and what the device was learnt as counts."""
    said = {**labels(), BULB: "lamp in the hall"}
    tried = attempt(household(flow_days(0, 10), said), used())
    assert (tried.fault, tried.home.doubted) == ("", {})
    own = tried.model.class_of(BULB)
    assert own is not None
    assert own.label == "lamp in the hall"


@pytest.mark.parametrize("times", [1, 100])
@pytest.mark.parametrize("day", [6, 8, 9])
@pytest.mark.parametrize("device", [BULB, DOORCAM])
def test_a_day_of_junk_makes_nothing_worse(device: int, day: int, times: int) -> None:
    """A hundred times the flows of a day, or as many as ever; learnt from, or measured on."""
    flooded = household(flood(flow_days(0, 10), device, day, times))
    tried = attempt(flooded, used())
    assert bool(flooded.flooded) is (times > 1)
    assert worth(in_use_after(tried, used()), later()) >= worth(used(), later())


def test_what_is_worse_is_not_taken() -> None:
    """A model that has learnt junk alone of two devices names them wrongly, and stays outside."""
    days = flow_days(0, 10)
    for day in range(9):
        days = flood(flood(days, BULB, day, 1), DOORCAM, day, 1)
    tried = attempt(household(days), used())
    assert "rightly" in tried.fault or "another's name" in tried.fault
    assert in_use_after(tried, used()) is used()


def test_nothing_is_made_of_too_little() -> None:
    """One device, or no day."""
    with pytest.raises(UsageError, match="two devices"):
        attempt(household(flow_days(0, 8), {BULB: "bulb"}), used())
    with pytest.raises(UsageError, match="two devices"):
        attempt(household(flow_days(0, 2)), used())


def test_the_same_days_give_the_same_model() -> None:
    """To the last byte: what is accepted can be made again."""
    home = household(flow_days(0, 8))
    assert train_model(home, FOREST).dump() == train_model(home, FOREST).dump()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fc", "conv1d"])
def test_networks_are_trained_without_scikit_learn(kind: str) -> None:
    """By LiteRT alone; frozen layers stay to the bit, the others learn."""
    home = household(flow_days(0, 8))
    short = Recipe(kind, share=0.3)  # type: ignore[arg-type]
    tried = try_retraining(home, read_shipped(), short)
    assert tried.fault == ""
    assert tried.all_.right >= 3
    network = tried.model.network
    assert network is not None
    again = train_model(home, replace(short, frozen=2, start=network)).network
    assert again is not None
    same = [(a == b).all() for a, b in zip(network.weights, again.weights, strict=True)]
    assert same[:4] == [True] * 4
    assert not any(same[4:])

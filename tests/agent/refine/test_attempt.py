"""An attempt to refine: better on new days or not used, whatever was done to the days before."""

from dataclasses import replace

import numpy as np
import pytest
from fwid_agent.core.evidence import SOFTWARE_LEAST
from fwid_agent.errors import StoreError, UsageError
from fwid_agent.model.manifest import model_folder
from fwid_agent.model.training import Bounds, train
from fwid_agent.pipeline.models import RowTwin, read_row_twin
from fwid_agent.pipeline.refined import Base, refined_twin
from fwid_agent.refine.attempt import Plan, Tried, draw_home, try_refining
from fwid_agent.refine.days import Stretch
from fwid_agent.refine.pairs import Pairs
from fwid_agent.refine.scores import measure
from fwid_agent.tables import merge_tables
from fwid_agent.types import ROWS, SUM_INDEX, TOKEN_DTYPE, TokenKind, UnitTable

_UDP = next(at for at, row in enumerate(ROWS) if row.direction == "sent" and row.scope == "cloud")


@pytest.fixture(scope="module")
def shipped() -> RowTwin:
    """The network that came with the agent."""
    return read_row_twin(model_folder())


def try_on(home: list[Stretch], base: Base, shipped: RowTwin, plan: Plan) -> Tried:
    return try_refining(home, base, shipped, plan)


def used_after(tried: Tried, base: Base, shipped: RowTwin) -> RowTwin:
    """The network that judges from then on."""
    return shipped if tried.fault else refined_twin(tried.refined, base)


def assert_no_worse(one: RowTwin, other: RowTwin, held: Pairs) -> None:
    """On days of which nothing was tampered with."""
    new, old = measure(one, held), measure(other, held)
    assert new.auc >= old.auc - 0.005
    assert new.alarms <= old.alarms + 1


@pytest.mark.parametrize("frozen", [1, 2, 3])
def test_what_is_used_is_no_worse_on_new_days(
    home: list[Stretch], base: Base, shipped: RowTwin, plan: Plan, frozen: int
) -> None:
    """It is better by its own measure, or the one before stays."""
    tried = try_on(home, base, shipped, replace(plan, bounds=Bounds(frozen=frozen)))
    assert len(tried.trained.losses) == Bounds().steps
    if not tried.fault:
        assert tried.after.auc > tried.before.auc
        assert tried.after.alarms <= tried.before.alarms
    _, held = draw_home(home, replace(plan, seed=99))
    assert_no_worse(used_after(tried, base, shipped), shipped, held)


def test_only_the_last_layer_moves(
    home: list[Stretch], base: Base, shipped: RowTwin, plan: Plan
) -> None:
    """The backbone is frozen."""
    tried = try_on(home, base, shipped, plan)
    first = base.network().weights()
    same = [np.array_equal(*both) for both in zip(first, tried.refined.weights, strict=True)]
    # The last layer's bias is in both embeddings, so it cancels out in their distance.
    assert same == [True] * 4 + [False, True, False, False]


def swap(home: list[Stretch], day: int) -> list[Stretch]:
    """Exchange two devices' day, as when they swap their addresses."""
    one, other = home[0], home[1]
    days = [list(each.days) for each in (one, other)]
    days[0][day], days[1][day] = days[1][day], days[0][day]
    return [Stretch(one.device, tuple(days[0])), Stretch(other.device, tuple(days[1])), *home[2:]]


def flood(day: UnitTable) -> UnitTable:
    """A day on which the device sends a thousand times as much, in every size."""
    sums, tokens = day.sums.copy(), day.tokens.copy()
    sums *= 1000
    tokens["count"] = np.minimum(tokens["count"].astype(np.int64) * 1000, 2**31)
    sums[:, _UDP, SUM_INDEX["packets"]] += 10**6
    made = np.zeros(1400, TOKEN_DTYPE)
    made["row"], made["kind"], made["count"] = _UDP, TokenKind.SIZE, 700
    made["value"] = np.arange(60, 1460)
    return merge_tables([replace(day, sums=sums, tokens=np.sort(np.concatenate([tokens, made])))])


@pytest.mark.parametrize("day", [0, -1])
def test_two_swapped_devices_spoil_nothing(
    home: list[Stretch], base: Base, shipped: RowTwin, plan: Plan, day: int
) -> None:
    """Neither among the days that are learnt from, nor among those that are measured on."""
    tried = try_on(swap(home, day), base, shipped, plan)
    assert tried.doubted > 0
    _, clean = draw_home(home, replace(plan, seed=98))
    assert_no_worse(used_after(tried, base, shipped), shipped, clean)


@pytest.mark.parametrize("day", [0, -1])
def test_a_day_of_flooding_spoils_nothing(
    home: list[Stretch], base: Base, shipped: RowTwin, plan: Plan, day: int
) -> None:
    """However loud a device is, it has as many pairs as any other."""
    days = list(home[0].days)
    days[day] = flood(days[day])
    flooded = [Stretch(home[0].device, tuple(days)), *home[1:]]
    tried = try_on(flooded, base, shipped, plan)
    _, clean = draw_home(home, replace(plan, seed=97))
    assert_no_worse(used_after(tried, base, shipped), shipped, clean)


def test_a_network_that_was_trained_astray_is_not_used(
    home: list[Stretch], base: Base, shipped: RowTwin, plan: Plan
) -> None:
    """A rate a thousand times too high, and every layer: nothing of it gets into the judge."""
    wild = replace(plan, bounds=Bounds(rate=1.0, frozen=0, steps=30))
    tried = try_on(home, base, shipped, wild)
    assert tried.after.auc < tried.before.auc or tried.after.alarms > tried.before.alarms
    assert tried.fault


def test_as_many_unchanged_days_pass_as_before(
    home: list[Stretch], base: Base, shipped: RowTwin, plan: Plan
) -> None:
    """On what was learnt from, the refined network says "software" as often as the one in use."""
    tried = try_on(home, base, shipped, plan)
    learnt, _ = draw_home(home, plan)
    alike = learnt.pictures[~learnt.software]
    passing = [
        int((twin.software(twin.distances(alike)) >= SOFTWARE_LEAST).sum())
        for twin in (shipped, refined_twin(tried.refined, base))
    ]
    assert abs(passing[0] - passing[1]) <= 1


def test_too_little_is_told(base: Base, shipped: RowTwin, plan: Plan) -> None:
    """A home that has just begun."""
    with pytest.raises(UsageError, match="nothing to refine on yet"):
        try_on([], base, shipped, plan)


def test_the_bounds_hold(home: list[Stretch], base: Base, shipped: RowTwin, plan: Plan) -> None:
    """Of time: training ends, and what is half trained is not used. Of memory: it ends at once."""
    network = base.network()
    given = np.zeros((4, *np.zeros((24, network.shapes[0][0])).shape), np.float32)
    seconds = iter(range(1000))
    told = train(
        network,
        (given, np.zeros((4, 1), np.float32)),
        Bounds(seconds=5.0),
        np.random.default_rng(1),
        lambda: float(next(seconds)),
    )
    assert not told.finished
    assert 0 < len(told.losses) < 10
    hasty = try_on(home[:2], base, shipped, replace(plan, bounds=Bounds(seconds=0.0)))
    assert hasty.fault == "the time was up"
    with pytest.raises(
        StoreError, match="than the -1 MB it may"
    ):  # what was taken before is left out
        try_on(home, base, shipped, replace(plan, bounds=Bounds(memory_bytes=-1)))

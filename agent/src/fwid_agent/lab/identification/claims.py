"""The findings of the publication, each held against a table of this study.

A finding is *confirmed* or *not confirmed* by the numbers that stand beside it, and *not testable*
where the captures have nothing that could tell. The margins are ours: half a point of F1 is no
difference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fwid_agent.lab.identification.experiments import TO_THE_END, TWO_WEEKS, Row, Table
from fwid_agent.lab.identification.networks import NETWORKS

CONFIRMED, NOT_CONFIRMED, NOT_TESTABLE = "confirmed", "not confirmed", "not testable"
_MARGIN = 0.005
_UNRELIABLE = 0.05  # of F1: so much less than a day ahead
_TREES = ("forest", "tree")
_Judged = tuple[bool | None, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """A published finding and what is found here."""

    published: str
    verdict: str
    numbers: str


def judge(tables: Mapping[str, Table]) -> tuple[Claim, ...]:
    """Judge every finding by the tables that there are."""
    result = []
    for published, needs, ask in _CLAIMS:
        held, numbers = ask(tables[needs]) if tables.get(needs) else (None, "")
        verdict = NOT_TESTABLE if held is None else CONFIRMED if held else NOT_CONFIRMED
        result.append(Claim(published, verdict, numbers))
    return tuple(result)


def mean(table: Table, column: str, **where: object) -> float:
    """Return the mean of a column over the rows that have these values; NaN where none has."""
    return _mean_of([row for row in table if _fits(row, where)], column)


def _fits(row: Row, where: Mapping[str, object]) -> bool:
    return all(
        row.get(name) in value if isinstance(value, tuple) else row.get(name) == value
        for name, value in where.items()
    )


def _mean_of(rows: Table, column: str) -> float:
    values = [row[column] for row in rows if row.get(column) is not None]
    return float(np.mean(values)) if values else float("nan")


def _above(high: float, low: float, numbers: str, margin: float = _MARGIN) -> _Judged:
    if np.isnan(high) or np.isnan(low):
        return None, ""
    return bool(high > low + margin), numbers


_WHERE = {"task": "device", "versions": "all"}


def _falls(table: Table) -> _Judged:
    near, far = (
        mean(table, "micro_f1", **_WHERE, days_ahead=ahead, train_days=7) for ahead in (1, 7)
    )
    return _above(near, far, f"7 days trained on: F1 {near:.3f} a day ahead, {far:.3f} seven ahead")


def _longer(table: Table) -> _Judged:
    short, long = (
        mean(table, "micro_f1", **_WHERE, days_ahead=7, train_days=days) for days in (1, 7)
    )
    return _above(long, short, f"seven days ahead: F1 {short:.3f} after 1 day, {long:.3f} after 7")


def _two_weeks(table: Table) -> _Judged:
    losses = {}
    for home in dict.fromkeys(row["home"] for row in table):
        rows = [row for row in table if row["home"] == home and _fits(row, _WHERE)]
        far = [row for row in rows if row["days_ahead"] == TWO_WEEKS]
        if far:
            days = max(row["train_days"] for row in far)
            best = max(
                (row for row in far if row["train_days"] == days),
                key=lambda row: float(row["micro_f1"]),
            )
            near = mean(rows, "micro_f1", model=best["model"], train_days=days, days_ahead=1)
            losses[home] = near - best["micro_f1"]
    if not losses:
        return None, ""
    told = ", ".join(f"{home} {100 * loss:.1f} points" for home, loss in losses.items())
    return bool(min(losses.values()) > _UNRELIABLE), f"what the best model loses by then: {told}"


def _trees_ahead(table: Table) -> _Judged:
    values = {row["model"]: row["micro_f1"] for row in table if row["runs_as"] == "as trained"}
    trees, networks = (
        [values[model] for model in models if model in values] for models in (_TREES, NETWORKS)
    )
    if not trees or not networks:
        return None, ""
    told = ", ".join(f"{model} {value:.3f}" for model, value in values.items())
    return bool(min(trees) > max(networks)), f"7 days trained on, all days behind: {told}"


def _networks_equal(table: Table) -> _Judged:
    values = [mean(table, "micro_f1", model=model, runs_as="as trained") for model in NETWORKS]
    if np.isnan(values).any():
        return None, ""
    apart = max(values) - min(values)
    return bool(apart < 0.02), f"they lie {100 * apart:.1f} points apart"


def _category_easier(table: Table) -> _Judged:
    device, category = (
        mean(table, "micro_f1", task=task, versions="all", days_ahead=TO_THE_END, train_days=7)
        for task in ("device", "category")
    )
    return _above(
        category, device, f"F1 of the category {category:.3f}, of the device {device:.3f}"
    )


def _one_model(table: Table) -> _Judged:
    one, many = (
        mean(table, "micro_f1", group=groups)
        for groups in (("all-device", "all-category"), ("per-device", "per-category"))
    )
    return _above(one, many, f"F1 {one:.3f} of one model, {many:.3f} of one for each")


def _idle_to_active(table: Table) -> _Judged:
    idle, active = (
        mean(table, "micro_f1", trained_on=trained, tested_on="active")
        for trained in ("idle", "active")
    )
    return _above(
        active, idle, f"on active days: F1 {idle:.3f} after idle days, {active:.3f} after active"
    )


def _local_and_foreign(table: Table, update: str, days: int) -> tuple[float, float]:
    """Return F1 in the same homes of models that were trained there, and of those that were not."""
    rows = [row for row in table if row["update"] == update and row["local_days"] == days]
    kinds = {row["model"] for row in rows if row["trained_in"] == row["tested_in"]}
    homes = {row["tested_in"] for row in rows}
    pairs = [
        (
            mean(rows, "micro_f1", model=kind, trained_in=home, tested_in=home),
            mean([row for row in rows if row["trained_in"] != home], "micro_f1",
                 model=kind, tested_in=home),
        )
        for kind in sorted(kinds)
        for home in sorted(homes)
    ]  # fmt: skip
    whole = [pair for pair in pairs if not np.isnan(pair).any()]
    if not whole:
        return float("nan"), float("nan")
    local, foreign = np.mean(whole, axis=0).tolist()
    return local, foreign


def _other_site(table: Table) -> _Judged:
    local, foreign = _local_and_foreign(table, "none", 0)
    numbers = f"in the same homes: F1 {local:.3f} of their own models, {foreign:.3f} of the other's"
    return _above(local, foreign, numbers, 0.02)


def _local_update(table: Table) -> _Judged:
    def at(update: tuple[str, ...], days: int, same: bool) -> float:
        rows = [row for row in table if row["update"] in update and row["local_days"] == days]
        return _mean_of(
            [row for row in rows if (row["trained_in"] == row["tested_in"]) is same], "micro_f1"
        )

    updated = ("added", "trained on")
    there, here = (at(updated, 7, same) - at(("none",), 0, same) for same in (False, True))
    if np.isnan(there) or np.isnan(here):
        return None, ""
    numbers = f"seven local days: {100 * there:+.1f} points there, {100 * here:+.1f} at the first"
    return bool(there > _MARGIN and here < there / 2), numbers


def _freezing(table: Table) -> _Judged:
    ratio = {
        model: mean(table, "seconds", model=model, frozen=3)
        / mean(table, "seconds", model=model, frozen=0)
        for model in NETWORKS
    }
    if np.isnan(list(ratio.values())).any():
        return None, ""
    numbers = ", ".join(f"{model} {value:.2f}" for model, value in ratio.items())
    held = max(ratio["lstm"], ratio["conv1d"]) < 0.5 < ratio["fc"]
    return bool(held), f"time with three layers frozen, of that with none: {numbers}"


def _inference(table: Table) -> _Judged:
    where = {"runs_as": "LiteRT float", "cores": 1}
    taken = {model: mean(table, "seconds", model=model, **where) for model in NETWORKS}
    if np.isnan(list(taken.values())).any():
        return None, ""
    fc, lstm, conv = (taken[model] for model in NETWORKS)
    numbers = f"100 000 flows: fc {fc:.2f} s, conv1d {conv:.2f} s, lstm {lstm:.2f} s"
    return bool(fc < conv < lstm and lstm > 2 * conv), numbers


_CLAIMS: tuple[tuple[str, str, Callable[[Table], _Judged]], ...] = (
    ("Accuracy falls with time", "horizon", _falls),
    ("A longer training window stays accurate for longer", "horizon", _longer),
    ("Nothing is reliable more than two weeks ahead", "horizon", _two_weeks),
    ("Forests and trees are slightly ahead of the networks", "costs", _trees_ahead),
    ("The networks are virtually equal", "costs", _networks_equal),
    ("The category is easier than the device", "horizon", _category_easier),
    ("One model of many classes beats many of two", "groups", _one_model),
    ("Models of idle days are not accurate on active ones", "use", _idle_to_active),
    ("Models of one test-bed are not accurate in another", "sites", _other_site),
    ("An update with local data helps at that site only", "sites", _local_update),
    ("Freezing halves the time of LSTM and Conv1D, modestly that of FC", "frozen", _freezing),
    ("In LiteRT FC is fastest, Conv1D next, LSTM far slower", "costs", _inference),
)

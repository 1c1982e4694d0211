"""The study's figures, with the publication's axes where it has such a figure."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fwid_agent.errors import UsageError
from fwid_agent.lab.identification.claims import mean
from fwid_agent.lab.identification.experiments import AHEAD, Table
from fwid_agent.lab.identification.models import KINDS, LABELS
from fwid_agent.lab.identification.study import Study

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 130
# Okabe and Ito's colours, told apart by all eyes.
_COLOURS = dict(
    zip(KINDS, ("#0072b2", "#56b4e9", "#009e73", "#d55e00", "#e69f00", "#cc79a7"), strict=True)
)
_GREY = "#777777"


def draw_figures(study: Study, folder: Path) -> list[Path]:
    """Draw a figure of each table that has one; raises UsageError where none can be written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, draw in _FIGURES.items():
            if study.tables.get(name):
                path = folder / f"{name}.png"
                draw(study.tables[name]).savefig(path, dpi=_DPI)
                written.append(path)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error.strerror or error})") from error
    return written


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # noqa: PLC0415 - research only

    return Figure((width, height), layout="constrained")


def _models(table: Table) -> list[str]:
    return [kind for kind in KINDS if any(row["model"] == kind for row in table)]


def _plain(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)


def _draw_horizon(table: Table) -> "Figure":
    """A panel a model: F1 over the days ahead, a line a training window."""
    home = table[0]["home"]
    rows = [row for row in table if row["home"] == home and row["task"] == "device"]
    models = _models(rows)
    across = min(len(models), 3)
    down = -(-len(models) // across)
    figure = _figure(2.6 * across + 1.4, 2.7 * down)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    windows = sorted({row["train_days"] for row in rows})
    shades = _shades(len(windows))
    for axes, model in zip(grid.flat, models, strict=False):
        for window, colour in zip(windows, shades, strict=True):
            f1 = [
                mean(rows, "micro_f1", model=model, versions="all", train_days=window,
                     days_ahead=ahead)
                for ahead in AHEAD
            ]  # fmt: skip
            label = f"{window} day{'s' if window > 1 else ''}"
            axes.plot(list(AHEAD), f1, color=colour, marker="o", markersize=3, label=label)
        axes.set_title(LABELS[model], fontsize=10)
        _plain(axes)
    for axes in list(grid.flat)[len(models) :]:
        axes.set_visible(False)
    for axes in grid[-1]:
        axes.set_xlabel("days ahead")
        axes.set_xticks(list(AHEAD))
    for row in grid:
        row[0].set_ylabel("F1 (micro)")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", title="trained on", frameon=False)
    return figure


def _shades(count: int) -> list[tuple[float, float, float, float]]:
    from matplotlib import colormaps  # noqa: PLC0415

    colours = colormaps["viridis"](np.linspace(0.9, 0.0, count))
    return [tuple(float(part) for part in colour) for colour in colours]  # type: ignore[misc]


def _draw_groups(table: Table) -> "Figure":
    """F1 of the four groups, a point a model."""
    groups = list(dict.fromkeys(row["group"] for row in table))
    figure = _figure(7, 3)
    axes = figure.subplots()
    _points(axes, table, groups, lambda model, group: {"model": model, "group": group})
    axes.set_ylabel("F1 (micro)")
    axes.set_ylim(top=1)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def _points(
    axes: "Axes",
    table: Table,
    groups: list[str],
    where: Callable[[str, str], dict[str, object]],
    column: str = "micro_f1",
) -> None:
    models = _models(table)
    for index, model in enumerate(models):
        heights = [mean(table, column, **where(model, group)) for group in groups]
        at = np.arange(len(groups)) + (index - (len(models) - 1) / 2) * 0.11
        style = {"color": _COLOURS[model], "marker": "o", "markersize": 6, "linestyle": ""}
        axes.plot(at, heights, label=LABELS[model], **style)  # type: ignore[arg-type]
    for place in np.arange(len(groups) - 1) + 0.5:
        axes.axvline(place, color="#dddddd", linewidth=0.6)
    axes.set_xticks(range(len(groups)), groups, fontsize=8)
    _plain(axes)


def _draw_use(table: Table) -> "Figure":
    """F1 on active and idle days by what was trained on."""
    pairs = list(dict.fromkeys((row["trained_on"], row["tested_on"]) for row in table))
    figure = _figure(7, 3)
    axes = figure.subplots()
    named = {f"{trained} → {tested}": (trained, tested) for trained, tested in pairs}

    def where(model: str, pair: str) -> dict[str, object]:
        trained, tested = named[pair]
        return {"model": model, "trained_on": trained, "tested_on": tested}

    _points(axes, table, list(named), where)
    axes.set_ylabel("F1 (micro)")
    axes.set_xlabel("days trained on → days asked about")
    axes.set_ylim(top=1)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def _draw_sites(table: Table) -> "Figure":
    """F1 in the first home and in the other one, before and after updates."""
    first = table[0]["trained_in"]
    rows = [row for row in table if row["trained_in"] == first]
    homes = list(dict.fromkeys(row["tested_in"] for row in rows))
    updates = list(dict.fromkeys((row["update"], row["local_days"]) for row in rows))
    merged = {"trained on": "added"}  # the networks' way of adding
    names = list(
        dict.fromkeys(
            "none" if not days else f"{merged.get(update, update)}\n{days} d"
            for update, days in updates
        )
    )
    figure = _figure(9, 3.2)
    for axes, home in zip(
        figure.subplots(1, len(homes), sharey=True, squeeze=False)[0], homes, strict=True
    ):

        def where(model: str, name: str, home: str = home) -> dict[str, object]:
            update, _, days = name.partition("\n")
            if not days:
                return {"model": model, "tested_in": home, "update": "none"}
            kinds = ("added", "trained on") if update == "added" else (update,)
            number = int(days.split()[0])
            return {"model": model, "tested_in": home, "update": kinds, "local_days": number}

        _points(axes, rows, names, where)
        axes.set_title(f"trained in {first}, asked in {home}", fontsize=10)
        axes.set_xlabel("update with days of the other home")
    figure.axes[0].set_ylabel("F1 (micro)")
    figure.axes[0].set_ylim(top=1)
    figure.axes[-1].legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def _draw_frozen(table: Table) -> "Figure":
    """Time of an update and F1 after it, over the layers that are frozen."""
    figure = _figure(8, 3)
    left, right = figure.subplots(1, 2)
    column = [name for name in table[0] if name.startswith("micro_f1 ")][-1]
    for model in _models(table):
        rows = [row for row in table if row["model"] == model]
        layers = [row["frozen"] for row in rows]
        style = {"color": _COLOURS[model], "marker": "o", "label": LABELS[model]}
        left.plot(layers, [row["seconds"] for row in rows], **style)
        right.plot(layers, [row[column] for row in rows], **style)
    left.set_ylabel("time of the update (s)")
    left.set_ylim(bottom=0)
    right.set_ylabel(f"F1 (micro) in {column.removeprefix('micro_f1 ')}")
    for axes in (left, right):
        axes.set_xlabel("frozen layers")
        axes.set_xticks(sorted({row["frozen"] for row in table}))
        _plain(axes)
    right.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return figure


def _draw_costs(table: Table) -> "Figure":
    """Time of inference of 100 000 flows, on a logarithmic scale."""
    rows = [row for row in table if row["seconds"] is not None][::-1]
    figure = _figure(7, 0.32 * len(rows) + 0.9)
    axes = figure.subplots()
    names = [f"{LABELS[row['model']]}, {row['runs_as']}, {_cores(row['cores'])}" for row in rows]
    colours = [_COLOURS[row["model"]] for row in rows]
    axes.barh(names, [row["seconds"] for row in rows], color=colours)
    for place, row in enumerate(rows):
        axes.text(row["seconds"] * 1.05, place, f"{row['seconds']:.2f}", va="center", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("seconds for 100 000 flows")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _cores(number: int) -> str:
    return "1 core" if number == 1 else f"{number} cores"


def _draw_certainty(table: Table) -> "Figure":
    """How often a device was known, over how certain it was said to be."""
    figure = _figure(4.6, 3.6)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1)
    for model in _models(table):
        rows = [row for row in table if row["model"] == model]
        axes.plot(
            [row["said"] for row in rows],
            [row["known"] for row in rows],
            color=_COLOURS[model],
            marker="o",
            label=LABELS[model],
        )
    axes.set_xlabel("said to be known with")
    axes.set_ylabel("was known")
    _plain(axes)
    axes.legend(frameon=False)
    return figure


def _draw_weeks(table: Table) -> "Figure":
    """Right device-days by week, a line a plan of retraining; below, how many devices changed."""
    figure = _figure(7, 4)
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    plans = list(dict.fromkeys(row["retraining"] for row in table))
    marks = dict(zip(plans, ("o", "s", "D"), strict=False))
    for plan, colour in zip(plans, ("#d55e00", "#56b4e9", "#0072b2"), strict=False):
        rows = [row for row in table if row["retraining"] == plan and row["days"]]
        for column, style in (("right_share", "-"), ("likeliest_share", ":")):
            top.plot(
                [row["week"] for row in rows],
                [100 * row[column] for row in rows],
                style, color=colour, marker=marks[plan], markersize=4,
                label=plan if style == "-" else None,
            )  # fmt: skip
    top.set_ylabel("device-days (%)")
    top.set_ylim(top=101)
    top.plot([], [], ":", color=_GREY, label="likeliest, were it a known one")
    top.legend(title="retraining", frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    first = [row for row in table if row["retraining"] == plans[0]]
    below.bar([row["week"] for row in first], [row["changes"] for row in first], color=_GREY)
    below.set_ylabel("updates")
    below.set_xlabel("week")
    for axes in (top, below):
        _plain(axes)
    return figure


_FIGURES: dict[str, Callable[[Table], "Figure"]] = {
    "horizon": _draw_horizon,
    "groups": _draw_groups,
    "use": _draw_use,
    "sites": _draw_sites,
    "frozen": _draw_frozen,
    "costs": _draw_costs,
    "certainty": _draw_certainty,
    "weeks": _draw_weeks,
}

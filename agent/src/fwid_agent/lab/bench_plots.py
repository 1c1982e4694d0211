"""The bench's results as pictures."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import Any

from fwid_agent.errors import UsageError
from fwid_agent.lab.bench_misses import (
    draw_false_alarms,
    draw_misses,
    find_false_alarms,
    find_misses,
)
from fwid_agent.lab.bench_record import drift_counts
from fwid_agent.lab.bench_run import Bench
from fwid_agent.lab.bench_tables import RowTable, Tables, visible_changes
from fwid_agent.lab.drift import What
from fwid_agent.lab.methods import DEFAULT

_DPI = 120
_SIZE = (8.0, 5.5)  # inches
_BLUE, _RED, _GREY = "#1f5fa8", "#b3402a", "#8a8a8a"
# Told apart in grey too, and by people who see colours otherwise: colour and dashes both differ.
_LINES = (
    ("#d98c00", "--"),
    ("#8a8a8a", ":"),
    ("#5a9e57", "-."),
    ("#7b5ea7", "--"),
    ("#b3402a", ":"),
    ("#3d9da3", "-."),
    ("#333333", "--"),
)


def draw_plots(bench: Bench, tables: Tables, folder: Path) -> list[Path]:
    """Draw what there is to draw into a folder, which is made; returns the files.

    Raises UsageError where matplotlib is not installed.
    """
    try:
        import_module("matplotlib").use("Agg")
        plt: Any = import_module("matplotlib.pyplot")
    except ImportError:
        raise UsageError("plots need the lab extra: install fwid-agent[lab]") from None
    folder.mkdir(parents=True, exist_ok=True)
    default = next(row for row in tables.rows if row.row == DEFAULT)
    drawn: Mapping[str, Callable[[Any], bool]] = {
        "roc.png": lambda axes: _draw_roc(axes, tables.rows, default),
        "delays.png": lambda axes: _draw_delays(axes, bench, default),
        "hard_days.png": lambda axes: _draw_hard_days(axes, default),
        "drift.png": lambda axes: _draw_drift(axes, drift_counts(bench)),
        "misses.png": lambda axes: draw_misses(axes, find_misses(bench.folds)),
        "false_alarms.png": lambda axes: draw_false_alarms(axes, find_false_alarms(bench.folds)),
    }
    files = []
    for name, draw in drawn.items():
        figure, axes = plt.subplots(figsize=_SIZE, layout="constrained")
        if draw(axes):
            axes.spines[["top", "right"]].set_visible(False)
            figure.savefig(folder / name, dpi=_DPI, metadata={"Software": None})
            files.append(folder / name)
        plt.close(figure)
    return files


def _draw_roc(axes: Any, rows: Sequence[RowTable], default: RowTable) -> bool:  # noqa: ANN401
    """Draw what each row tells at the most where no more than so many alarms are false."""
    alarms, told = default.noticed.alarms, default.noticed.told
    if not told.total or not alarms.time:
        return False
    lines = iter(_LINES)
    for row in rows:
        whole = row is default
        colour, style = (_BLUE, "-") if whole else next(lines, (_GREY, "-"))
        rates, shares = _envelope(row)
        axes.plot(
            rates,
            shares,
            style,
            color=colour,
            linewidth=2.5 if whole else 1.3,
            drawstyle="steps-post",
            label=row.row,
        )
    axes.plot(
        alarms.events / alarms.time,
        told.hits / told.total,
        "D",
        color=_BLUE,
        markersize=8,
        clip_on=False,
        zorder=5,
        label="default, as it is set",
    )
    _scale(axes)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("false alarms a device-year")
    axes.set_ylabel("share of the visible changes told")
    axes.set_title("What is told, and how often in vain, as thresholds move")
    axes.legend(fontsize=8, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)
    return True


def _scale(axes: Any) -> None:  # noqa: ANN401
    """Let the horizontal axis be logarithmic from 1 on, and begin with 0."""
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(left=0)
    axes.set_xticks([0, 1, 10, 100], ["0", "1", "10", "100"])


def _envelope(row: RowTable) -> tuple[list[float], list[float]]:
    points = sorted(
        (point.alarms.events / point.alarms.time, point.told.hits / point.told.total)
        for point in row.curve
        if point.alarms.time and point.told.total
    )
    best = accumulate((share for _, share in points), max)
    return [rate for rate, _ in points], list(best)


def _draw_delays(axes: Any, bench: Bench, default: RowTable) -> bool:  # noqa: ANN401
    visible = visible_changes(bench.folds)
    delays = [
        change.told_after
        for fold in bench.folds
        for each in fold.watched
        if each.row == default.row
        for change in each.outcome.changes
        if visible.get((each.outcome.device, change.day), False)
    ]
    told = [delay for delay in delays if delay is not None]
    if not delays:
        return False
    last = max(told, default=1)
    days = range(1, last + 1)
    axes.bar(list(days), [told.count(day) for day in days], color=_BLUE, width=0.8)
    axes.bar([last + 2], [len(delays) - len(told)], color=_RED, width=0.8)
    axes.set_xticks([*days, last + 2], [*(str(day) for day in days), "never"])
    axes.set_xlabel("days until the change was told, its first day included")
    axes.yaxis.get_major_locator().set_params(integer=True)
    axes.set_ylabel("visible changes")
    axes.set_title("How soon the default detector tells a change")
    return True


def _draw_hard_days(axes: Any, default: RowTable) -> bool:  # noqa: ANN401
    rates = [(name, rate) for name, rate in default.noticed.alarms_by_hard.items() if rate.time]
    if not rates:
        return False
    rates.sort(key=lambda item: item[1].events / item[1].time)
    for number, (_, rate) in enumerate(rates):
        low, high = rate.interval()
        value = rate.events / rate.time
        axes.plot([low, high], [number, number], color=_GREY, linewidth=2, solid_capstyle="butt")
        axes.plot(value, number, "o", color=_RED if rate.events else _BLUE, markersize=6)
    axes.set_yticks(
        range(len(rates)), [f"{name} ({rate.events} in {rate.time:.0f})" for name, rate in rates]
    )
    axes.set_xlim(left=0)
    axes.set_xlabel("false alarms a device-day, with the exact Poisson interval (95 %)")
    axes.set_title("False alarms by what happened on the day")
    return True


def _draw_drift(axes: Any, lines: Sequence[Mapping[str, Any]]) -> bool:  # noqa: ANN401
    if not lines:
        return False
    for what, colour in ((What.SIZE, _BLUE), (What.VOLUME, _RED)):
        here = [line for line in lines if line["what"] == what]
        speeds = [100 * line["speed"] for line in here]
        for word, style in (("alarmed", "-o"), ("different", ":s")):
            share = [line[word].hits / max(line[word].total, 1) for line in here]
            name = "told as a change" if word == "alarmed" else "told to behave differently"
            axes.plot(speeds, share, style, color=colour, markersize=5, label=f"{what}: {name}")
    _scale(axes)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("share that moves in a day, %")
    axes.set_ylabel("share of the devices")
    axes.set_title("Slow drift, simulated")
    axes.legend(fontsize=8, frameon=False)
    return True

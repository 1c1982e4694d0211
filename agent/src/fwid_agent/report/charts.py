"""Geometry of the page's charts: values to places in a drawing; the template draws them.

Units stand side by side in their order, at equal distances: weeks without a capture would
otherwise press days together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

import numpy as np
from scipy.special import stdtrit

from fwid_agent.report.model import ReportDevice, ReportVerdict

WIDTH, HEIGHT = 560.0, 210.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, WIDTH - 12.0, 12.0, HEIGHT - 28.0
_COVERAGE = 0.95
_FEWEST_FOR_BAND = 3
_MOST_TICKS = 5
_LETTER = 8.5  # width of a letter, at most
_MARK = 4.5  # radius of a mark
_Label = TypeVar("_Label", int, str)


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis and what stands there."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """One unit: an outline for SVG's `path`, what kind it is, and what it says on pointing."""

    path: str
    kind: str
    text: str
    bar: tuple[float, float, float] | None = None  # x, and from where to where it reaches


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart of units over time; places are in units of the drawing."""

    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    lines: tuple[str, ...]  # one `path` a version
    bands: tuple[str, ...]
    summary: str  # for those who cannot see it
    zero: float | None = None  # where 0 lies, where it is worth a line


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring units that have something in common."""

    x: float
    width: float
    kind: str
    text: str

    @property
    def shown(self) -> str:
        """The text as far as there is room for it."""
        room = int(self.width / _LETTER)
        return self.text if len(self.text) <= room else f"{self.text[: room - 1]}…" * (room > 2)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Versions and states over time."""

    versions: tuple[Segment, ...]
    states: tuple[Segment, ...]
    x_ticks: tuple[Tick, ...]
    summary: str


def draw_similarity(device: ReportDevice) -> Chart | None:
    """Place each unit's similarity, and the band in which 95 % of stable units lie."""
    units = device.verdicts
    known = [(i, unit.similarity) for i, unit in enumerate(units) if unit.similarity is not None]
    if not known:
        return None
    bands = usual_bands(units)
    values = [value for _, value in known]
    edges = [edge for band in bands if band for edge in band]
    scale = _scale(min([*values, *edges]), max([*values, *edges]), within=(0.0, 1.0))
    xs = _places(len(units))
    marks = tuple(
        Mark(
            _outline(units[i].verdict, xs[i], scale.place(value)),
            units[i].verdict,
            f"{_day(units[i])}: similarity {value:.3f}, {units[i].verdict}",
        )
        for i, value in known
    )
    runs = [list(run) for _, run in groupby(known, lambda each: units[each[0]].version)]
    lines = tuple(
        "M" + " L".join(f"{xs[i]:.1f},{scale.place(value):.1f}" for i, value in run)
        for run in runs
        if len(run) > 1
    )
    summary = (
        f"Similarity of {len(known)} units to the baseline, from {min(values):.3f} to "
        f"{max(values):.3f}; the latest is {values[-1]:.3f}."
    )
    return Chart(
        marks, _dates(units, xs), scale.ticks(), lines, _outlines(bands, xs, scale), summary
    )


def draw_effect(device: ReportDevice) -> Chart | None:
    """Place each unit's g with its interval."""
    units = device.verdicts
    known = [
        (i, g, g if unit.g_low is None else unit.g_low, g if unit.g_high is None else unit.g_high)
        for i, unit in enumerate(units)
        if (g := unit.g) is not None
    ]
    if not known:
        return None
    values = [0.0, *(g for _, g, _, _ in known)]
    # Few units have intervals so wide that nothing else could be read: they are cut.
    spread = max(max(values) - min(values), 1.0)
    low = max(min(*values, *(reach for _, _, reach, _ in known)), min(values) - spread)
    high = min(max(*values, *(reach for *_, reach in known)), max(values) + spread)
    scale = _scale(low, high)
    xs = _places(len(units))
    marks = tuple(
        Mark(
            _outline(units[i].verdict, xs[i], scale.place(g)),
            units[i].verdict,
            f"{_day(units[i])}: g = {g:.2f} ({g_low:.2f} to {g_high:.2f}), {units[i].verdict}",
            (xs[i], scale.place(scale.clip(g_high)), scale.place(scale.clip(g_low))),
        )
        for i, g, g_low, g_high in known
    )
    summary = (
        f"Hedges' g of {len(known)} units, from {min(values[1:]):.2f} to {max(values[1:]):.2f}; "
        f"the latest is {values[-1]:.2f}. Above 0 a unit is less alike than the baseline is."
    )
    return Chart(marks, _dates(units, xs), scale.ticks(), (), (), summary, scale.place(0.0))


def draw_timeline(device: ReportDevice) -> Timeline | None:
    """Place the versions and the states."""
    units = device.verdicts
    if not units:
        return None
    xs = _places(len(units))
    versions = [
        Segment(x, width, f"v{version % 4}", device.name_version(version))
        for version, x, width in _segments([unit.version for unit in units])
    ]
    states = [
        Segment(x, width, state, state)
        for state, x, width in _segments([unit.state for unit in units])
    ]
    order = ", then ".join(segment.text for segment in versions)
    summary = f"{len(units)} units; version {order}; now {device.state}."
    return Timeline(tuple(versions), tuple(states), _dates(units, xs), summary)


def usual_bands(units: Sequence[ReportVerdict]) -> list[tuple[float, float] | None]:
    """Return, for each unit, where 95 % of units lie if it is as the stable ones before it.

    The prediction interval of one more value, from the stable units of the same version so far;
    None where there are fewer than three.
    """
    bands: list[tuple[float, float] | None] = []
    seen: dict[int, list[float]] = {}
    for unit in units:
        before = np.array(seen.setdefault(unit.version, []))
        bands.append(_predict(before) if len(before) >= _FEWEST_FOR_BAND else None)
        if unit.similarity is not None and unit.verdict == "stable":
            seen[unit.version].append(unit.similarity)
    return bands


def _predict(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    count = len(values)
    reach = stdtrit(count - 1, 0.5 + _COVERAGE / 2) * values.std(ddof=1) * np.sqrt(1 + 1 / count)
    mean = float(values.mean())
    return max(mean - float(reach), 0.0), min(mean + float(reach), 1.0)


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    step: float

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return BOTTOM - share * (BOTTOM - TOP)

    def clip(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def ticks(self) -> tuple[Tick, ...]:
        first = int(np.ceil(self.low / self.step - 1e-9))
        last = int(np.floor(self.high / self.step + 1e-9))
        digits = max(0, -int(np.floor(np.log10(self.step))))
        return tuple(
            Tick(self.place(number * self.step), f"{number * self.step:.{digits}f}")
            for number in range(first, last + 1)
        )


def _scale(low: float, high: float, within: tuple[float, float] | None = None) -> _Scale:
    """Return a scale with round ticks that holds both values with some room around them."""
    room = max(high - low, 0.05) * 0.1
    low, high = low - room, high + room
    if within:
        low, high = max(low, within[0]), min(high, within[1] + room / 4)
    rough = (high - low) / 5
    magnitude = 10.0 ** np.floor(np.log10(rough))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= rough)
    return _Scale(low, high, float(step))


def _places(count: int) -> list[float]:
    width = (RIGHT - LEFT) / max(count, 1)
    return [LEFT + width * (index + 0.5) for index in range(count)]


def _day(unit: ReportVerdict) -> str:
    return unit.time[:10]


def _dates(units: Sequence[ReportVerdict], xs: Sequence[float]) -> tuple[Tick, ...]:
    """Return the date below the first unit of some days, as many as can be read."""
    firsts = [i for i in range(len(units)) if i == 0 or _day(units[i]) != _day(units[i - 1])]
    every = -(-len(firsts) // _MOST_TICKS)
    apart = (RIGHT - LEFT) / (_MOST_TICKS + 1)
    ticks: list[Tick] = []
    for i in firsts[::every]:
        at = min(max(xs[i], LEFT + 34), RIGHT - 34)
        if not ticks or at - ticks[-1].at >= apart:
            ticks.append(Tick(at, _day(units[i])))
    return tuple(ticks)


def _segments(labels: Sequence[_Label]) -> list[tuple[_Label, float, float]]:
    """Return each run of equal labels with its left edge and its width."""
    unit = (RIGHT - LEFT) / len(labels)
    found: list[tuple[_Label, float, float]] = []
    begin = 0
    for label, run in groupby(labels):
        count = len(list(run))
        found.append((label, LEFT + unit * begin, unit * count))
        begin += count
    return found


def _outlines(
    bands: Sequence[tuple[float, float] | None], xs: Sequence[float], scale: _Scale
) -> tuple[str, ...]:
    """Return the outline of each unbroken stretch of the band."""
    outlines: list[str] = []
    for known, run in groupby(range(len(bands)), lambda i: bands[i] is not None):
        places = [(xs[i], *band) for i in run if (band := bands[i])]
        if known and len(places) > 1:
            above = [f"{x:.1f},{scale.place(high):.1f}" for x, _, high in places]
            below = [f"{x:.1f},{scale.place(low):.1f}" for x, low, _ in reversed(places)]
            outlines.append("M" + " L".join(above + below) + " Z")
    return tuple(outlines)


def _outline(kind: str, x: float, y: float) -> str:
    """Return a mark whose form alone, without its colour, says what was decided."""
    r = _MARK
    if kind == "changed":  # a diamond
        edge = 1.4 * r
        return f"M{x:.1f},{y - edge:.1f} l{edge},{edge} l-{edge},{edge} l-{edge},-{edge} Z"
    if kind == "different":  # a triangle
        return f"M{x:.1f},{y - 1.2 * r:.1f} l{1.2 * r},{2 * r} h{-2.4 * r} Z"
    return f"M{x - r:.1f},{y:.1f} a{r},{r} 0 1 0 {2 * r},0 a{r},{r} 0 1 0 {-2 * r},0 Z"

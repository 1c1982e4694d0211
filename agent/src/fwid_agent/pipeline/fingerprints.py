"""A device's fingerprint before and after, and what differs, as pictures."""

from collections.abc import Sequence

import numpy as np

from fwid_agent.core.image import (
    AS_ALWAYS,
    GLOBAL_COLUMNS,
    GlobalScaler,
    global_image,
    measure_columns,
    relative_image,
)
from fwid_agent.core.scan import Watch
from fwid_agent.model.manifest import model_folder, read_manifest
from fwid_agent.report.model import ReportPicture
from fwid_agent.report.pictures import (
    DIFFERENCE,
    GREY,
    Axes,
    render_picture,
    select_rows,
    speaking_rows,
)
from fwid_agent.report.words import PROTOCOL_NAMES
from fwid_agent.tables import select_periods
from fwid_agent.types import F8, ROWS, U1, Bools, Event, UnitTable, format_mac, format_time

# Of a column's range over all devices: a smaller spread of one device is not shown as certain.
_FLOOR_SHARE = 0.05
_ROWS_TOLD = 5
_AXES = Axes(
    tuple(
        f"{PROTOCOL_NAMES[row.protocol]} {row.direction}{', cloud' * (row.scope == 'cloud')}"
        for row in ROWS
    ),
    tuple(
        name.replace("_", " ").replace("ttl", "TTL").replace("syn", "SYN").replace("mss", "MSS")
        for name in GLOBAL_COLUMNS
    ),
    "protocol and direction",
    "statistic, header value, packet size (hashed into columns)",
)


def draw_fingerprints(watch: Watch, events: Sequence[Event]) -> tuple[ReportPicture, ...]:
    """Draw the traffic of two periods of a device and their difference.

    The periods are those of the last two versions; of one version, the suspicious or else the
    newest unit against the others. Empty where there is only one unit.
    """
    found = _periods(watch, events)
    if found is None:
        return ()
    (before_name, before), (after_name, after) = found
    scale = read_manifest(model_folder()).scale
    scaler = GlobalScaler(scale.low, scale.high)
    measured, mean_after = measure_columns(before), _mean(measure_columns(after))
    floor = (np.array(scale.high) - np.array(scale.low)) * _FLOOR_SHARE
    images = {
        "before": global_image(_mean(measured), scaler)[0],
        "after": global_image(mean_after, scaler)[0],
        "difference": relative_image(mean_after, measured, np.maximum(floor, 1e-6))[0],
    }
    kept = speaking_rows([images["before"], images["after"]], silent=0)
    titles = {
        "before": f"Before: {before_name}",
        "after": f"After: {after_name}",
        "difference": "Difference, in steps of the device's own spread",
    }
    device = format_mac(watch.state.device)
    dates = {"before": _dates(before), "after": _dates(after)}
    dates["difference"] = f"{dates['before']} and {dates['after']}"
    return tuple(
        ReportPicture(
            name,
            render_picture(
                *select_rows(image, _AXES, kept),
                f"{device}, {dates[name]}. {titles[name]}",
                DIFFERENCE if name == "difference" else GREY,
            ),
            titles[name],
            _describe(titles[name], image, kept, AS_ALWAYS if name == "difference" else None),
        )
        for name, image in images.items()
    )


def _periods(watch: Watch, events: Sequence[Event]) -> list[tuple[str, UnitTable]] | None:
    """Choose what to show, with its name: before, and after."""
    running = watch.baseline
    if running is None:
        return None
    version = watch.state.version
    if watch.waiting is not None:
        return [(f"version {version}", running), ("units that wait for a decision", watch.waiting)]
    for event in reversed(events):
        before = watch.earlier.get(event.from_version or 0)
        if before is not None and event.to_version != event.from_version:
            names = f"version {event.from_version}", f"version {event.to_version}"
            return [(names[0], before), (names[1], running)]
    by_day = len(np.unique(running.start_ns)) > 1
    labels = running.start_ns if by_day else running.session.astype(np.int64)
    newest = labels == labels[-1]
    if newest.all():
        return None
    before, after = (select_periods(running, np.flatnonzero(part)) for part in (~newest, newest))
    day = format_time(int(after.start_ns[0]))[:10]
    return [(f"version {version} until then", before), (f"version {version}, {day}", after)]


def _dates(table: UnitTable) -> str:
    """Say from when to when there was traffic."""
    first, last = (format_time(int(ns))[:10] for ns in (table.start_ns.min(), table.start_ns.max()))
    return first if first == last else f"{first} to {last}"


def _mean(measured: F8) -> F8:
    """Return the mean over periods [1, rows, columns], NaN where all were silent."""
    known = np.isfinite(measured)
    count = known.sum(axis=0, keepdims=True)
    total = np.where(known, measured, 0).sum(axis=0, keepdims=True)
    mean: F8 = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _describe(title: str, image: U1, kept: Bools, usual: int | None) -> str:
    """Say what a picture shows: which rows speak, or which cells differ most."""
    if usual is None:
        names = ", ".join(_AXES.rows[row] for row in np.flatnonzero((image != 0).any(axis=1)))
        return f"{title}. Rows with traffic: {names}."
    apart = np.abs(image.astype(int) - usual) * kept[:, None]
    cells = []
    for row in np.argsort(-apart.max(axis=1), kind="stable")[:_ROWS_TOLD]:
        column = int(apart[row].argmax())
        if apart[row, column]:
            way = "up" if image[row, column] > usual else "down"
            cells.append(f"{_AXES.rows[row]}: {_AXES.columns[column]} {way}")
    return f"{title}. Most different: {'; '.join(cells) or 'nothing'}."

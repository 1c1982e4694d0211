"""The bench's tables in Markdown, as the documentation shows them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fwid_agent.lab.bench_misses import find_false_alarms, find_misses
from fwid_agent.lab.bench_record import drift_counts
from fwid_agent.lab.bench_run import Bench
from fwid_agent.lab.bench_tables import RowTable, Tables
from fwid_agent.lab.counting import Count, Rate
from fwid_agent.lab.evaluate import MethodResult, summarise
from fwid_agent.lab.fold_run import FoldResult
from fwid_agent.lab.methods import DEFAULT
from fwid_agent.lab.noticed import Noticed

WORDS = "tables.md"
GOAL_RATE, GOAL_TOLD, GOAL_DAYS = 0.1, 0.95, 2.0
_NONE = "–"


def write_words(bench: Bench, tables: Tables | None, folder: Path) -> Path:
    """Write all tables into a folder that is there; returns the file."""
    file = folder / WORDS
    file.write_text("\n\n".join(list_parts(bench, tables)) + "\n")
    return file


def list_parts(bench: Bench, tables: Tables | None) -> Iterator[str]:
    """Yield each table with what stands before it."""
    yield _about(bench)
    if tables is not None:
        default = next(row for row in tables.rows if row.row == DEFAULT)
        yield _goals(default, tables)
        yield _rows(tables.rows)
        yield _groups(tables)
        yield _kinds(default)
        yield _hard_days(default)
        yield _images(tables)
        yield _devices(default)
        if find_false_alarms(bench.folds) or find_misses(bench.folds):
            yield _worst(bench.folds)
        if tables.simulated is not None:
            yield f"**Simulated:** {_alarms(tables.simulated)}."
        lines = drift_counts(bench)
        if lines:
            yield _drift(lines)
    seed = bench.header.seed
    for words, folds in (
        ("held out by family", bench.folds),
        ("trained on other corpora only", bench.transfers),
    ):
        results = summarise([each for fold in folds for each in fold.dates], seed)
        for protocol in dict.fromkeys(result.protocol for result in results):
            chosen = [result for result in results if result.protocol == protocol]
            yield f"**Cases by {protocol}**, {words}:\n\n{_methods(chosen)}"


def _about(bench: Bench) -> str:
    header = bench.header
    corpora = ", ".join(f"{name} `{digest[:12]}`" for name, digest in header.corpora.items())
    versions = ", ".join(f"{name} {version}" for name, version in header.versions.items())
    read = "with handshakes" if header.handshakes else "headers only"
    return (
        f"Seed {header.seed}, {header.learning} days learnt, {header.rate:g} false alarms a "
        f"device-year aimed at, {read}, models {header.models}. Corpora, with the first digits of "
        f"their SHA-256: {corpora}. {versions}."
    )


def _goals(default: RowTable, tables: Tables) -> str:
    noticed = default.noticed
    told = noticed.told
    alarms = noticed.alarms
    updates, others = noticed.updates
    lines = [
        (
            "false alarms",
            _alarms(alarms),
            f"{GOAL_RATE:g} a device-year",
            _met(
                alarms.events <= GOAL_RATE * alarms.time,
                shown=alarms.interval()[1] <= GOAL_RATE,
                counted=alarms.time > 0,
            ),
        ),
        (
            "visible changes told",
            _count(told),
            f"{100 * GOAL_TOLD:.0f} %",
            _met(
                told.hits >= GOAL_TOLD * told.total,
                shown=told.interval()[0] >= GOAL_TOLD,
                counted=told.total > 0,
            ),
        ),
        (
            "after",
            _delay(noticed),
            f"{GOAL_DAYS:g} days in the median",
            _met(
                noticed.delay_median is not None and noticed.delay_median <= GOAL_DAYS,
                shown=True,
                counted=told.total > 0,
            ),
        ),
        ("updates told as they happen, of days with a visible one", _count(updates), _NONE, ""),
        ("and of all other days", _count(others), _NONE, ""),
        ("changes told that the oracle does not see", _count(noticed.told_invisible), _NONE, ""),
        ("of them, with too few days for an oracle", _count(tables.too_few), _NONE, ""),
    ]
    return f"**The default detector**, {noticed.devices} devices:\n\n" + _table(
        ("", "reached", "goal", ""),
        lines,
    )


def _met(met: bool, *, shown: bool, counted: bool) -> str:
    """Say whether a goal is reached; a figure whose interval goes beyond the goal shows nothing."""
    if not counted:
        return "not asked"
    if not met:
        return "**missed**"
    return "yes" if shown else "not missed, for all that so few can show"


def _worst(folds: Sequence[FoldResult]) -> str:
    """List what went wrong: what an alarm was about, or a change nobody was told of."""
    cases = [("false alarm", case) for case in find_false_alarms(folds)]
    cases += [("missed change", case) for case in find_misses(folds)]
    return "**The worst cases:**\n\n" + _table(
        ("", "device", "day", "what happened", "highest score from then on, 1 is the threshold"),
        [
            (kind, case.device, str(case.day + 1), case.what or "nothing", f"{case.highest:.2f}")
            for kind, case in cases
        ],
    )


def _rows(rows: Sequence[RowTable]) -> str:
    return "**Every detector on the same days and cases:**\n\n" + _table(
        (
            "detector",
            "stable cases right",
            "changed found",
            "visible ones",
            "AUC",
            "false alarms",
            "visible changes told",
            "days",
            "told at the default's alarms",
        ),
        [
            (
                f"**{row.row}**" if row.row == DEFAULT else row.row,
                _count(row.stable),
                _short(row.changed),
                _count(row.changed_visible),
                f"{row.auc:.2f}".removeprefix("0"),
                _alarms(row.noticed.alarms),
                _count(row.noticed.told),
                _delay(row.noticed),
                _short(row.told_at_default),
            )
            for row in rows
        ],
    )


def _groups(tables: Tables) -> str:
    kinds = tables.kinds
    groups: Mapping[str, Noticed] = {
        **{f"corpus {name}": each for name, each in kinds.by_corpus.items()},
        **{f"units of {length:g} days": each for length, each in kinds.by_length.items()},
        **{
            f"judged: {name}; trained on the other corpora": each
            for name, each in tables.transfers.items()
        },
    }
    return "**The default by corpus, by length of a unit, and trained elsewhere:**\n\n" + _table(
        ("", "false alarms", "visible changes told", "days"),
        [
            (name, _alarms(each.alarms), _count(each.told), _delay(each))
            for name, each in groups.items()
        ],
    )


def _kinds(default: RowTable) -> str:
    words = {"quiet": "over night, unseen", "episode": "with a visible update", "": "unknown"}
    kinds = {**default.noticed.by_change, **default.noticed.by_update}
    return "**Visible changes by kind:**\n\n" + _table(
        ("", "told"), [(words.get(name, name), _count(each)) for name, each in kinds.items()]
    )


def _hard_days(default: RowTable) -> str:
    return "**Days of one version:**\n\n" + _table(
        ("", "days", "false alarms"),
        [
            (name, f"{each.time:.0f}", str(each.events))
            for name, each in default.noticed.alarms_by_hard.items()
        ],
    )


def _images(tables: Tables) -> str:
    return "**The default by days in a verdict** (cases):\n\n" + _table(
        ("days", "stable cases right", "changed found", "visible ones"),
        [
            (str(images), *(_count(count) for count in counts))
            for images, counts in tables.kinds.by_images.items()
        ],
    )


def _devices(default: RowTable) -> str:
    low, high = default.stable_by_device
    return (
        "**The default by device** (cases; bootstrap by device of the stable ones: "
        f"{100 * low:.0f} to {100 * high:.0f} %):\n\n"
        + _table(
            ("device", "stable cases right", "changed found"),
            [
                (device, _count(stable), _count(changed))
                for device, (stable, changed) in default.per_device.items()
            ],
        )
    )


def _drift(lines: Sequence[Mapping[str, Any]]) -> str:
    return "**Slow drift, simulated:**\n\n" + _table(
        ("what", "share a day", "told as a change", "told to behave differently", "days, median"),
        [
            (
                str(line["what"]),
                f"{100 * line['speed']:g} %",
                _short(line["alarmed"]),
                _short(line["different"]),
                _NONE if line["days_median"] is None else str(line["days_median"]),
            )
            for line in lines
        ],
    )


def _methods(results: Sequence[MethodResult]) -> str:
    return _table(
        ("method", "stable called so", "changes found", "unverified called stable", "mixed", "AUC"),
        [
            (
                f"**{result.method}**" if result.method == DEFAULT else result.method,
                _count(result.stable),
                _count(result.changed),
                _count(result.unverified),
                _short(result.mixed),
                f"{result.auc:.2f}",
            )
            for result in results
        ],
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _count(count: Count) -> str:
    if not count.total:
        return "0/0"
    low, high = count.interval()
    return f"{count.hits}/{count.total} ({100 * low:.0f}–{100 * high:.0f} %)"


def _short(count: Count) -> str:
    return f"{count.hits}/{count.total}"


def _alarms(rate: Rate) -> str:
    low, high = rate.interval()
    return f"{rate.events} in {rate.time * 365.25:.0f} days ({low:.2g} to {high:.3g} a device-year)"


def _delay(noticed: Noticed) -> str:
    if noticed.delay_median is None or noticed.delay_90 is None:
        return _NONE
    return f"{noticed.delay_median:.2g}, 90 %: {noticed.delay_90:.2g}"

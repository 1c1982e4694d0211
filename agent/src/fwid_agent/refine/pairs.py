"""Pairs at home: a device's own days are alike as they are, unlike with made-up software.

No version change is known at home, so what is alike is real (a device's own days: use, settings and
reboots as they happen here), and what is unlike is one of those days with sizes of the device's own
packets replaced. Of both, half get other settings besides, so that those are no sign of software.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fwid_agent.core.comparison import Comparison, compare_periods
from fwid_agent.core.evidence import SINGLE_CHANCE
from fwid_agent.core.findings import own_score
from fwid_agent.core.image import ROW_COLUMNS, row_image, still_image
from fwid_agent.core.periods import make_period
from fwid_agent.core.prior import Prior
from fwid_agent.core.synthetic import change_settings, change_software
from fwid_agent.model.trainable import FLAGS, ROWS_SHOWN
from fwid_agent.refine.days import HELD_DAYS, Stretch
from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    F4,
    ROW_COUNT,
    SENT,
    U1,
    Bools,
    TokenKind,
    UnitTable,
)

_SETTINGS_SHARE = 0.5
_MOST_GONE = 0.6  # of a device's own fixed sizes, from one day to the next
_MOST_TEST_DAYS = 2
_TRIES = 4  # for each pair that is wanted: a device may have nothing that could be replaced


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pictures of comparisons, one element a comparison."""

    pictures: U1  # [n, ROW_COUNT, ROW_COLUMNS]
    software: Bools  # [n] made-up software
    doubted: int = 0  # pairs that were left out, for their days do not look like one version's


@dataclass(frozen=True, slots=True)
class Draw:
    """How pairs are drawn."""

    prior: Prior
    unit_ns: int
    rng: np.random.Generator


def draw_learnt(stretch: Stretch, count: int, draw: Draw) -> Pairs:
    """Draw pairs of the days to learn from: some of them against one or two others."""
    days, rng = stretch.learnt.days, draw.rng
    questions = []
    for _ in range(count * _TRIES):
        order = rng.permutation(len(days)).tolist()
        tests = min(int(rng.integers(1, _MOST_TEST_DAYS + 1)), len(days) - 2)
        most = len(days) - tests
        before = order[tests : tests + int(rng.integers(2, most + 1))]
        questions.append(([days[at] for at in sorted(before)], [days[at] for at in order[:tests]]))
    return _draw(questions, count, draw)


def draw_held(stretch: Stretch, count: int, draw: Draw) -> Pairs:
    """Draw pairs of the newest days against all before them."""
    learnt, newest = stretch.learnt.days, stretch.days[-HELD_DAYS:]
    questions = [(learnt, [newest[number % HELD_DAYS]]) for number in range(count * _TRIES)]
    return _draw(questions, count, draw)


def draw_later(before: Sequence[UnitTable], day: UnitTable, count: int, draw: Draw) -> Pairs:
    """Draw pairs of one day against the days before it."""
    return _draw([(before, [day])] * (count * _TRIES), count, draw)


def join(parts: Sequence[Pairs]) -> Pairs:
    """Put pairs together."""
    if not parts:
        return Pairs(np.zeros((0, ROW_COUNT, len(ROW_COLUMNS)), np.uint8), np.zeros(0, bool))
    return Pairs(
        np.concatenate([each.pictures for each in parts]),
        np.concatenate([each.software for each in parts]),
        sum(each.doubted for each in parts),
    )


def _draw(
    questions: Sequence[tuple[Sequence[UnitTable], Sequence[UnitTable]]], count: int, draw: Draw
) -> Pairs:
    pictures: list[U1] = []
    software: list[bool] = []
    doubted = 0
    for before, after in questions:
        if len(pictures) == count:
            break
        baseline, test = merge_tables(list(before)), merge_tables(list(after))
        if not _is_one(_compare(baseline, test, draw), draw.prior):
            doubted += 1  # two versions, or two devices under one address, would teach nonsense
            continue
        changed = len(pictures) % 2 == 1
        if draw.rng.random() < _SETTINGS_SHARE:
            test = change_settings(test, draw.rng)
        if changed:
            same = test
            test = change_software(test, draw.rng)
            if test is same:
                continue
        pictures.append(row_image(_compare(baseline, test, draw)))
        software.append(changed)
    found = [Pairs(np.stack(pictures), np.array(software, bool))] if pictures else []
    whole = join(found)
    return Pairs(whole.pictures, whole.software, doubted)


def _is_one(comparison: Comparison, prior: Prior) -> bool:
    """Say whether both sides look like one version of one device.

    What a device itself always sent is still there for the most part, also on a day without use
    (measured: 43 of 100 fixed sizes at the least), and is not of another device's (33 at most).
    """
    tokens = comparison.tokens
    own = SENT[tokens["row"]] & (tokens["kind"] == TokenKind.SIZE)
    fixed = tokens[own & (tokens["presence_baseline"] >= 1)]
    if not len(fixed) or (fixed["presence_test"] == 0).mean() > _MOST_GONE:
        return False
    return own_score(comparison) < prior.single.threshold(SINGLE_CHANCE)


def _compare(baseline: UnitTable, test: UnitTable, draw: Draw) -> Comparison:
    before, after = (make_period(table, "day", draw.unit_ns) for table in (baseline, test))
    return compare_periods(before, after, draw.prior)


def show_rows(pictures: U1) -> F4:
    """Take the rows that moved most: [n, rows, columns] -> [n, ROWS_SHOWN, columns], 0 .. 1.

    A row in which nothing moved is at no distance, so leaving it out changes nothing; hardly any
    device moves more rows than are shown.
    """
    still = still_image()
    moved = np.abs(pictures[:, :, FLAGS:].astype(np.int16) - still[:, FLAGS:]).sum(axis=2)
    chosen = np.argsort(-moved, axis=1, kind="stable")[:, :ROWS_SHOWN]
    shown = np.take_along_axis(pictures, chosen[:, :, None], axis=1)
    return shown.astype(np.float32) / np.float32(255)

"""Made-up changes of real traffic, seeded: software on one side, settings and use on the other.

They stand in for version pairs, which no public data holds. What they know of software is what
real stacks in real versions showed: exact sizes of a device's own packets are replaced for good,
sometimes header values; settings and use move volume, timing and whole protocols.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    SENT,
    SUM_INDEX,
    TokenKind,
    UnitTable,
)

_SIZE_KINDS = (TokenKind.SIZE, TokenKind.FIRST_SIZE)
_HEADER_VALUES = {
    TokenKind.TTL: (32, 60, 64, 100, 128, 254, 255),
    TokenKind.SYN_WINDOW: (5840, 8192, 14600, 28960, 29200, 64240, 65535),
    TokenKind.SYN_MSS: (536, 1360, 1400, 1440, 1452, 1460),
    TokenKind.SYN_OPTIONS: tuple(range(1000, 1020)),
}
Change = Callable[[UnitTable, np.random.Generator], UnitTable]


def change_software(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Replace some fixtures of the device's own packets, now and then a header value."""
    for _ in range(int(rng.choice([1, 1, 1, 2, 3, 4]))):
        table = replace_own_size(table, rng)
    if rng.random() < 0.25:
        table = replace_header_value(table, rng)
    return table


def change_settings(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Change volume, timing or peers in some way; the device's own sizes stay."""
    for change in rng.permutation(np.array(_SETTINGS, object))[: int(rng.integers(1, 4))]:
        table = change(table, rng)
    return table


def replace_own_size(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Let a size that the device sends in every period become another one."""
    cell = _choose_fixture(table, rng, sent=True)
    if cell is None:
        return table
    row, old = cell
    step = int(rng.choice([1, 2, 4, 8, int(rng.integers(1, 60))]) * rng.choice([-1, 1]))
    return _replace_size(table, row, old, max(old + step, 20))


def replace_header_value(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Let the TCP stack show another TTL, window, segment size or order of options."""
    kind = TokenKind(int(rng.choice(list(_HEADER_VALUES))))
    tokens = table.tokens.copy()
    here = tokens["kind"] == kind
    if not here.any():
        return table
    tokens["value"][here] = int(rng.choice(_HEADER_VALUES[kind]))
    return merge_tables([replace(table, tokens=tokens)])


def scale_volume(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Let some protocols be used more or less."""
    return _scale_rows(table, _choose_rows(table, rng), _factor(rng))


def _factor(rng: np.random.Generator) -> float:
    return float(2.0 ** (rng.uniform(0.5, 2.5) * _sign(rng)))


def _sign(rng: np.random.Generator) -> int:
    return int(rng.choice([-1, 1]))


def _scale_rows(table: UnitTable, rows: Sequence[int], factor: float) -> UnitTable:
    sums, tokens = table.sums.copy(), table.tokens.copy()
    sums[:, rows] *= factor
    here = np.isin(tokens["row"], rows)
    scaled = np.round(tokens["count"][here] * factor).astype(np.int64)
    # A value that came once a day does not vanish because the day was quiet.
    tokens["count"][here] = np.maximum(scaled, 1)
    return replace(table, sums=sums, tokens=tokens)


def shift_timing(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Let some protocols speak slower or faster."""
    return _shift_rows(table, _choose_rows(table, rng), float(rng.uniform(-1, 1)))


def _shift_rows(table: UnitTable, rows: Sequence[int], shift: float) -> UnitTable:
    sums = table.sums.copy()
    gaps, total, squares = (sums[:, rows, SUM_INDEX[n]] for n in ("gaps", "log_gap", "log_gap_sq"))
    sums[:, rows, SUM_INDEX["log_gap_sq"]] = squares + 2 * shift * total + gaps * shift**2
    sums[:, rows, SUM_INDEX["log_gap"]] = total + gaps * shift
    return replace(table, sums=sums)


def switch_off(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Let a protocol fall silent: a feature is no longer used."""
    rows = _choose_rows(table, rng, most=2)
    sums = table.sums.copy()
    sums[:, rows] = 0
    return replace(table, sums=sums, tokens=table.tokens[~np.isin(table.tokens["row"], rows)])


def change_peers(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Let peers and servers answer in other sizes: their software, not the device's."""
    for _ in range(int(rng.integers(1, 5))):
        cell = _choose_fixture(table, rng, sent=False)
        if cell is not None:
            table = _replace_size(table, *cell, cell[1] + int(rng.integers(1, 80)))
    return table


def new_service(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Let a protocol start: the traffic of one of the device's rows appears in an empty one."""
    active = np.flatnonzero(table.sums[:, :, 0].any(axis=0))
    silent = np.flatnonzero(~table.sums[:, :, 0].any(axis=0))
    if not len(active) or not len(silent):
        return table
    source, target = int(rng.choice(active)), int(rng.choice(silent))
    sums = table.sums.copy()
    sums[:, target] = sums[:, source]
    copied = table.tokens[table.tokens["row"] == source].copy()
    copied["row"] = target
    tokens = np.concatenate([table.tokens, copied])
    return merge_tables([replace(table, sums=sums, tokens=tokens)])


def change_messages(table: UnitTable, rng: np.random.Generator) -> UnitTable:
    """Let a message carry another setting: its size within connections, and how often it comes.

    What opens a connection or announces the device is the software's; what is said within moves
    with settings too, and then the row's volume and timing move with it.
    """
    cell = _choose_fixture(table, rng, sent=True, first=False)
    if cell is None:
        return table
    row, old = cell
    table = _replace_size(table, row, old, max(old + int(rng.integers(1, 6)) * _sign(rng), 20))
    return _shift_rows(_scale_rows(table, [row], _factor(rng)), [row], float(rng.uniform(-1, 1)))


_SETTINGS: tuple[Change, ...] = (
    change_messages,
    scale_volume,
    scale_volume,
    shift_timing,
    switch_off,
    change_peers,
    new_service,
)


def _choose_rows(
    table: UnitTable, rng: np.random.Generator, most: int | None = None
) -> Sequence[int]:
    active = np.flatnonzero(table.sums[:, :, 0].any(axis=0))
    count = int(rng.integers(1, len(active) + 1)) if len(active) else 0
    chosen = rng.choice(active, min(count, most or count), replace=False)
    return [int(row) for row in chosen]


def _choose_fixture(
    table: UnitTable, rng: np.random.Generator, *, sent: bool, first: bool = True
) -> tuple[int, int] | None:
    """Choose a size that is in every period in which its row speaks.

    Without `first` none that opens connections.
    """
    tokens = table.tokens[table.tokens["kind"] == TokenKind.SIZE]
    cells, times = np.unique(tokens[["row", "value"]], return_counts=True)
    active = (table.sums[:, :, 0] > 0).sum(axis=0)
    fixed = (times >= active[cells["row"]]) & (SENT[cells["row"]] == sent)
    if not first:
        opening = table.tokens[table.tokens["kind"] == TokenKind.FIRST_SIZE][["row", "value"]]
        fixed &= ~np.isin(cells, opening)
    if not fixed.any():
        return None
    row, value = rng.choice(cells[fixed])
    return int(row), int(value)


def _replace_size(table: UnitTable, row: int, old: int, new: int) -> UnitTable:
    tokens, sums = table.tokens.copy(), table.sums.copy()
    here = (tokens["row"] == row) & np.isin(tokens["kind"], _SIZE_KINDS) & (tokens["value"] == old)
    counted = here & (tokens["kind"] == TokenKind.SIZE)
    count = np.bincount(tokens["period"][counted], tokens["count"][counted], len(table))
    sums[:, row, SUM_INDEX["size"]] += count * (new - old)
    sums[:, row, SUM_INDEX["size_sq"]] += count * (new**2 - old**2)
    sums[:, row, SUM_INDEX["payload"]] += count * (new - old)
    tokens["value"][here] = new
    return merge_tables([replace(table, sums=sums, tokens=tokens)])

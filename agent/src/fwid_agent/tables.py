"""Arithmetic of unit tables that every stage and the store need: adding and selecting periods."""

from collections.abc import Sequence

import numpy as np

from fwid_agent.types import I4, I8, ROW_COUNT, SUMS, Table, UnitTable


def merge_tables(tables: Sequence[UnitTable]) -> UnitTable:
    """Add tables of one device: periods of the same session and start become one.

    Periods come out in the order of start, then session. There must be at least one table.
    """
    session = np.concatenate([table.session for table in tables])
    start_ns = np.concatenate([table.start_ns for table in tables])
    order, first, place = group_pairs(start_ns, session)
    sums = np.zeros((0, ROW_COUNT, len(SUMS)))
    observed = np.zeros(0)
    if len(first):
        sums = np.add.reduceat(np.concatenate([table.sums for table in tables])[order], first)
        joined = np.concatenate([table.observed for table in tables])
        observed = np.add.reduceat(joined[order], first)
    offsets = np.cumsum([0, *(len(table) for table in tables[:-1])])
    tokens = np.concatenate([table.tokens for table in tables])
    shift = np.repeat(offsets, [len(table.tokens) for table in tables])
    tokens["period"] = place[tokens["period"] + shift]
    keys = order[first]
    return UnitTable(start_ns[keys], session[keys], observed, sums, _add_counts(tokens))


def group_pairs(major: I8, minor: I4) -> tuple[I8, I8, I8]:
    """Group equal pairs; several times faster than np.unique over an axis.

    Returns:
        [n] the order that sorts by major, then minor; [groups] where each group begins in it;
        [n] the group of each pair.

    """
    order = np.lexsort((minor, major))
    new = np.ones(len(order), bool)
    ordered_major, ordered_minor = major[order], minor[order]
    new[1:] = (ordered_major[1:] != ordered_major[:-1]) | (ordered_minor[1:] != ordered_minor[:-1])
    place = np.empty(len(order), np.int64)
    place[order] = np.cumsum(new) - 1
    return order, np.flatnonzero(new), place


def _add_counts(tokens: Table) -> Table:
    """Sort and add the counts of equal values."""
    # One number orders row, kind and value: four sorting keys take three times as long.
    row, kind = (tokens[name].astype(np.uint64) for name in ("row", "kind"))
    cell = row << np.uint64(40) | kind << np.uint64(32) | tokens["value"]
    order = np.lexsort([cell, tokens["period"]])
    tokens, cell = tokens[order], cell[order]
    new = np.ones(len(tokens), bool)
    new[1:] = (cell[1:] != cell[:-1]) | (tokens["period"][1:] != tokens["period"][:-1])
    at = np.flatnonzero(new)
    result = tokens[at]
    if len(at):
        result["count"] = np.add.reduceat(tokens["count"].astype(np.int64), at)
    return result


def select_periods(table: UnitTable, rows: I8) -> UnitTable:
    """Return the table of these periods, in this order, tokens renumbered with them."""
    in_order = bool((rows[1:] > rows[:-1]).all())
    if in_order and len(rows) == len(table):
        return table
    number = np.full(len(table), -1, np.int64)
    number[rows] = np.arange(len(rows))
    period = number[table.tokens["period"]]
    tokens = table.tokens[period >= 0]
    tokens["period"] = period[period >= 0]
    if not in_order:
        tokens = tokens[np.argsort(tokens["period"], kind="stable")]
    return UnitTable(
        table.start_ns[rows],
        table.session[rows],
        table.observed[rows],
        table.sums[rows],
        tokens,
    )

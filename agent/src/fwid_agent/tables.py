"""Arithmetic of unit tables that every stage and the store need: adding and selecting periods."""

from collections.abc import Sequence

import numpy as np

from fwid_agent.types import I8, ROW_COUNT, SUMS, Table, UnitTable


def merge_tables(tables: Sequence[UnitTable]) -> UnitTable:
    """Add tables of one device: periods of the same session and start become one.

    Periods come out in the order of start, then session. There must be at least one table.
    """
    session = np.concatenate([table.session for table in tables])
    start_ns = np.concatenate([table.start_ns for table in tables])
    keys = np.stack([start_ns, session.astype(np.int64)], axis=1)
    unique, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.reshape(-1)
    order = np.argsort(place, kind="stable")
    first = np.searchsorted(place[order], np.arange(len(unique)))
    sums = np.zeros((len(unique), ROW_COUNT, len(SUMS)))
    observed = np.zeros(len(unique))
    if len(unique):
        sums = np.add.reduceat(np.concatenate([table.sums for table in tables])[order], first)
        joined = np.concatenate([table.observed for table in tables])
        observed = np.add.reduceat(joined[order], first)
    offsets = np.cumsum([0, *(len(table) for table in tables[:-1])])
    tokens = np.concatenate([table.tokens for table in tables])
    shift = np.repeat(offsets, [len(table.tokens) for table in tables])
    tokens["period"] = place[tokens["period"] + shift]
    return UnitTable(
        unique[:, 0].copy(), unique[:, 1].astype(np.int32), observed, sums, _add_counts(tokens)
    )


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
    number = np.full(len(table), -1, np.int64)
    number[rows] = np.arange(len(rows))
    tokens = table.tokens[number[table.tokens["period"]] >= 0].copy()
    tokens["period"] = number[tokens["period"]]
    tokens = tokens[np.argsort(tokens["period"], kind="stable")]
    return UnitTable(
        table.start_ns[rows],
        table.session[rows],
        table.observed[rows],
        table.sums[rows],
        tokens,
    )

"""Arithmetic of the tables that every stage and the store need: adding and selecting periods."""

from collections.abc import Sequence

import numpy as np

from fwid_agent.types import (
    CONTACT_DTYPE,
    FLOWS_KEPT,
    I4,
    I8,
    ROW_COUNT,
    SEEN,
    SUM_INDEX,
    SUMS,
    ContactTable,
    FlowSample,
    Table,
    UnitTable,
)

MOST_TEXTS = 2048  # of one device's handshakes
MOST_NETWORKS = 256  # of one device in one period: a scanner cannot grow the memory


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
    period = tokens["period"].copy()  # side by side, it is compared faster
    rises = (period[1:] > period[:-1]) | (period[1:] == period[:-1]) & (cell[1:] > cell[:-1])
    if rises.all():  # of tables that follow each other in time
        return tokens
    order = np.lexsort([cell, period])
    tokens, cell, period = tokens[order], cell[order], period[order]
    new = np.ones(len(tokens), bool)
    new[1:] = (cell[1:] != cell[:-1]) | (period[1:] != period[:-1])
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


def merge_contacts(tables: Sequence[ContactTable]) -> ContactTable:
    """Add tables of one device: periods of the same start become one, in the order of time."""
    start_ns = np.concatenate([np.zeros(0, np.int64), *(table.start_ns for table in tables)])
    unique, place = np.unique(start_ns, return_inverse=True)
    place = place.reshape(-1)
    seen = np.zeros((len(unique), len(SEEN)), np.int64)
    beyond = np.zeros(len(unique), np.int64)
    networks = np.zeros(0, CONTACT_DTYPE)
    if tables:
        np.add.at(seen, place, np.concatenate([table.seen for table in tables]))
        np.add.at(beyond, place, np.concatenate([table.beyond for table in tables]))
        networks = np.concatenate([table.networks for table in tables])
        offsets = np.cumsum([0, *(len(table) for table in tables[:-1])])
        shift = np.repeat(offsets, [len(table.networks) for table in tables])
        networks["period"] = place[networks["period"] + shift]
    networks, dropped = _bound_networks(networks, len(unique))
    return ContactTable(unique, seen, networks, beyond + dropped)


def select_contacts(table: ContactTable, rows: I8) -> ContactTable:
    """Return the table of these periods, in this order, networks renumbered with them."""
    number = np.full(len(table), -1, np.int64)
    number[rows] = np.arange(len(rows))
    networks = table.networks[number[table.networks["period"]] >= 0].copy()
    networks["period"] = number[networks["period"]]
    networks = networks[np.argsort(networks["period"], kind="stable")]
    return ContactTable(table.start_ns[rows], table.seen[rows], networks, table.beyond[rows])


def _bound_networks(networks: Table, periods: int) -> tuple[Table, I8]:
    """Add up equal networks and keep the busiest of each period; also the flows of the others."""
    networks = networks[np.lexsort((networks["network"], networks["period"]))]
    new = np.ones(len(networks), bool)
    for name in ("network", "period"):
        new[1:] &= networks[name][1:] == networks[name][:-1]
    new[1:] = ~new[1:]
    at = np.flatnonzero(new)
    flows = np.add.reduceat(networks["flows"].astype(np.int64), at) if len(at) else at
    networks = networks[at]
    networks["flows"] = flows.clip(max=2**32 - 1)
    dropped = np.zeros(periods, np.int64)
    keep = np.ones(len(networks), bool)
    count = np.bincount(networks["period"], minlength=periods)
    for period in np.flatnonzero(count > MOST_NETWORKS):
        here = np.flatnonzero(networks["period"] == period)
        rare = here[np.argsort(-flows[here], kind="stable")[MOST_NETWORKS:]]
        keep[rare] = False
        dropped[period] = flows[rare].sum()
    return networks[keep], dropped


def name_heard(table: UnitTable) -> set[tuple[int, int]]:
    """Name the periods with traffic, by session and start."""
    rows = np.flatnonzero(table.sums[:, :, SUM_INDEX["packets"]].any(axis=1))
    return set(zip(table.session[rows].tolist(), table.start_ns[rows].tolist(), strict=True))


def merge_flow_samples(samples: Sequence[FlowSample]) -> FlowSample:
    """Merge samples of one device and unit; there must be at least one.

    Flows with the lowest marks (bottom-k sampling: E. Cohen and H. Kaplan, "Summarizing data using
    bottom-k sketches", PODC 2007).
    """
    marks = np.concatenate([sample.marks for sample in samples])
    order = np.argsort(marks, kind="stable")[:FLOWS_KEPT]
    values = np.concatenate([sample.values for sample in samples])
    return FlowSample(sum(sample.seen for sample in samples), marks[order], values[order])

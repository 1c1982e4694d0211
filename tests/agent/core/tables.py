"""Builds unit tables for tests from a few readable facts."""

from collections.abc import Mapping, Sequence

import numpy as np
from fwid_agent.types import (
    ROW_COUNT,
    ROWS,
    SUM_INDEX,
    SUMS,
    TOKEN_DTYPE,
    Row,
    TokenKind,
    UnitTable,
)

HOUR_NS = 3600 * 1_000_000_000
DAY_NS = 24 * HOUR_NS
TLS_SENT = ROWS.index(Row("tls", "sent", "cloud"))
DNS_SENT = ROWS.index(Row("dns", "sent", "lan"))
TLS_RECEIVED = ROWS.index(Row("tls", "received", "cloud"))

Sizes = Mapping[tuple[int, int], int]  # (row, size) -> packets


def table(
    windows: Sequence[tuple[int, int, Sizes]], first: Sequence[tuple[int, int]] = ()
) -> UnitTable:
    """Make a table of windows, each (start_ns, session, sizes); `first` sizes open connections."""
    sums = np.zeros((len(windows), ROW_COUNT, len(SUMS)))
    tokens = []
    for period, (_, _, sizes) in enumerate(windows):
        for (row, size), count in sizes.items():
            sums[period, row, SUM_INDEX["packets"]] += count
            sums[period, row, SUM_INDEX["size"]] += count * size
            sums[period, row, SUM_INDEX["size_sq"]] += count * size * size
            tokens.append((period, row, TokenKind.SIZE, size, count))
            if (row, size) in first:
                tokens.append((period, row, TokenKind.FIRST_SIZE, size, count))
    return UnitTable(
        np.array([start for start, _, _ in windows], np.int64),
        np.array([session for _, session, _ in windows], np.int32),
        np.ones(len(windows)),
        sums,
        np.array(sorted(tokens), TOKEN_DTYPE),
    )


def days(
    count: int, sizes: Sizes, *, first_day: int = 0, session: int = 0
) -> list[tuple[int, int, Sizes]]:
    """Make one window a day of the same sizes: a device of fixed habits."""
    return [((first_day + day) * DAY_NS, session, sizes) for day in range(count)]

"""Grey pictures of traffic: rows are protocols and directions, columns features and sizes.

Three kinds. *Global* (as published): a period on one scale for all devices. *Relative*: the same
columns over the device's own baseline, mid-grey is "as always". *Row picture*: a comparison of two
periods, its size columns sorted by how much they moved instead of named by size.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.core.comparison import MAX_EVIDENCE, Comparison
from fwid_agent.core.features import FEATURES, extract_features
from fwid_agent.types import F8, ROW_COUNT, ROWS, SUM_INDEX, U1, Bools, Table, TokenKind, UnitTable

AS_ALWAYS = 128  # mid-grey
SIZE_BINS, FIRST_BINS = 20, 12
_HEADERS = (TokenKind.TTL, TokenKind.SYN_WINDOW, TokenKind.SYN_MSS)
GLOBAL_COLUMNS: tuple[str, ...] = (
    *FEATURES,
    *(kind.name.lower() for kind in _HEADERS),
    *(f"size #{index}" for index in range(SIZE_BINS)),
    *(f"first size #{index}" for index in range(FIRST_BINS)),
)
_FIRST_SHARE = len(GLOBAL_COLUMNS) - SIZE_BINS - FIRST_BINS
_SIZES_SHOWN, _FIRST_SHOWN = 6, 2
_SWAP_KINDS = (
    TokenKind.TTL,
    TokenKind.SYN_WINDOW,
    TokenKind.SYN_MSS,
    TokenKind.SYN_OPTIONS,
    TokenKind.PORT,
    TokenKind.ROW,
)
ROW_COLUMNS: tuple[str, ...] = (
    "sent",
    "cloud",
    *FEATURES,
    *(f"size gone {index + 1}" for index in range(_SIZES_SHOWN)),
    *(f"size new {index + 1}" for index in range(_SIZES_SHOWN)),
    *(f"first size gone {index + 1}" for index in range(_FIRST_SHOWN)),
    *(f"first size new {index + 1}" for index in range(_FIRST_SHOWN)),
    *(f"{kind.name.lower()} {word}" for kind in _SWAP_KINDS for word in ("gone", "new")),
)
ROW_NAMES: tuple[str, ...] = tuple(f"{row.protocol} {row.direction} {row.scope}" for row in ROWS)
_FULL_EVIDENCE = 6.0  # -log10 of chance at which a column is black or white
_RELATIVE_LEVELS = 16.0  # grey levels a step of the device's own spread
_HASH = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class GlobalScaler:
    """The range of each column over the training devices."""

    low: tuple[float, ...]  # one a column of GLOBAL_COLUMNS
    high: tuple[float, ...]


def measure_columns(table: UnitTable) -> F8:
    """Return what a picture shows before any scale: [n, ROW_COUNT, GLOBAL_COLUMNS], NaN silent."""
    features = extract_features(table)
    count = len(table)
    headers = np.full((count, ROW_COUNT, len(_HEADERS)), np.nan)
    tokens = table.tokens
    for column, kind in enumerate(_HEADERS):
        chosen = tokens[tokens["kind"] == kind]
        total, weight = _by_row(chosen, count, chosen["value"].astype(np.float64))
        with np.errstate(invalid="ignore"):
            headers[:, :, column] = total / weight
    silent = table.sums[:, :, SUM_INDEX["packets"]] == 0
    sizes = np.concatenate(
        [
            _hashed(tokens, count, TokenKind.SIZE, SIZE_BINS),
            _hashed(tokens, count, TokenKind.FIRST_SIZE, FIRST_BINS),
        ],
        axis=2,
    )
    sizes[silent] = np.nan
    return np.concatenate([features, headers, sizes], axis=2)


def fit_scaler(values: F8) -> GlobalScaler:
    """Take each column's 1st and 99th percentile over all periods and rows."""
    flat = values.reshape(-1, values.shape[2])
    low = np.nan_to_num(np.nanpercentile(flat, 1, axis=0))
    high = np.nan_to_num(np.nanpercentile(flat, 99, axis=0))
    return GlobalScaler(tuple(low.tolist()), tuple(np.maximum(high, low + 1e-6).tolist()))


def global_image(values: F8, scaler: GlobalScaler) -> U1:
    """Scale columns to grey: 0 where a row is silent, 1 .. 255 over the training range."""
    low, high = np.array(scaler.low), np.array(scaler.high)
    grey = 1 + np.clip((values - low) / (high - low), 0, 1) * 254
    return np.where(np.isfinite(values), np.round(grey), 0).astype(np.uint8)


def relative_image(values: F8, baseline: F8, floor: F8) -> U1:
    """Scale columns over the device's own baseline; mid-grey is as always.

    Args:
        values: [n, ROW_COUNT, columns] of the periods to show.
        baseline: [m, ROW_COUNT, columns] of the baseline's periods, m > 1.
        floor: [columns] smallest spread that is believed.

    """
    known = np.isfinite(baseline)
    number = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(known, baseline, 0).sum(axis=0) / number
        squares = np.where(known, (baseline - mean) ** 2, 0).sum(axis=0)
        # One unit's worth of the floor: few days are no measure of a spread.
        spread = np.sqrt((squares + floor**2) / np.maximum(number, 1))
        steps = (values - mean) / np.maximum(spread, floor)
    # A row that speaks up or falls silent is as far from "as always" as grey can say, but only in
    # what it has: that it lacks all other sizes is no news.
    steps = np.where(_has_any(values) & ~np.isfinite(mean), 8.0, steps)
    steps = np.where(~np.isfinite(values) & _has_any(mean), -8.0, steps)
    grey = AS_ALWAYS + np.clip(np.nan_to_num(steps) * _RELATIVE_LEVELS, -127, 127)
    return np.round(grey).astype(np.uint8)


def _has_any(measured: F8) -> Bools:
    """Say in which columns [..., columns] there is anything: of sizes, in those that were sent."""
    has: Bools = np.isfinite(measured)
    has[..., _FIRST_SHARE:] &= measured[..., _FIRST_SHARE:] > 0
    return has


def row_image(comparison: Comparison) -> U1:
    """Draw a comparison: [ROW_COUNT, ROW_COLUMNS]; mid-grey is as always."""
    picture = np.zeros((ROW_COUNT, len(ROW_COLUMNS)))
    picture[:, 2 : 2 + len(FEATURES)] = np.sign(comparison.steps) * comparison.evidence
    tokens = comparison.tokens
    _put_strongest(picture, tokens[(tokens["evidence"] != 0) & (tokens["kind"] <= TokenKind.ROW)])
    grey = np.round(AS_ALWAYS + np.clip(picture / _FULL_EVIDENCE, -1, 1) * 127).astype(np.uint8)
    grey[:, :2] = _FLAGS
    return grey


def still_image() -> U1:
    """Return the row picture of a comparison that shows nothing."""
    grey = np.full((ROW_COUNT, len(ROW_COLUMNS)), AS_ALWAYS, np.uint8)
    grey[:, :2] = _FLAGS
    return grey


# Columns of what is gone and of what is new, for each kind in turn: block = kind * 2 + is new.
_WIDTHS = {TokenKind.SIZE: _SIZES_SHOWN, TokenKind.FIRST_SIZE: _FIRST_SHOWN}
# What handshakes say is in no picture: the networks have never seen any.
_BLOCK_WIDTH = np.repeat([_WIDTHS.get(kind, 1) for kind in TokenKind if kind <= TokenKind.ROW], 2)
_BLOCK_START = 2 + len(FEATURES) + np.cumsum(_BLOCK_WIDTH) - _BLOCK_WIDTH
_FLAGS = np.array(
    [(255 * (row.direction == "sent"), 255 * (row.scope == "cloud")) for row in ROWS], np.uint8
)


def _put_strongest(picture: F8, moved: Table) -> None:
    """Write each row's strongest values, gone and new, into the columns of their kind."""
    if not len(moved):
        return
    block = moved["kind"].astype(np.int64) * 2 + (moved["evidence"] > 0)
    place = moved["row"].astype(np.int64) * len(_BLOCK_WIDTH) + block
    order = np.lexsort((-np.abs(moved["evidence"]), place))
    place, block = place[order], block[order]
    rank = np.arange(len(order)) - np.searchsorted(place, place, side="left")
    kept = rank < _BLOCK_WIDTH[block]
    cells = moved[order[kept]]
    evidence = np.clip(cells["evidence"], -MAX_EVIDENCE, MAX_EVIDENCE)
    picture[cells["row"], _BLOCK_START[block[kept]] + rank[kept]] = evidence


def _by_row(tokens: Table, periods: int, values: F8) -> tuple[F8, F8]:
    place = tokens["period"].astype(np.int64) * ROW_COUNT + tokens["row"]
    shape = (periods, ROW_COUNT)
    length = periods * ROW_COUNT
    weight = tokens["count"].astype(np.float64)
    total: F8 = np.bincount(place, values * weight, length).astype(np.float64)
    number: F8 = np.bincount(place, weight, length).astype(np.float64)
    return total.reshape(shape), number.reshape(shape)


def _hashed(tokens: Table, periods: int, kind: TokenKind, bins: int) -> F8:
    """Share of a row's packets in each hashed size bin: [n, ROW_COUNT, bins]."""
    chosen = tokens[tokens["kind"] == kind]
    mixed = chosen["value"].astype(np.uint64) * _HASH >> np.uint64(40)
    place = chosen["period"].astype(np.int64) * ROW_COUNT + chosen["row"]
    place = place * bins + (mixed % np.uint64(bins)).astype(np.int64)
    counts = np.bincount(place, chosen["count"], periods * ROW_COUNT * bins)
    counts = counts.reshape(periods, ROW_COUNT, bins)
    shares: F8 = counts / np.maximum(counts.sum(axis=2, keepdims=True), 1)
    return shares

"""Continuous features of a row in a period, derived from its additive sums."""

import numpy as np

from fwid_agent.types import F8, I8, ROW_COUNT, SHORTEST_WATCH, SUM_INDEX, UnitTable

# name -> unit in which it is shown; every feature is held as log10 of that unit, so that a
# difference is a ratio and its spread does not grow with the device's size.
FEATURES: dict[str, str] = {
    "packets": "1/window",
    "bytes": "bytes/window",
    "flows": "1/window",
    "size_mean": "bytes",
    "size_spread": "bytes",
    "payload_share": "1",
    "gap_mean": "s",
    "gap_spread": "1",
}
FEATURE_INDEX = {name: index for index, name in enumerate(FEATURES)}


def extract_features(table: UnitTable, rows: I8 | slice = slice(ROW_COUNT)) -> F8:
    """Return log10 features [n, rows, len(FEATURES)]; NaN where the row was silent.

    `size_spread`, `payload_share` and `flows` are log10(1 + x); `gap_spread` is the standard
    deviation of log10 gaps itself. Gap features need two gaps, `size_spread` two packets.
    """
    return features_of(table.sums[:, rows], table.observed)


def features_of(sums: F8, observed: F8) -> F8:
    """Return what `extract_features` does, of sums [n, rows, SUMS] and windows watched [n]."""
    take = {name: sums[:, :, index] for name, index in SUM_INDEX.items()}
    result = np.empty((*sums.shape[:2], len(FEATURES)))
    valid = np.empty(result.shape, bool)
    packets, gaps = take["packets"], take["gaps"]
    observed = np.maximum(observed, SHORTEST_WATCH)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        size = take["size"] / packets
        size_variance = np.maximum(take["size_sq"] / packets - size**2, 0)
        gap = take["log_gap"] / gaps
        gap_variance = np.maximum(take["log_gap_sq"] / gaps - gap**2, 0)
        columns = {
            "packets": packets / observed,
            "bytes": take["size"] / observed,
            "flows": 1 + take["flows"] / observed,
            "size_mean": size,
            "size_spread": 1 + np.sqrt(size_variance),
            "payload_share": 1 + take["payload_packets"] / packets,
            "gap_mean": gap,
            "gap_spread": np.sqrt(gap_variance),
        }
        for name, values in columns.items():
            result[:, :, FEATURE_INDEX[name]] = values
        gap_columns = FEATURE_INDEX["gap_mean"]  # they are logarithms already
        np.log10(result[:, :, :gap_columns], out=result[:, :, :gap_columns])
    valid[:] = (packets > 0)[:, :, None]
    valid[:, :, FEATURE_INDEX["size_spread"]] = packets > 1
    valid[:, :, gap_columns:] = (gaps > 1)[:, :, None]
    result[~(valid & np.isfinite(result))] = np.nan
    return result


def in_units(name: str, value: float) -> float:
    """Turn a held value back into the unit in which the feature is shown."""
    if name == "gap_spread":
        return value
    if name in ("flows", "size_spread", "payload_share"):
        return float(10.0**value - 1.0)
    return float(10.0**value)

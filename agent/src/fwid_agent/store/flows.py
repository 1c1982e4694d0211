"""Samples of flows: a row a device and unit, to which later parts of the unit are added.

A row's bytes are a version and, behind it and compressed, how many features a flow has (u1), the
flows' marks (u8) and their features (f4, feature by feature), little-endian, the bytes of equal
weight together: neighbouring numbers share the upper ones.
"""

import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fwid_agent.store.database import decoding
from fwid_agent.tables import merge_flow_samples
from fwid_agent.types import FlowDay, FlowSample

_LAYOUT = 1
_MARK_BYTES, _VALUE_BYTES = 8, 4


def add_flows(
    connection: sqlite3.Connection, flows: Mapping[int, Mapping[int, FlowSample]]
) -> None:
    """Add to the samples of devices' units."""
    for device, units in flows.items():
        for start_ns, added in units.items():
            there = read_sample(connection, device, start_ns)
            sample = added if there is None else merge_flow_samples([there, added])
            connection.execute(
                "INSERT OR REPLACE INTO flows VALUES (?, ?, ?, ?)",
                (device, start_ns, sample.seen, encode_sample(sample)),
            )


def read_flows(connection: sqlite3.Connection, since_ns: int) -> Iterator[FlowDay]:
    """Read the samples of units that start then or later, by device and time."""
    rows = connection.execute(
        "SELECT device, start_ns, seen, body FROM flows WHERE start_ns >= ?"
        " ORDER BY device, start_ns",
        (since_ns,),
    )
    for device, start_ns, seen, body in rows:
        yield FlowDay(device, start_ns, seen, decode_sample(seen, body).values)


def read_sample(connection: sqlite3.Connection, device: int, start_ns: int) -> FlowSample | None:
    """Read the sample of one unit; None where there is none."""
    row = connection.execute(
        "SELECT seen, body FROM flows WHERE device = ? AND start_ns = ?", (device, start_ns)
    ).fetchone()
    return None if row is None else decode_sample(*row)


def drop_flows(connection: sqlite3.Connection, before_ns: int | None) -> None:
    """Forget the samples of units before a time; None: all."""
    if before_ns is None:
        connection.execute("DELETE FROM flows")
    else:
        connection.execute("DELETE FROM flows WHERE start_ns < ?", (before_ns,))


def encode_sample(sample: FlowSample) -> bytes:
    """Write marks and features."""
    marks = sample.marks.astype("<u8").view("u1").reshape(-1, _MARK_BYTES)
    values = np.ascontiguousarray(sample.values.T, "<f4").view("u1").reshape(-1, _VALUE_BYTES)
    parts = (bytes([sample.values.shape[1]]), marks.T.tobytes(), values.T.tobytes())
    return bytes([_LAYOUT]) + zlib.compress(b"".join(parts))


def decode_sample(seen: int, body: bytes) -> FlowSample:
    """Read what `encode_sample` wrote; raises DamagedError where it did not."""
    with decoding():
        if body[0] != _LAYOUT:
            raise ValueError(body[0])
        data = zlib.decompress(memoryview(body)[1:])
        width = data[0]
        count, rest = divmod(len(data) - 1, _MARK_BYTES + _VALUE_BYTES * width)
        if rest:
            raise ValueError(len(data))
        raw = np.frombuffer(data, np.uint8, offset=1)
        marks = _whole(raw[: count * _MARK_BYTES], _MARK_BYTES, "<u8")
        values = _whole(raw[count * _MARK_BYTES :], _VALUE_BYTES, "<f4").reshape(width, count)
        return FlowSample(seen, marks.astype(np.uint64), np.ascontiguousarray(values.T, np.float32))


def _whole(raw: Any, size: int, kind: str) -> Any:  # noqa: ANN401 - arrays of that kind
    """Put the bytes of each number together again."""
    return np.ascontiguousarray(raw.reshape(size, -1).T).view(kind).reshape(-1)

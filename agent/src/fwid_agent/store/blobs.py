"""One period of a unit table as bytes, little-endian and compressed, and back.

Layout 1, behind the version byte and compressed as a whole: the number of rows that are not zero
(u1) and of tokens (u4); those rows' indices (u1) and sums (f8, row by row); the tokens' columns
row (u1), kind (u1), value (u4), count (u4), one after the other. The order of `types.ROWS` and
`types.SUMS` is part of the layout.
"""

import struct
import zlib

import numpy as np

from fwid_agent.store.database import decoding
from fwid_agent.types import F8, ROW_COUNT, SUMS, TOKEN_DTYPE, Table, UnitTable

LAYOUT = 1
_HEAD = struct.Struct("<BI")
_COLUMNS = (("row", "<u1"), ("kind", "<u1"), ("value", "<u4"), ("count", "<u4"))


def encode_periods(table: UnitTable) -> list[bytes]:
    """Write the sums and tokens of each period."""
    bounds = np.searchsorted(table.tokens["period"], np.arange(len(table) + 1))
    return [
        _encode(sums, table.tokens[begin:end])
        for sums, begin, end in zip(table.sums, bounds[:-1], bounds[1:], strict=True)
    ]


def decode_period(body: bytes) -> tuple[F8, Table]:
    """Read sums [ROW_COUNT, len(SUMS)] and tokens (TOKEN_DTYPE, period 0).

    Raises:
        DamagedError: the bytes are of another layout, or none of it.

    """
    with decoding():
        return _decode(body)


def _encode(sums: F8, tokens: Table) -> bytes:
    active = np.flatnonzero(sums.any(axis=1))
    parts = [
        _HEAD.pack(len(active), len(tokens)),
        active.astype("<u1").tobytes(),
        sums[active].astype("<f8").tobytes(),
        *(tokens[name].astype(kind).tobytes() for name, kind in _COLUMNS),
    ]
    return bytes([LAYOUT]) + zlib.compress(b"".join(parts))


def _decode(body: bytes) -> tuple[F8, Table]:
    if body[0] != LAYOUT:
        raise ValueError(body[0])
    data = zlib.decompress(memoryview(body)[1:])
    active_count, token_count = _HEAD.unpack_from(data)
    offset = _HEAD.size
    active = np.frombuffer(data, "<u1", active_count, offset)
    offset += active.nbytes
    values = np.frombuffer(data, "<f8", active_count * len(SUMS), offset)
    offset += values.nbytes
    sums = np.zeros((ROW_COUNT, len(SUMS)))
    sums[active] = values.reshape(active_count, len(SUMS))
    tokens = np.zeros(token_count, TOKEN_DTYPE)
    for name, kind in _COLUMNS:
        column = np.frombuffer(data, kind, token_count, offset)
        offset += column.nbytes
        tokens[name] = column
    return sums, tokens

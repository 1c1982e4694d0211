"""Verdicts: one row a device and unit."""

import sqlite3
from collections.abc import Iterable
from typing import Any

import msgspec

from fwid_agent.store.rows import VerdictRow
from fwid_agent.types import Cause, Decision, Effect, Reason, State, Verdict, format_mac


def put_verdicts(connection: sqlite3.Connection, verdicts: Iterable[VerdictRow]) -> None:
    """Store verdicts; one of the same device and unit is replaced."""
    connection.executemany(
        f"INSERT OR REPLACE INTO verdicts VALUES ({', '.join('?' * 19)})",  # noqa: S608
        map(_to_row, verdicts),
    )


def read_verdicts(
    connection: sqlite3.Connection, device: int, since_ns: int
) -> tuple[VerdictRow, ...]:
    """Read a device's verdicts of units that start at `since_ns` or later, oldest first."""
    rows = connection.execute(
        "SELECT * FROM verdicts WHERE device = ? AND unit_start_ns >= ? ORDER BY unit_start_ns",
        (device, since_ns),
    )
    return tuple(map(_from_row, rows))


def read_latest_verdict(connection: sqlite3.Connection, device: int) -> VerdictRow | None:
    """Read a device's newest verdict."""
    row = connection.execute(
        "SELECT * FROM verdicts WHERE device = ? ORDER BY unit_start_ns DESC LIMIT 1", (device,)
    ).fetchone()
    return _from_row(row) if row else None


def drop_verdicts(connection: sqlite3.Connection, device: int, end_ns: int) -> None:
    """Delete a device's verdicts of units that start before the end."""
    connection.execute(
        "DELETE FROM verdicts WHERE device = ? AND unit_start_ns < ?", (device, end_ns)
    )


def _to_row(verdict: VerdictRow) -> tuple[Any, ...]:
    decision = verdict.decision
    effect = decision.effect
    return (
        verdict.device,
        verdict.unit_start_ns,
        verdict.state,
        verdict.version,
        decision.verdict,
        decision.cause,
        *((effect.g, effect.low, effect.high) if effect else (None, None, None)),
        *((effect.n_baseline, effect.n_test) if effect else (None, None)),
        decision.similarity_baseline,
        decision.similarity_test,
        decision.score,
        decision.software,
        msgspec.json.encode(decision.reasons).decode(),
        decision.missing,
        decision.units_baseline,
        decision.units_test,
    )


def _from_row(row: tuple[Any, ...]) -> VerdictRow:
    device, unit_start_ns, state, version, verdict, cause = row[:6]
    g, low, high, n_baseline, n_test = row[6:11]
    reasons, missing, units_baseline, units_test = row[15:]
    decision = Decision(
        device=format_mac(device),
        verdict=Verdict(verdict),
        cause=Cause(cause),
        effect=None
        if n_test is None
        else Effect(_nan(g), _nan(low), _nan(high), n_baseline, n_test),
        similarity_baseline=_nan(row[11]),
        similarity_test=_nan(row[12]),
        score=_nan(row[13]),
        software=_nan(row[14]),
        reasons=msgspec.json.decode(reasons, type=tuple[Reason, ...]),
        missing=missing,
        units_baseline=units_baseline,
        units_test=units_test,
    )
    return VerdictRow(device, unit_start_ns, State(state), version, decision)


def _nan(value: float | None) -> float:
    """SQLite keeps NaN as NULL."""
    return float("nan") if value is None else value

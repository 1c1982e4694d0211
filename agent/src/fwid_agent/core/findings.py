"""Ranked findings of a comparison: what differs, how surprising it is, and in which terms.

A *replaced* value (gone for good, and another one there ever since, in the same row) of the
device's own packets is what new software looks like on the wire; volumes, timing and whole
protocols move with settings and use; what only others send is not the device's doing.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np

from fwid_agent.core.comparison import Comparison
from fwid_agent.core.features import FEATURES, in_units
from fwid_agent.types import ROWS, Reason, Table, TokenKind

_KINDS = tuple(TokenKind)  # by number: to look one up in the class costs more than the rest
_KIND_NAMES = {kind: kind.name.lower() for kind in TokenKind}
_SIZE_KINDS = (TokenKind.SIZE, TokenKind.FIRST_SIZE)
_HEADER_KINDS = (
    TokenKind.TTL,
    TokenKind.SYN_WINDOW,
    TokenKind.SYN_MSS,
    TokenKind.SYN_OPTIONS,
)
# What a handshake tells of the software; names and services move with settings and peers.
_HANDSHAKE_KINDS = (
    TokenKind.TLS_CLIENT,
    TokenKind.DHCP_OPTIONS,
    TokenKind.DHCP_VENDOR,
    TokenKind.ANNOUNCED_SOFTWARE,
)
_HANDSHAKE_NAMES = frozenset(_KIND_NAMES[kind] for kind in _HANDSHAKE_KINDS)
_OWN_KINDS = (*_SIZE_KINDS, *_HEADER_KINDS, *_HANDSHAKE_KINDS)
_USE_KINDS = (
    TokenKind.PORT,
    TokenKind.DNS_NAME,
    TokenKind.HOST_NAME,
    TokenKind.ANNOUNCED_SERVICE,
    TokenKind.PERIOD,
    TokenKind.NETWORK,
)


class Sign(StrEnum):
    """What a finding is a sign of."""

    OWN_VALUE = "own_value"  # replaced in the device's own packets
    PEER_VALUE = "peer_value"  # replaced in what the device receives
    ONE_SIDED = "one_sided"  # only gone or only new: features used or not, peers, names
    STATISTIC = "statistic"  # volume, timing, mixture


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that differs; `reason.surprise` is -log10 of chance."""

    sign: Sign
    row: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class _Cell:
    """A value that came or went."""

    value: int
    evidence: float


def list_findings(comparison: Comparison) -> tuple[Finding, ...]:
    """Return every finding with some surprise, strongest first."""
    found = _values(comparison.tokens) + _statistics(comparison)
    found.sort(key=lambda finding: -finding.reason.surprise)
    return tuple(found)


def score_of(findings: tuple[Finding, ...], *signs: Sign) -> float:
    """Return the largest surprise among findings of these signs (any sign where none is named)."""
    return max((f.reason.surprise for f in findings if not signs or f.sign in signs), default=0.0)


def own_score(comparison: Comparison) -> float:
    """Return the largest surprise among replaced values of the device's own."""
    return score_of(tuple(_values(comparison.tokens)), Sign.OWN_VALUE)


def handshake_score(findings: tuple[Finding, ...]) -> float:
    """Return the largest surprise among own values that handshakes tell of the software."""
    return max(
        (
            found.reason.surprise
            for found in findings
            if found.sign is Sign.OWN_VALUE and found.reason.params["kind"] in _HANDSHAKE_NAMES
        ),
        default=0.0,
    )


def strongest_reasons(findings: tuple[Finding, ...], count: int) -> tuple[Reason, ...]:
    """Return the strongest reasons, a size told once although first flights count it again."""
    chosen: list[Reason] = []
    told: set[tuple[object, ...]] = set()
    for finding in findings:
        params = finding.reason.params
        fact = (
            finding.row,
            params.get("kind"),
            params.get("old"),
            params.get("new"),
            params.get("value"),
            params.get("feature"),
        )
        if fact not in told:
            told.add(fact)
            chosen.append(finding.reason)
        if len(chosen) == count:
            break
    return tuple(chosen)


def _values(tokens: Table) -> list[Finding]:
    moved = tokens[tokens["evidence"] != 0]
    evidence, value = moved["evidence"].tolist(), moved["value"].tolist()
    vocabulary = moved["row"].astype(np.int64) * len(TokenKind) + moved["kind"]  # sorted
    begins = np.flatnonzero(np.diff(vocabulary, prepend=-1)).tolist()
    found: list[Finding] = []
    for begin, end in pairwise([*begins, len(moved)]):
        row, kind = divmod(int(vocabulary[begin]), len(TokenKind))
        part = evidence[begin:end]
        lowest, highest = min(part), max(part)
        gone = _Cell(value[begin + part.index(lowest)], lowest)
        new = _Cell(value[begin + part.index(highest)], highest)
        if gone.evidence < 0 < new.evidence:
            found.append(_replaced(row, _KINDS[kind], gone, new))
        elif new.evidence > 0:
            found.append(_one_sided(row, _KINDS[kind], new, "new"))
        elif gone.evidence < 0:
            found.append(_one_sided(row, _KINDS[kind], gone, "gone"))
    return found


def _replaced(row: int, kind: TokenKind, gone: _Cell, new: _Cell) -> Finding:
    where = ROWS[row]
    params: dict[str, object] = {
        "kind": _KIND_NAMES[kind],
        "protocol": where.protocol,
        "direction": where.direction,
        "scope": where.scope,
        "old": gone.value,
        "new": new.value,
    }
    if kind in _SIZE_KINDS:
        key = "size_replaced"
        params["kind"] = "size"
        params["first_flight"] = kind is TokenKind.FIRST_SIZE
    else:
        key = "port_replaced" if kind is TokenKind.PORT else "value_replaced"
    # A port is what is done, not how: it moves with settings as well as with software.
    own = where.direction == "sent" and kind in _OWN_KINDS
    surprise = new.evidence - gone.evidence
    other = Sign.ONE_SIDED if kind in _USE_KINDS else Sign.PEER_VALUE
    return Finding(Sign.OWN_VALUE if own else other, row, Reason(key, params, surprise))


def _one_sided(row: int, kind: TokenKind, cell: _Cell, word: str) -> Finding:
    where = ROWS[row]
    params: dict[str, object] = {
        "protocol": where.protocol,
        "direction": where.direction,
        "scope": where.scope,
    }
    if kind is TokenKind.ROW:
        key = f"row_{word}"
    else:
        params["value"] = cell.value
        if kind in _SIZE_KINDS:
            key = f"size_{word}"
            params["first_flight"] = kind is TokenKind.FIRST_SIZE
        elif kind is TokenKind.PORT:
            key = f"port_{word}"
        else:
            key = f"value_{word}"
            params["kind"] = _KIND_NAMES[kind]
    return Finding(Sign.ONE_SIDED, row, Reason(key, params, abs(cell.evidence)))


def _statistics(comparison: Comparison) -> list[Finding]:
    evidence = comparison.evidence
    tested = int((evidence > 0).sum())
    if tested == 0:
        return []
    # Bonferroni: as many cells were looked at as could have been surprising.
    evidence = evidence - np.log10(tested)
    found: list[Finding] = []
    for row, column in zip(*np.nonzero(evidence > 0), strict=True):
        where = ROWS[row]
        name = list(FEATURES)[column]
        params = {
            "feature": name,
            "unit": FEATURES[name],
            "protocol": where.protocol,
            "direction": where.direction,
            "scope": where.scope,
            "before": in_units(name, float(comparison.mean_baseline[row, column])),
            "after": in_units(name, float(comparison.mean_test[row, column])),
            "steps": abs(float(comparison.steps[row, column])),
        }
        reason = Reason("statistic_moved", params, float(evidence[row, column]))
        found.append(Finding(Sign.STATISTIC, int(row), reason))
    return found

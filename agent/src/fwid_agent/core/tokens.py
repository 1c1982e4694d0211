"""Counts of exact values ("tokens"): collected from a batch, added up over batches."""

import numpy as np

from fwid_agent.core.beats import Beats
from fwid_agent.types import (
    I8,
    ROWS,
    SCOPES,
    SENT,
    TOKEN_DTYPE,
    U8,
    Bools,
    FlowMarks,
    PacketBatch,
    PacketValues,
    Table,
    TokenKind,
)

_TCP, _SYN = 6, 0x02
_CLOUD = np.array([row.scope == SCOPES[1] for row in ROWS])
_IPV4_REST, _IPV6_REST = np.uint64(8), np.uint64(32)  # bits that are not kept
# Where ports begin that systems make up for a connection: old ones, and Linux and whatever follows
# RFC 6335. A service above the first is told from a made-up port above the second.
_MADE_UP_FROM = (1024, 32768)
# The sizes of these servers' answers are those of names and leases, not of the server's software.
_DNS, _DHCP = 53, 67
# These messages quote the packet that they answer, or have its size (RFC 792, RFC 4443).
_ICMP = (1, 58)
MAX_VALUES = 4096  # of one kind in one row and window: what a scan may add to the memory
_COMPACT_AT = 1 << 18
Owner = tuple[int, int, int]  # session, window, device

_ENTRY = np.dtype(
    [
        ("session", "i4"),
        ("device", "i4"),
        ("window", "i8"),
        ("cell", "u8"),  # row, kind and value in one number, in this order
        ("count", "i8"),
    ]
)
_KIND_SHIFT, _ROW_SHIFT = np.uint64(32), np.uint64(37)
_KIND_MASK = (1 << 5) - 1
_CELL_MASK = (np.uint64(1) << _ROW_SHIFT) - np.uint64(1)  # kind and value


def collect_tokens(
    batch: PacketBatch, marks: FlowMarks, packet: I8, group: I8, row: I8
) -> tuple[I8, U8, I8]:
    """Count the values of each group (device, window and row).

    Args:
        batch, marks: the packets.
        packet: [n] which packet each contribution is of.
        group: [n] its group.
        row: [n] its row.

    Returns:
        [m] group, [m] kind and value in one number, [m] count.

    """
    known = np.flatnonzero(batch.undecoded[packet] == 0)
    packet, group = packet[known], group[known]
    own = SENT[row[known]]
    syn = own & (batch.proto[packet] == _TCP) & (batch.tcp_flags[packet] & _SYN != 0)
    first, start = marks.first_flight[packet], marks.flow_start[packet]
    size, source = batch.size_bytes[packet], batch.src_port[packet]
    telling = ~own | ((source != _DNS) & (source != _DHCP))
    telling &= (batch.ip_version[packet] == 0) | ~np.isin(batch.proto[packet], _ICMP)
    first &= telling
    parts = [
        _pack(group[telling], TokenKind.SIZE, size[telling]),
        _pack(group[first], TokenKind.FIRST_SIZE, size[first]),
        _pack(group[syn], TokenKind.SYN_WINDOW, batch.window[packet[syn]]),
        _pack(group[syn], TokenKind.SYN_MSS, batch.mss[packet[syn]]),
        _pack(group[syn], TokenKind.SYN_OPTIONS, batch.options[packet[syn]]),
        _pack(group[start], TokenKind.PORT, _service_port(batch, packet[start])),
    ]
    routed = own & (batch.ip_version[packet] > 0)
    parts.append(_pack(group[routed], TokenKind.TTL, batch.ttl[packet[routed]]))
    called = start & routed & _CLOUD[row[known]]
    parts.append(_pack(group[called], TokenKind.NETWORK, _network(batch, packet[called])))
    return _count(np.concatenate(parts))


def collect_beats(beats: Beats, group: I8) -> tuple[I8, U8, I8]:
    """Count periods of packets; otherwise as `collect_tokens`."""
    return _count(_pack(group[beats.contribution], TokenKind.PERIOD, beats.period))


def collect_said(said: PacketValues, packet: I8, group: I8, row: I8) -> tuple[I8, U8, I8]:
    """Count values of own packets that stand in no column; otherwise as `collect_tokens`."""
    own = np.flatnonzero(SENT[row])
    packet, group = packet[own], group[own]  # each of them once, and rising
    at = np.searchsorted(packet, said.packet)
    there: Bools = at < len(packet)
    there[there] = packet[at[there]] == said.packet[there]
    return _count(_pack(group[at[there]], said.kind[there], said.value[there]))


def _count(packed: U8) -> tuple[I8, U8, I8]:
    keys = np.sort(packed)
    new = np.ones(len(keys), bool)
    new[1:] = keys[1:] != keys[:-1]
    at = np.flatnonzero(new)
    count = np.diff(np.append(at, len(keys)))
    keys = keys[at]
    return (
        (keys >> _ROW_SHIFT).astype(np.int64),
        keys & _CELL_MASK,
        count,
    )


def _pack(group: U8 | I8, kind: TokenKind | U8, value: np.ndarray) -> U8:
    shifted: U8 = np.left_shift(np.full(len(group), kind, np.uint64), _KIND_SHIFT)
    packed: U8 = group.astype(np.uint64) << _ROW_SHIFT | shifted | value.astype(np.uint64)
    return packed


def _network(batch: PacketBatch, packet: I8) -> U8:
    """The network that a packet goes to: the first 24 bits of IPv4, the first 32 of IPv6.

    Both fit into one number, for global addresses of IPv6 begin with a bit above the 24th. (The
    first 48, as in core.contacts, would not fit into a token's value.)
    """
    six = batch.ip_version[packet] == 6
    network: U8 = np.where(
        six, batch.dst_hi[packet] >> _IPV6_REST, batch.dst_lo[packet] >> _IPV4_REST
    )
    return network


def _service_port(batch: PacketBatch, packet: I8) -> np.ndarray:
    """The port that names the service of a flow's first packet.

    It is the one the packet goes to, unless that is made up and the one it comes from is not
    (an answer whose question was not seen, or was long ago).
    """
    source, target = batch.src_port[packet], batch.dst_port[packet]
    answer = np.zeros(len(packet), bool)
    for first in _MADE_UP_FROM:
        answer |= (target >= first) & (source < first) & (source > 0)
    return np.where(answer, source, target)


class TokenBook:
    """Adds up token counts until they are taken out."""

    def __init__(self) -> None:
        self._entries: list[Table] = []
        self._length = 0
        self.dropped = 0  # counts of values beyond MAX_VALUES

    def add(
        self,
        session: int,
        tokens: tuple[I8, U8, I8],
        owners: tuple[I8, I8, I8],
    ) -> None:
        """Add what `collect_tokens` gave; `owners` are window, device and row of each group."""
        group, cell, count = tokens
        if not len(group):
            return
        window, device, row = owners
        entry = np.zeros(len(group), _ENTRY)
        entry["session"] = session
        entry["device"] = device[group]
        entry["window"] = window[group]
        entry["cell"] = row[group].astype(np.uint64) << _ROW_SHIFT | cell
        entry["count"] = count
        self._entries.append(entry)
        self._length += len(entry)
        if self._length > _COMPACT_AT:
            self._entries = [self._compact()]
            # Only what has grown again is worth another sort.
            self._length = len(self._entries[0]) // 2

    def drain(self) -> dict[Owner, Table]:
        """Take everything out: rows of TOKEN_DTYPE (period 0) for each owner, sorted."""
        if not self._entries:
            return {}
        entries = self._compact()
        self._entries, self._length = [], 0
        owner_change = np.ones(len(entries), bool)
        owner_change[1:] = False
        for name in ("session", "device", "window"):
            owner_change[1:] |= entries[name][1:] != entries[name][:-1]
        starts = np.flatnonzero(owner_change)
        result = {}
        for begin, end in zip(starts, np.append(starts[1:], len(entries)), strict=True):
            part = entries[begin:end]
            table = np.zeros(len(part), TOKEN_DTYPE)
            table["row"] = part["cell"] >> _ROW_SHIFT
            table["kind"] = (part["cell"] >> _KIND_SHIFT) & np.uint64(_KIND_MASK)
            table["value"] = part["cell"] & np.uint64(0xFFFFFFFF)
            table["count"] = part["count"]
            first = part[0]
            key = (int(first["session"]), int(first["window"]), int(first["device"]))
            result[key] = table
        return result

    def _compact(self) -> Table:
        """Sort, add equal entries up, and keep the commonest values of each row and kind."""
        entries = np.concatenate(self._entries)
        entries = entries[
            np.lexsort((entries["cell"], entries["window"], entries["device"], entries["session"]))
        ]
        same = np.zeros(len(entries), bool)
        same[1:] = True
        for name in ("cell", "window", "device", "session"):
            same[1:] &= entries[name][1:] == entries[name][:-1]
        at = np.flatnonzero(~same)
        total = np.add.reduceat(entries["count"], at)
        entries = entries[at]
        entries["count"] = total
        return self._bound(entries)

    def _bound(self, entries: Table) -> Table:
        kind = entries["cell"] >> _KIND_SHIFT
        change = np.ones(len(entries), bool)
        change[1:] = kind[1:] != kind[:-1]
        for name in ("window", "device", "session"):
            change[1:] |= entries[name][1:] != entries[name][:-1]
        starts = np.flatnonzero(change)
        lengths = np.diff(np.append(starts, len(entries)))
        if not (lengths > MAX_VALUES).any():
            return entries
        keep = np.ones(len(entries), bool)
        for begin, length in zip(starts, lengths, strict=True):
            if length > MAX_VALUES:
                count = entries["count"][begin : begin + length]
                rare = np.argsort(-count, kind="stable")[MAX_VALUES:]
                keep[begin + rare] = False
        self.dropped += int(entries["count"][~keep].sum())
        return entries[keep]

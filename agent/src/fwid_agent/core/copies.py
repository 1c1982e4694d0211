"""Copies of one frame, as a mirror port or two captures of one time make them.

A copy has the same addresses, length and headers (with IP id, sequence numbers and checksums) as a
frame at most `within_ns` before it, from whatever source: a mirror port gives both copies on one.
VLAN tags and the padding of short frames make no difference. A TCP segment that is sent again
comes later (RFC 6298 waits for a fifth of a second at the least) or with another IP id; a frame
that a device truly sends twice within that time counts once, which is why copies are only looked
for where somebody says that there are some. Between two interfaces, or two captures of one time,
that is no question: what is sent twice is in each of them twice.
"""

import hashlib

import numpy as np

from fwid_agent.core.headers import take
from fwid_agent.core.links import read_links
from fwid_agent.types import I8, U8, Bools, FrameBlock, PacketBatch, Table, Undecoded

COPY_WITHIN_NS = 20_000_000
# Frames that later ones are compared with, whatever the clock says: some captures have none.
MAX_REMEMBERED = 1 << 16
_WORDS = 8  # of the network layer and above that are compared
_CONTENT = np.dtype(f"V{_WORDS * 8}")
_LEAST_BYTES = 46  # shorter ones are padded to this on Ethernet
_SHIFT = np.uint64(29)
_RANDOM = hashlib.shake_128(b"copies of frames").digest((_WORDS + 3) * 8)
_FACTORS = np.frombuffer(_RANDOM, np.uint64) | np.uint64(1)
# `leader` is the source that is kept, of frames that are alike and close together.
_SEEN = np.dtype([("hash", "u8"), ("ts_ns", "i8"), ("source", "u2"), ("leader", "u2")])


class CopyFilter:
    """Finds copies, from block to block."""

    def __init__(self, within_ns: int = COPY_WITHIN_NS) -> None:
        self._within_ns = within_ns
        self._hash: U8 = np.zeros(0, np.uint64)  # of frames that later ones may be copies of
        self._ts_ns: I8 = np.zeros(0, np.int64)

    def keep(self, block: FrameBlock, batch: PacketBatch) -> Bools:
        """Return which frames are no copies: [n] bool."""
        before = len(self._hash)
        hashes = np.concatenate([self._hash, hash_frames(block, batch)])
        ts_ns = np.concatenate([self._ts_ns, block.ts_ns])
        order = np.argsort(hashes, kind="stable")
        same = hashes[order][1:] == hashes[order][:-1]
        soon = np.abs(np.diff(ts_ns[order])) <= self._within_ns
        copy = np.zeros(len(hashes), bool)
        copy[order[1:]] = same & soon
        self._remember(hashes, ts_ns)
        return ~copy[before:]

    def _remember(self, hashes: U8, ts_ns: I8) -> None:
        """Keep what the next block's frames may be copies of, as seen from the last frame."""
        hashes, ts_ns = hashes[-MAX_REMEMBERED:], ts_ns[-MAX_REMEMBERED:]
        recent = np.abs(ts_ns - ts_ns[-1:]) <= self._within_ns
        self._hash, self._ts_ns = hashes[recent], ts_ns[recent]


class InterfaceFilter:
    """Finds copies between the interfaces of one capture, from block to block.

    Of frames that are alike and close together, those of the interface that had the first are kept.
    """

    def __init__(self, within_ns: int = COPY_WITHIN_NS) -> None:
        self._within_ns = within_ns
        self._several = False  # interfaces
        self._last: tuple[FrameBlock, PacketBatch] | None = None  # while there is but one
        self._seen = np.zeros(0, _SEEN)  # frames that later ones may be copies of

    def keep(self, block: FrameBlock, batch: PacketBatch) -> Bools | None:
        """Return which frames are no copies: [n] bool; None while there is but one interface."""
        if not len(block.source):
            return None
        if not self._several:
            first = block.source[:1] if self._last is None else self._last[0].source[:1]
            if (block.source == first).all():
                self._last = block, batch
                return None
            if self._last is not None:
                self._remember(_see(*self._last))
            self._several, self._last = True, None
        before = len(self._seen)
        seen = np.concatenate([self._seen, _see(block, batch)])
        order = np.argsort(seen["hash"], kind="stable")
        ordered = seen[order]
        first_alike = np.ones(len(seen), bool)
        first_alike[1:] = ordered["hash"][1:] != ordered["hash"][:-1]
        first_alike[1:] |= np.abs(np.diff(ordered["ts_ns"])) > self._within_ns
        place = np.maximum.accumulate(np.where(first_alike, np.arange(len(seen)), 0))
        seen["leader"][order] = ordered["leader"][place]
        self._remember(seen)
        kept: Bools = (seen["leader"] == seen["source"])[before:]
        return kept

    def _remember(self, seen: Table) -> None:
        seen = seen[-MAX_REMEMBERED:]
        self._seen = seen[np.abs(seen["ts_ns"] - seen["ts_ns"][-1:]) <= self._within_ns]


def _see(block: FrameBlock, batch: PacketBatch) -> Table:
    seen = np.empty(len(block.ts_ns), _SEEN)
    seen["hash"] = hash_frames(block, batch)
    seen["ts_ns"] = block.ts_ns
    seen["source"] = seen["leader"] = block.source
    return seen


def find_near(
    hashes: U8, ts_ns: I8, others: U8, others_ns: I8, within_ns: int = COPY_WITHIN_NS
) -> Bools:
    """Say of each frame [n] whether one of the others [m] is alike, and close to it in time."""
    alike = np.isin(others, hashes)
    count = len(hashes)
    hashes, ts_ns = np.append(hashes, others[alike]), np.append(ts_ns, others_ns[alike])
    order = np.lexsort((ts_ns, hashes))
    hashes, ts_ns, other = hashes[order], ts_ns[order], order >= count
    place = np.arange(len(order))
    before = np.maximum.accumulate(np.where(other, place, -1))
    after = np.minimum.accumulate(np.where(other, place, len(order))[::-1])[::-1]
    near = np.zeros(len(order), bool)
    for neighbour, exists in ((before, before >= 0), (after, after < len(order))):
        at = np.where(exists, neighbour, 0)
        close = np.abs(ts_ns[at] - ts_ns) <= within_ns
        near |= exists & close & (hashes[at] == hashes)
    found = np.empty(len(order), bool)
    found[order] = near
    return found[:count]


def hash_frames(block: FrameBlock, batch: PacketBatch) -> U8:
    """Hash each frame's addresses, and what it carries from its network layer on."""
    at = np.where(batch.undecoded == Undecoded.OK, read_links(block).at, 0)
    room = np.minimum(block.captured_bytes - at, batch.size_bytes)
    rows = take(block.buffer, block.offsets + at, _CONTENT)
    content = rows.view(np.uint8).reshape(len(at), _CONTENT.itemsize)
    content[np.arange(_CONTENT.itemsize) >= room[:, None]] = 0
    words = content.view(np.uint64)
    size = np.maximum(batch.size_bytes, _LEAST_BYTES).astype(np.uint64)
    labels = size << np.uint64(32) | batch.ethertype
    words = np.column_stack([words, batch.src_mac, batch.dst_mac, labels])
    # Mixed before they are added: sequence numbers and checksums move in step.
    words *= _FACTORS
    words ^= words >> _SHIFT
    words *= _FACTORS
    hashed: U8 = words.sum(axis=1, dtype=np.uint64)
    return hashed

"""Copies of one frame, as a mirror port or two sources make them.

A copy has the same addresses, headers and length as a frame less than `within_ns` before it. A
TCP segment that is sent again comes later (RFC 6298 waits for a fifth of a second at the least);
a frame that a device truly sends twice within that time counts once, which is why copies are only
looked for where somebody says that there are some.
"""

import numpy as np

from fwid_agent.types import I8, U8, Bools, FrameBlock, LinkType, PacketBatch

COPY_WITHIN_NS = 20_000_000
_WORDS = 8  # of the network layer and above that are compared
_FACTORS = np.array(
    [0x9E3779B97F4A7C15 * (2 * i + 1) & 0xFFFFFFFFFFFFFFFF | 1 for i in range(_WORDS + 3)],
    np.uint64,
)


class CopyFilter:
    """Finds copies, from block to block."""

    def __init__(self, within_ns: int = COPY_WITHIN_NS) -> None:
        self._within_ns = within_ns
        self._hash: U8 = np.zeros(0, np.uint64)  # of frames that later ones may be copies of
        self._ts_ns: I8 = np.zeros(0, np.int64)

    def keep(self, block: FrameBlock, batch: PacketBatch) -> Bools:
        """Return which frames are no copies: [n] bool."""
        before = len(self._hash)
        hashes = np.concatenate([self._hash, _hash_frames(block, batch)])
        ts_ns = np.concatenate([self._ts_ns, block.ts_ns])
        order = np.argsort(hashes, kind="stable")
        same = hashes[order][1:] == hashes[order][:-1]
        soon = np.abs(np.diff(ts_ns[order])) <= self._within_ns
        copy = np.zeros(len(hashes), bool)
        copy[order[1:]] = same & soon
        if len(ts_ns):
            recent = ts_ns >= ts_ns.max() - self._within_ns
            self._hash, self._ts_ns = hashes[recent], ts_ns[recent]
        return ~copy[before:]


def _hash_frames(block: FrameBlock, batch: PacketBatch) -> U8:
    """Hash each frame from its network layer on, so that a VLAN tag makes no difference."""
    ethernet = block.link_type == LinkType.ETHERNET
    tagged = np.where(batch.vlan > 0, 4, 0)
    skip = np.where(ethernet, 14 + tagged, 0)
    room = np.maximum(block.captured_bytes.astype(np.int64) - skip, 0)
    width = _WORDS * 8
    padded = np.concatenate([block.buffer, np.zeros(width, np.uint8)])
    rows = np.ndarray((len(block.buffer) + 1,), f"V{width}", padded, strides=(1,))
    at = np.minimum(block.offsets + skip, len(block.buffer))
    content = rows[at].view(np.uint8).reshape(len(at), width)
    content = np.where(np.arange(width) < room[:, None], content, 0)
    words = np.ascontiguousarray(content).view(np.uint64)
    hashed: U8 = (words * _FACTORS[:_WORDS]).sum(axis=1, dtype=np.uint64)
    hashed += batch.src_mac * _FACTORS[_WORDS] + batch.dst_mac * _FACTORS[_WORDS + 1]
    hashed += (block.wire_bytes - tagged).astype(np.uint64) * _FACTORS[_WORDS + 2]
    hashed ^= hashed >> np.uint64(32)
    return hashed

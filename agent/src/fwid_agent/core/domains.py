"""Which domain an address was asked for as: read from answers of DNS (RFC 1035) on UDP.

Only where handshakes are kept. An answer may say anything: every length is checked, compressed
names are not followed (the question's own name comes first and whole), and the table is bounded. Of
a name only a number is kept, of its last two labels.
"""

from collections.abc import Iterator
from zlib import crc32

import numpy as np

from fwid_agent.types import U4, U8, FrameBlock, PacketBatch, Undecoded

_UDP, _DNS = 17, 53
_HEADER_BYTES = 12
_ANSWER, _REFUSED = 0x80, 0x0F  # flags: it is one; a code other than "no error"
_A, _AAAA, _INTERNET = 1, 28, 1
_LONGEST_LABEL = 63
_MOST_ANSWERS = 64  # of a message
_MOST_READ = 256  # messages of a block: a flood of answers costs no more
_MOST_KNOWN = 4096  # addresses
_NUMBERS = 4095
_MIX = np.uint64(0x9E3779B97F4A7C15)


class DomainBook:
    """Remembers what addresses were asked for as, the latest name of each."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], int] = {}
        self._hashes = np.zeros(0, np.uint64)  # sorted
        self._numbers = np.zeros(0, np.uint32)

    def update(self, block: FrameBlock, batch: PacketBatch) -> U4:
        """Learn from a block's answers, and say for each packet its peer's domain [n]; 0 unknown.

        Args:
            block, batch: the same frames, raw and decoded.

        """
        before = len(self._known)
        fresh = list(_read_answers(block, batch))
        for address, number in fresh:
            self._known.pop(address, None)
            self._known[address] = number
        while len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]
        if fresh or before != len(self._known):
            self._sort()
        target = self._look_up(batch.dst_hi, batch.dst_lo)
        source = self._look_up(batch.src_hi, batch.src_lo)
        return np.where(target > 0, target, source).astype(np.uint32)

    def _sort(self) -> None:
        halves = np.array(list(self._known), np.uint64).reshape(-1, 2)
        hashes = _hash(halves[:, 0], halves[:, 1])
        order = np.argsort(hashes)
        self._hashes = hashes[order]
        self._numbers = np.array(list(self._known.values()), np.uint32)[order]

    def _look_up(self, high: U8, low: U8) -> U4:
        if not len(self._hashes):
            return np.zeros(len(high), np.uint32)
        wanted = _hash(high, low)
        at = np.minimum(np.searchsorted(self._hashes, wanted), len(self._hashes) - 1)
        return np.where(self._hashes[at] == wanted, self._numbers[at], 0).astype(np.uint32)


def _hash(high: U8, low: U8) -> U8:
    mixed: U8 = (high * _MIX) ^ low
    return mixed


def number_of(name: str) -> int:
    """Return the number of a domain, from 1 on: the same for all names that end in it."""
    domain = ".".join(name.lower().rstrip(".").split(".")[-2:])
    return 1 + crc32(domain.encode("utf-8", "replace")) % _NUMBERS


def _read_answers(block: FrameBlock, batch: PacketBatch) -> Iterator[tuple[tuple[int, int], int]]:
    answers = (batch.proto == _UDP) & (batch.src_port == _DNS) & (batch.payload_bytes > 0)
    answers &= batch.undecoded == Undecoded.OK
    for index in np.flatnonzero(answers)[:_MOST_READ].tolist():
        begin = int(block.offsets[index])
        frame = block.buffer[begin : begin + int(block.captured_bytes[index])].tobytes()
        payload = int(batch.payload_bytes[index])
        # What lies behind the packet is padding; of a cut frame the message's begin is there.
        start = _udp_payload_at(frame, int(batch.src_port[index]), int(batch.dst_port[index]))
        name, addresses = read_message(frame[start : start + payload] if start else b"")
        for address in addresses:
            yield (address >> 64, address & (1 << 64) - 1), number_of(name)


def _udp_payload_at(frame: bytes, source: int, target: int) -> int:
    """Return where the message begins: behind the UDP header that has these ports; 0 nowhere."""
    ports = source.to_bytes(2, "big") + target.to_bytes(2, "big")
    at = frame.find(ports, 14 + 20)
    return at + 8 if at >= 0 else 0


def read_message(message: bytes) -> tuple[str, list[int]]:
    """Return the question of an answer and the addresses in it; nothing where it is not sound."""
    if len(message) < _HEADER_BYTES or not message[2] & _ANSWER or message[3] & _REFUSED:
        return "", []
    questions, answers = (int.from_bytes(message[at : at + 2], "big") for at in (4, 6))
    labels, at = _read_name(message, _HEADER_BYTES)
    if questions != 1 or not labels or not at:
        return "", []
    addresses = []
    at += 4
    for _ in range(min(answers, _MOST_ANSWERS)):
        _, at = _read_name(message, at)
        if not at or at + 10 > len(message):
            break
        kind, group, length = (
            int.from_bytes(message[at + begin : at + begin + 2], "big") for begin in (0, 2, 8)
        )
        value = message[at + 10 : at + 10 + length]
        expected = {_A: 4, _AAAA: 16}.get(kind)
        if group == _INTERNET and length == len(value) == expected:
            addresses.append(int.from_bytes(value, "big"))
        at += 10 + length
    return ".".join(labels), addresses


def _read_name(message: bytes, at: int) -> tuple[list[str], int]:
    """Return a name's labels up to a reference, and where it ends; 0 where it is not sound."""
    labels: list[str] = []
    while at < len(message):
        length = message[at]
        if length == 0:
            return labels, at + 1
        if length >= 0xC0:
            return labels, at + 2
        if length > _LONGEST_LABEL or at + 1 + length > len(message):
            break
        labels.append(message[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return [], 0

"""Addresses that keep their common prefixes and nothing else: Crypto-PAn.

J. Xu, J. Fan, M. H. Ammar, S. B. Moon: "Prefix-Preserving IP Address Anonymization:
Measurement-based Security Evaluation and a New Cryptography-based Scheme", ICNP 2002. Whether a bit
is turned depends on the bits before it and the key alone, so that two addresses that begin alike
still do, and by as many bits. For IPv6 the same is done with 128 bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from fwid_agent.types import U8, Bools

KEY_BYTES = 32
_PIECE = 2048  # addresses at once: 4 MB of cipher text


@dataclass(frozen=True, slots=True)
class Kept:
    """A block of addresses that is mapped onto itself, and whether each address in it is too."""

    network: IPv4Network | IPv6Network
    whole: bool = False


class PrefixCipher:
    """Maps addresses one to one.

    Blocks that are to be kept are fixed by leaving alone every bit on the way to them, which is a
    prefix-preserving map too. Of an address outside such a block the bits that it shares with the
    block, and one more, stay as they are.

    Args:
        key: 32 bytes: AES's key, and what the padding is made of.
        kept: blocks of one family.
        bits: 32 or 128.

    """

    def __init__(self, key: bytes, bits: int, kept: Sequence[Kept] = ()) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        self._bits = bits
        self._cipher = Cipher(algorithms.AES(key[:16]), modes.ECB())  # noqa: S305 - one block each
        pad = self._encrypt(key[16:])
        self._pad = np.unpackbits(np.frombuffer(pad, np.uint8)).astype(bool)
        self._kept = [(_bits_of(each.network, bits), each.whole) for each in kept]

    def map(self, addresses: U8) -> U8:
        """Map addresses [n, 2]: upper and lower 64 bits, those of IPv4 in the lower ones."""
        unique, inverse = np.unique(addresses, axis=0, return_inverse=True)
        mapped = [
            self._map(unique[begin : begin + _PIECE]) for begin in range(0, len(unique), _PIECE)
        ]
        if not mapped:
            return addresses.copy()
        result: U8 = np.concatenate(mapped)[inverse.reshape(-1)]
        return result

    def _map(self, addresses: U8) -> U8:
        packed = np.ascontiguousarray(addresses.astype(">u8")).view(np.uint8).reshape(-1, 16)
        bits = np.unpackbits(packed, axis=1).astype(bool)[:, 128 - self._bits :]
        flips = self._flips(bits)
        for prefix, whole in self._kept:
            same = np.logical_and.accumulate(bits[:, : len(prefix)] == prefix, axis=1)
            flips[:, 0] = False
            flips[:, 1 : len(prefix)] &= ~same[:, :-1]
            if whole:
                flips[same[:, -1]] = False
        turned = np.zeros((len(bits), 128), bool)
        turned[:, 128 - self._bits :] = bits ^ flips
        result: U8 = np.packbits(turned, axis=1).view(">u8").astype(np.uint64)
        return result

    def _flips(self, bits: Bools) -> Bools:
        """Return which bits [n, bits] are turned."""
        count = len(bits)
        blocks = np.broadcast_to(self._pad, (count, self._bits, 128)).copy()
        known = np.tri(self._bits, self._bits, -1, dtype=bool)  # position x the bits before it
        blocks[:, :, : self._bits] = np.where(known, bits[:, None, :], self._pad[: self._bits])
        encrypted = self._encrypt(np.packbits(blocks, axis=2).tobytes())
        first = np.frombuffer(encrypted, np.uint8)[::16].reshape(count, self._bits)
        flips: Bools = first >> 7 == 1
        return flips

    def _encrypt(self, blocks: bytes) -> bytes:
        encryptor = self._cipher.encryptor()
        return encryptor.update(blocks) + encryptor.finalize()


def _bits_of(network: IPv4Network | IPv6Network, bits: int) -> Bools:
    packed = np.frombuffer(network.network_address.packed, np.uint8)
    if len(packed) * 8 != bits:
        raise ValueError(f"{network} has no addresses of {bits} bits")
    prefix: Bools = np.unpackbits(packed).astype(bool)[: network.prefixlen]
    return prefix

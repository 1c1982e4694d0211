"""Addresses of a home under a key that stays in it: the same address is always called the same.

Kept, because readers tell the home from the cloud by them: the private, link-local and group
ranges, and the first three bits of IPv6. Within a range all bits are turned by the key, but for the
group addresses that every network has (mDNS, SSDP and the like).
"""

import hashlib
import hmac
import os
from ipaddress import ip_network
from pathlib import Path

import numpy as np

from fwid_agent.core.devices import GROUP_BIT, is_randomised
from fwid_agent.errors import UsageError
from fwid_agent.export.prefix_cipher import KEY_BYTES, Kept, PrefixCipher
from fwid_agent.types import U8

_KEPT_4 = (
    *(Kept(ip_network(each)) for each in ("0.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12")),
    *(Kept(ip_network(each)) for each in ("192.168.0.0/16", "169.254.0.0/16", "224.0.0.0/4")),
    Kept(ip_network("224.0.0.0/24"), whole=True),
    Kept(ip_network("239.255.255.250/32"), whole=True),
    Kept(ip_network("255.255.255.255/32"), whole=True),
)
_KEPT_6 = (
    *(Kept(ip_network(each)) for each in ("2000::/3", "fc00::/7", "fe80::/10", "ff00::/8")),
    Kept(ip_network("ff02::/112"), whole=True),
)
_BROADCAST = (1 << 48) - 1
_VENDOR = 0xFFFFFF << 24
_LOCAL_BIT = 1 << 41
_GROUP_4, _GROUP_6 = 0x01005E000000, 0x333300000000
# Groups below the network layer that a standard names (bridges, LLDP): the same in every home.
_STANDARD = 0x0180C2000000


class Pseudonyms:
    """Every address under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._four = PrefixCipher(key, 32, _KEPT_4)
        self._six = PrefixCipher(key, 128, _KEPT_6)

    def ip(self, high: U8, low: U8, version: int) -> tuple[U8, U8]:
        """Return addresses [n] of one family, as upper and lower 64 bits."""
        cipher = self._four if version == 4 else self._six
        mapped = cipher.map(np.stack([high, low], axis=1))
        return mapped[:, 0], mapped[:, 1]

    def mac(self, mac: int) -> int:
        """Return what a unicast address is called: its vendor part stays, if it has one."""
        digest = hmac.new(self._key, b"mac" + mac.to_bytes(6, "big"), hashlib.sha256).digest()
        number = int.from_bytes(digest[:6], "big")
        if is_randomised(mac):
            return (number & ~GROUP_BIT) | _LOCAL_BIT
        return (mac & _VENDOR) | (number & ~_VENDOR & _BROADCAST)

    def macs(self, macs: U8, ip_version: U8, low: U8) -> U8:
        """Return what addresses [n] are called, those of groups by the group's own address.

        Args:
            macs: senders or receivers.
            ip_version: [n] 4, 6 or 0.
            low: [n] lower 64 bits of the network address under its pseudonym.

        """
        unique, inverse = np.unique(macs, return_inverse=True)
        called = np.array([self._unicast_or_not(mac) for mac in unique.tolist()], np.uint64)
        result: U8 = called[inverse]
        group_4 = (result == _GROUP_4) & (ip_version == 4)  # RFC 1112, section 6.4
        result[group_4] |= low[group_4] & np.uint64(0x7FFFFF)
        group_6 = (result == _GROUP_6) & (ip_version == 6)  # RFC 2464, section 7
        result[group_6] |= low[group_6] & np.uint64(0xFFFFFFFF)
        return result

    def _unicast_or_not(self, mac: int) -> int:
        if mac in (0, _BROADCAST):
            return mac
        if not mac & GROUP_BIT:
            return self.mac(mac)
        if mac & 0xFFFFFFFFFF00 == _STANDARD:
            return mac
        if mac >> 32 == _GROUP_6 >> 32:
            return _GROUP_6
        if mac & _VENDOR == _GROUP_4:
            return _GROUP_4
        return mac & _VENDOR


def read_key(path: Path) -> bytes:
    """Return the key of this home, made at the first time; only its owner can read it.

    Raises:
        UsageError: the file is no key, or cannot be read or made.

    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(os.urandom(KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: cannot be used as key ({error.strerror or error})") from error
    if len(key) != KEY_BYTES:
        raise UsageError(f"{path}: is no key of {KEY_BYTES} bytes; name another file with --key")
    return key

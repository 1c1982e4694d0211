"""Which MAC address a packet belongs to, and whether its peer is in the home or in the cloud.

A device is a unicast MAC address on the local side. A packet from a global address is not the
packet of the MAC that sends it but was forwarded by it: that MAC is a gateway. IPv4 shows this
packet by packet; an IPv6 packet is taken as forwarded once its sender is known as a gateway.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.types import F8, I4, I8, U1, U8, Bools, PacketBatch

GROUP_BIT, _LOCAL_BIT = 1 << 40, 1 << 41
_NO_DEVICE = -1


def _global_ipv4() -> Bools:
    """Table over the upper 16 bits: which IPv4 addresses are global unicast (RFC 6890).

    Special networks smaller than a /16 (192.0.0.0/24 and those for documentation) are seen on no
    home network and lie among public ones: they are taken as global.
    """
    table = np.ones(1 << 16, bool)
    table[0x0000:0x0100] = False  # "this network"
    table[0x0A00:0x0B00] = False  # private
    table[0x6440:0x6480] = False  # carrier-grade NAT
    table[0x7F00:0x8000] = False  # loopback
    table[0xA9FE] = False  # link-local
    table[0xAC10:0xAC20] = False  # private
    table[0xC0A8] = False  # private
    table[0xC612:0xC614] = False  # benchmarks
    table[0xE000:] = False  # multicast, reserved, broadcast
    return table


_GLOBAL_IPV4 = _global_ipv4()


@dataclass(frozen=True, slots=True)
class Sides:
    """Whose packet each is; one element a packet."""

    sender: I4  # index of the sending device; -1 where forwarded or none
    receiver: I4  # index of the receiving device; -1 for multicast or none
    sent_to_cloud: U1  # 1: the peer of the sender is in the cloud
    from_cloud: U1  # 1: the peer of the receiver is in the cloud


@dataclass(frozen=True, slots=True)
class DeviceCounts:
    """What was counted of each MAC so far; one element a MAC, in the order of their indices."""

    mac: U8
    packets_sent: F8  # frames with this source, forwarded ones too
    packets_received: F8
    bytes: F8
    first_ns: I8
    last_ns: I8
    gateway: Bools


def is_randomised(mac: int) -> bool:
    """Say whether a MAC was made up by its device instead of given by its maker."""
    return mac & (_LOCAL_BIT | GROUP_BIT) == _LOCAL_BIT


class DeviceTracker:
    """Knows the MAC addresses seen so far, until they are forgotten.

    Args:
        max_devices: bound of the table. MACs beyond it are counted in `overflow` and have no
            index: a flood of made-up addresses cannot grow the memory.

    """

    def __init__(self, max_devices: int = 1024) -> None:
        self._max = max_devices
        self._sorted = np.zeros(0, np.uint64)
        self._index = np.zeros(0, np.int32)  # of the sorted MACs
        self._macs = np.zeros(0, np.uint64)  # of each index; 0: nobody's, to be given away
        self._sent = np.zeros(max_devices)
        self._received = np.zeros(max_devices)
        self._bytes = np.zeros(max_devices)
        # One place more takes the times of packets that are nobody's, whose index is -1.
        self._first_ns = np.full(max_devices + 1, np.iinfo(np.int64).max)
        self._last_ns = np.zeros(max_devices + 1, np.int64)
        self._gateway = np.zeros(max_devices, bool)
        self.overflow = 0  # packets of MACs beyond the bound

    def __len__(self) -> int:
        """MACs that have an index."""
        return len(self._sorted)

    @property
    def macs(self) -> U8:
        """MAC of each index; 0 where it is nobody's."""
        return self._macs

    @property
    def gateway(self) -> Bools:
        """Whether each index forwards what others send."""
        return self._gateway[: len(self._macs)]

    def update(self, batch: PacketBatch) -> Sides:
        """Count the packets of a batch and say whose they are."""
        source = self._find(batch.src_mac)
        target = self._find(batch.dst_mac)
        self._count(batch, source, target)
        four, six = batch.ip_version == 4, np.flatnonzero(batch.ip_version == 6)
        source_global = four & _GLOBAL_IPV4[(batch.src_lo >> np.uint64(16)) & np.uint64(0xFFFF)]
        target_global = four & _GLOBAL_IPV4[(batch.dst_lo >> np.uint64(16)) & np.uint64(0xFFFF)]
        forwarded = source_global.copy()
        evidence = np.flatnonzero(source_global & (source >= 0))
        if len(six):
            known_at = self._gateways_known_at(source, evidence)
            source_hi, target_hi = batch.src_hi[six], batch.dst_hi[six]
            # The same /64 is the same home, also with global addresses.
            away = source_hi != target_hi
            source_global[six] = away & (source_hi >> np.uint64(61) == 1)
            target_global[six] = away & (target_hi >> np.uint64(61) == 1)
            known = (source[six] >= 0) & (known_at[source[six]] < six)
            forwarded[six] = known & source_global[six]
        self._gateway[source[evidence]] = True
        sender = np.where(forwarded, _NO_DEVICE, source).astype(np.int32)
        return Sides(sender, target, target_global.astype(np.uint8), source_global.astype(np.uint8))

    def counts(self) -> DeviceCounts:
        """Everything counted so far."""
        at = np.flatnonzero(self._macs)
        return DeviceCounts(
            self._macs[at],
            self._sent[at],
            self._received[at],
            self._bytes[at],
            self._first_ns[at],
            self._last_ns[at],
            self._gateway[at],
        )

    def forget(self, macs: U8) -> I4:
        """Forget MACs and give their indices, which others get from now on."""
        index = self._look_up(macs)
        index = index[index >= 0]
        self._macs = self._macs.copy()  # others may hold it
        for column in (self._macs, self._sent, self._received, self._bytes, self._last_ns):
            column[index] = 0
        self._first_ns[index] = np.iinfo(np.int64).max
        self._gateway[index] = False
        self._sort()
        return index

    def _gateways_known_at(self, source: I4, evidence: I8) -> I8:
        """Place in the batch from which on each device is known as a gateway."""
        known_at = np.full(self._max, len(source))
        # Of several values assigned to one place the last stays: that of the first packet.
        known_at[source[evidence[::-1]]] = evidence[::-1]
        known_at[self._gateway] = -1
        return known_at

    def _find(self, macs: U8) -> I4:
        """Index of each MAC; new ones get the next free index, in the order of the batch."""
        index = self._look_up(macs)
        unknown = (index < 0) & (macs & np.uint64(GROUP_BIT) == 0) & (macs != 0)
        if unknown.any():
            self._add(macs[unknown])
            index[unknown] = self._look_up(macs[unknown])
            self.overflow += int((index[unknown] < 0).sum())
        return index

    def _look_up(self, macs: U8) -> I4:
        if not len(self._sorted):
            return np.full(len(macs), _NO_DEVICE, np.int32)
        at = np.minimum(np.searchsorted(self._sorted, macs), len(self._sorted) - 1)
        return np.where(self._sorted[at] == macs, self._index[at], _NO_DEVICE).astype(np.int32)

    def _add(self, macs: U8) -> None:
        new, first = np.unique(macs, return_index=True)
        new = new[np.argsort(first)]
        free = np.flatnonzero(self._macs == 0)
        again = min(len(free), len(new))
        grown = new[again : again + self._max - len(self._macs)]
        self._macs = np.concatenate([self._macs, grown])
        self._macs[free[:again]] = new[:again]
        self._sort()

    def _sort(self) -> None:
        at = np.flatnonzero(self._macs)
        order = at[np.argsort(self._macs[at])]
        self._sorted, self._index = self._macs[order], order.astype(np.int32)

    def _count(self, batch: PacketBatch, source: I4, target: I4) -> None:
        n = len(self._macs)
        if not n:
            return
        wire = batch.wire_bytes.astype(np.float64)
        for side, packets in ((source, self._sent), (target, self._received)):
            # One place more takes what belongs to no device.
            packets[:n] += np.bincount(side + 1, minlength=n + 1)[1:]
            self._bytes[:n] += np.bincount(side + 1, wire, n + 1)[1:]
            np.minimum.at(self._first_ns, side, batch.ts_ns)
            np.maximum.at(self._last_ns, side, batch.ts_ns)

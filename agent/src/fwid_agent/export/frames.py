"""Frames of headers alone, built anew from what was decoded.

Nothing of a frame is copied: every field that is given is written from a column that is known, so
that nothing can come along unseen. Given are MAC addresses and network addresses under pseudonyms,
EtherType, IP version, TTL, protocol and length, ports, TCP flags, window, and the options of a SYN
with the values of segment size and window scale. Everything else is 0: identifiers, sequence
numbers, time stamps and checksums (which the payload and the true addresses are part of) would let
somebody who saw the same traffic elsewhere find it again. The IPv4 header's checksum is made anew.

ARP, DHCP, mDNS and all else that carries addresses or names in its body lose the body, as does
every payload. VLAN tags, cooked headers and IPv6 extension headers go; sizes of the network layer
stay as they were.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.core import headers
from fwid_agent.core.links import read_links
from fwid_agent.export.pseudonyms import Pseudonyms
from fwid_agent.types import I8, U1, U4, U8, Bools, FrameBlock, PacketBatch, Undecoded

ETHERNET_BYTES = 14
_WIDTH = ETHERNET_BYTES + 60 + 60  # the longest headers of IPv4 and TCP
_TCP, _UDP, _FRAGMENT, _AUTHENTICATION = 6, 17, 44, 51
_SYN = 0x02
_LATER = 185  # an offset of fragments, in units of 8 bytes: which one it was is not told
# Options of TCP by their number: the bytes of the value that are given.
_TOLD = {2: 2, 3: 1}  # maximum segment size, window scale
_LENGTH_MAX = 0xFFFF


@dataclass(frozen=True, slots=True)
class GivenFrames:
    """Frames as they are given, one behind the other."""

    buffer: U1
    length: U4  # [n] bytes in the buffer
    wire_bytes: U4  # [n]
    ts_ns: I8  # [n]


def give(block: FrameBlock, batch: PacketBatch, chosen: Bools, names: Pseudonyms) -> GivenFrames:
    """Build the frames that are given for the chosen ones [n] of a block; undecoded ones are not.

    Args:
        block, batch: the same frames, raw and decoded.
        chosen: [n]
        names: what addresses are called.

    """
    at = np.flatnonzero(chosen & (batch.undecoded == Undecoded.OK))
    frames = _Frames(block, batch, at, read_links(block).at[at])
    frames.build(names)
    return frames.given()


class _Frames:
    """A table of frames, one a row, each with its length."""

    def __init__(self, block: FrameBlock, batch: PacketBatch, at: I8, network: I8) -> None:
        self._block = block
        self._batch = batch
        self._at = at  # in the batch
        self._network = network  # where the network layer began
        self._rows = np.zeros((len(at), _WIDTH), np.uint8)
        self._length = np.full(len(at), ETHERNET_BYTES, np.int64)

    def build(self, names: Pseudonyms) -> None:
        batch, at = self._batch, self._at
        source = batch.src_hi[at], batch.src_lo[at]
        target = batch.dst_hi[at], batch.dst_lo[at]
        version = batch.ip_version[at]
        for kind, write in ((4, self._write_ipv4), (6, self._write_ipv6)):
            which = np.flatnonzero(version == kind)
            if len(which):
                for high, low in (source, target):
                    high[which], low[which] = names.ip(high[which], low[which], kind)
                write(which, source, target)
        known = version.astype(np.uint64)
        macs = [
            names.macs(mac[at], known, low)
            for mac, low in ((batch.dst_mac, target[1]), (batch.src_mac, source[1]))
        ]
        self._write_ethernet(*macs)

    def given(self) -> GivenFrames:
        kept = np.arange(_WIDTH) < self._length[:, None]
        wire = self._batch.wire_bytes[self._at].astype(np.int64) - self._network + ETHERNET_BYTES
        return GivenFrames(
            self._rows[kept],
            self._length.astype(np.uint32),
            np.maximum(wire, self._length).astype(np.uint32),
            self._batch.ts_ns[self._at],
        )

    def _write_ethernet(self, target: U8, source: U8) -> None:
        rows = np.zeros(len(self._at), headers.ETHERNET)
        for name, mac in (("dst", target), ("src", source)):
            rows[f"{name}_high"] = mac >> np.uint64(32)
            rows[f"{name}_low"] = mac & np.uint64(0xFFFFFFFF)
        kind = self._batch.ethertype[self._at]
        size = np.minimum(self._batch.size_bytes[self._at], 1500)  # 802.3: the field is a length
        rows["type"] = np.where(kind > 0, kind, size)
        self._put(np.arange(len(rows)), np.zeros(len(rows), np.int64), rows)

    def _write_ipv4(self, which: I8, source: tuple[U8, U8], target: tuple[U8, U8]) -> None:
        batch, at = self._batch, self._at[which]
        size = batch.size_bytes[at].astype(np.int64)
        header = self._raw(which, 0)["version"].astype(np.int64) % 16 * 4
        later = self._later(at, size - header)
        rows = np.zeros(len(which), headers.IPV4)
        rows["version"] = 0x40 | header // 4
        rows["length"] = np.minimum(size, _LENGTH_MAX)
        rows["fragment"] = np.where(later, _LATER, 0)
        rows["ttl"], rows["proto"] = batch.ttl[at], batch.proto[at]
        rows["src"], rows["dst"] = source[1][which], target[1][which]
        words = rows.view(">u2").reshape(len(rows), -1).astype(np.int64).sum(axis=1)
        words = (words & 0xFFFF) + (words >> 16)  # RFC 1071
        rows["checksum"] = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF
        self._put(which, np.full(len(which), ETHERNET_BYTES), rows)
        self._length[which] += header
        self._write_transport(which[~later], (size - header)[~later])

    def _write_ipv6(self, which: I8, source: tuple[U8, U8], target: tuple[U8, U8]) -> None:
        batch, at = self._batch, self._at[which]
        size = batch.size_bytes[at].astype(np.int64)
        room = size - 40
        payload = batch.payload_bytes[at].astype(np.int64)
        ports = (batch.src_port[at] > 0) | (batch.dst_port[at] > 0)
        connected = (batch.proto[at] == _TCP) | (batch.proto[at] == _UDP)
        later = connected & ~ports & (room - payload >= 8) & ((room - payload) % 8 == 0)
        later &= self._raw(which, 6)["version"] != batch.proto[at]
        rows = np.zeros(len(which), headers.IPV6)
        rows["version"] = 0x60
        rows["length"] = np.clip(room, 0, _LENGTH_MAX)
        rows["next"] = np.where(later, _FRAGMENT, batch.proto[at])
        rows["hops"] = batch.ttl[at]
        for name, (high, low) in (("src", source), ("dst", target)):
            rows[f"{name}_hi"], rows[f"{name}_lo"] = high[which], low[which]
        self._put(which, np.full(len(which), ETHERNET_BYTES), rows)
        self._length[which] += 40
        fragments = np.zeros(int(later.sum()), headers.EXTENSION)
        fragments["next"] = batch.proto[at][later]
        fragments["fragment"] = _LATER << 3
        self._put(which[later], self._length[which[later]], fragments)
        self._length[which[later]] += 8
        self._write_transport(which[~later], room[~later])

    def _later(self, at: I8, room: I8) -> Bools:
        """Say which packets are fragments behind the first: all of them is payload."""
        batch = self._batch
        connected = (batch.proto[at] == _TCP) | (batch.proto[at] == _UDP)
        later: Bools = connected & (batch.payload_bytes[at] == room) & (room > 0)
        later &= (batch.src_port[at] == 0) & (batch.dst_port[at] == 0)
        return later

    def _write_transport(self, which: I8, room: I8) -> None:
        batch, at = self._batch, self._at[which]
        payload = batch.payload_bytes[at].astype(np.int64)
        tcp, udp = batch.proto[at] == _TCP, batch.proto[at] == _UDP
        rows = np.zeros(len(which), headers.TCP)
        rows["src"], rows["dst"] = batch.src_port[at], batch.dst_port[at]
        header = np.clip((room - payload) // 4 * 4, 20, 60)
        rows["offset"] = header // 4 << 4
        rows["flags"], rows["window"] = batch.tcp_flags[at], batch.window[at]
        self._put(which[tcp], self._length[which[tcp]], rows[tcp])
        syn = np.flatnonzero(tcp & (batch.tcp_flags[at] & _SYN > 0))
        for index in syn.tolist():
            self._write_options(int(which[index]), int(header[index]))
        self._length[which[tcp]] += header[tcp]
        ports = np.zeros(int(udp.sum()), np.dtype(">u2, >u2, >u2, >u2"))
        ports["f0"], ports["f1"] = rows["src"][udp], rows["dst"][udp]
        ports["f2"] = np.minimum(room[udp], _LENGTH_MAX)
        self._put(which[udp], self._length[which[udp]], ports)
        self._length[which[udp]] += 8

    def _write_options(self, row: int, header: int) -> None:
        """Write the kinds and lengths of a SYN's options, and the values that are told."""
        index = int(self._at[row])
        begin = int(self._block.offsets[index])
        network = self._block.buffer[
            begin + int(self._network[row]) : begin + int(self._block.captured_bytes[index])
        ].tobytes()
        start = _transport_at(network) + 20
        told = clean_options(network[start : start + header - 20])
        to = int(self._length[row]) + 20
        self._rows[row, to : to + len(told)] = np.frombuffer(told, np.uint8)

    def _raw(self, which: I8, offset: int) -> np.ndarray:
        """Return one byte of the network header of each row."""
        begin = self._block.offsets[self._at[which]] + self._network[which] + offset
        return headers.take(self._block.buffer, begin, np.dtype([("version", "u1")]))

    def _put(self, which: I8, start: I8, rows: np.ndarray) -> None:
        """Write a header into each of these rows, from `start` on."""
        if len(which):
            width = rows.dtype.itemsize
            columns = start[:, None] + np.arange(width)
            self._rows[which[:, None], columns] = rows.view(np.uint8).reshape(len(rows), width)


def _transport_at(network: bytes) -> int:
    """Return where the transport header begins in a packet whose headers are known to be sound."""
    if network[0] >> 4 == 4:
        return network[0] % 16 * 4
    following, at = network[6], 40
    while following != _TCP and at + 2 <= len(network):
        units = 0 if following == _FRAGMENT else network[at + 1]
        step = (units + 2) * 4 if following == _AUTHENTICATION else (units + 1) * 8
        following, at = network[at], at + step
    return at


def clean_options(raw: bytes) -> bytes:
    """Return TCP options with every value that is not told as zeros; cut where they are damaged."""
    result = bytearray()
    at = 0
    while at < len(raw) and raw[at] != 0:
        if raw[at] == 1:
            result.append(1)
            at += 1
            continue
        length = raw[at + 1] if at + 1 < len(raw) else 0
        if length < 2 or at + length > len(raw):
            break
        value = raw[at + 2 : at + length]
        told = _TOLD.get(raw[at]) == len(value)
        result += raw[at : at + 2] + (value if told else bytes(len(value)))
        at += length
    return bytes(result)

"""An export: captures in, one capture of headers out, and a list of exactly what is in it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

import numpy as np

from fwid_agent.capture.files import find_captures
from fwid_agent.core.packets import decode_packets
from fwid_agent.errors import UsageError
from fwid_agent.export import pcapng
from fwid_agent.export.frames import GivenFrames, give
from fwid_agent.export.merging import merge_captures
from fwid_agent.export.pseudonyms import Pseudonyms
from fwid_agent.types import Bools, FrameBlock, PacketBatch, Undecoded, format_mac, format_time

_DAY_NS = 86_400 * 1_000_000_000
_SAMPLES = 5  # frames of each device that are shown whole


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which frames are given."""

    devices: tuple[int, ...]  # MACs
    days: frozenset[int]  # days since the epoch (UTC); empty: all


@dataclass
class GivenSummary:
    """What an export holds."""

    packets: Counter[tuple[int, int]] = field(default_factory=Counter)  # by MAC and day
    bytes: int = 0  # of the file
    left_out: int = 0  # frames of the devices and days that have no readable headers
    names: dict[int, int] = field(default_factory=dict)  # MACs and what they are called
    addresses: int = 0  # packets with a network address, all under pseudonyms
    samples: dict[int, list[str]] = field(default_factory=dict)  # by MAC: frames, as read back

    def days(self, device: int) -> list[int]:
        """Return the days of which something of this device is given."""
        return sorted(day for mac, day in self.packets if mac == device)


def export(
    paths: Sequence[str],
    chosen: Chosen,
    key: bytes,
    write: Callable[[bytes], object],
    on_note: Callable[[str], None],
) -> GivenSummary:
    """Write the headers of the chosen frames of all captures, in the order of time.

    Args:
        paths: captures and folders of captures.
        chosen: which frames.
        key: of this home (see pseudonyms.read_key).
        write: takes the bytes of the file, in order.
        on_note: is told which files are no captures.

    Returns:
        What was given.

    Raises:
        UnreadableInputError: a capture cannot be read (further).
        UsageError: nothing is there of what was chosen.

    """
    found = find_captures(paths)
    for note in found.notes:
        on_note(note)
    pseudonyms = Pseudonyms(key)
    summary = GivenSummary(names={mac: pseudonyms.mac(mac) for mac in chosen.devices})
    _write(summary, write, pcapng.section())

    def give_block(block: FrameBlock) -> GivenFrames:
        batch = decode_packets(block)
        mine = _choose(batch, chosen)
        _count(summary, batch, mine, chosen)
        given = give(block, batch, mine, pseudonyms)
        _sample(summary, given)
        return given

    for frames in merge_captures(found.captures, give_block):
        _write(summary, write, pcapng.packets(frames))
    if not summary.packets:
        raise UsageError("no packet of the chosen devices and days is in these captures")
    return summary


def _choose(batch: PacketBatch, chosen: Chosen) -> Bools:
    macs = np.array(chosen.devices, np.uint64)
    mine: Bools = np.isin(batch.src_mac, macs) | np.isin(batch.dst_mac, macs)
    if chosen.days:
        mine &= np.isin(batch.ts_ns // _DAY_NS, np.array(sorted(chosen.days), np.int64))
    return mine


def _write(summary: GivenSummary, write: Callable[[bytes], object], data: bytes) -> None:
    write(data)
    summary.bytes += len(data)


def _count(summary: GivenSummary, batch: PacketBatch, mine: Bools, chosen: Chosen) -> None:
    readable = mine & (batch.undecoded == Undecoded.OK)
    summary.left_out += int(mine.sum() - readable.sum())
    summary.addresses += int((readable & (batch.ip_version > 0)).sum())
    for mac in chosen.devices:
        of_device = readable & ((batch.src_mac == mac) | (batch.dst_mac == mac))
        days, counts = np.unique(batch.ts_ns[of_device] // _DAY_NS, return_counts=True)
        for day, count in zip(days.tolist(), counts.tolist(), strict=True):
            summary.packets[mac, day] += count


def _sample(summary: GivenSummary, given: GivenFrames) -> None:
    """Keep the first frames of each device as text, read back from what was written."""
    wanted = [mac for mac in summary.names if len(summary.samples.get(mac, ())) < _SAMPLES]
    if not wanted:
        return
    batch = decode_packets(_as_block(given))
    for mac in wanted:
        called = summary.names[mac]
        of_device = np.flatnonzero((batch.src_mac == called) | (batch.dst_mac == called))
        lines = summary.samples.setdefault(mac, [])
        for index in of_device[: _SAMPLES - len(lines)].tolist():
            lines.append(describe(batch, index))


def _as_block(given: GivenFrames) -> FrameBlock:
    length = given.length.astype(np.int64)
    count = len(length)
    return FrameBlock(
        given.buffer,
        np.cumsum(length) - length,
        given.length,
        given.wire_bytes,
        given.ts_ns,
        np.ones(count, np.uint16),
        np.zeros(count, np.uint16),
    )


def describe(batch: PacketBatch, index: int) -> str:
    """Write one packet on a line: all that its frame tells."""
    version = int(batch.ip_version[index])
    ends = []
    for side in ("src", "dst"):
        end = format_mac(int(getattr(batch, f"{side}_mac")[index]))
        if version:
            high, low = (int(getattr(batch, f"{side}_{half}")[index]) for half in ("hi", "lo"))
            address = IPv4Address(low) if version == 4 else IPv6Address(high << 64 | low)
            end += f" {address}"
        port = int(getattr(batch, f"{side}_port")[index])
        ends.append(f"{end} port {port}" if port else end)
    what = f"IP protocol {batch.proto[index]}" if version else "EtherType "
    if not version:
        what += f"0x{int(batch.ethertype[index]):04x}"
    return (
        f"{format_time(int(batch.ts_ns[index]))}  {ends[0]} > {ends[1]}  {what}, "
        f"{int(batch.size_bytes[index])} bytes"
    )

"""One pass over captures: frames to packets, flows and unit tables, stage by stage."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from fwid_agent.capture.files import (
    CaptureFile,
    CaptureReader,
    find_captures,
    in_order,
    open_capture,
)
from fwid_agent.config import Config
from fwid_agent.core.contacts import ContactBook
from fwid_agent.core.devices import DeviceTracker, Sides
from fwid_agent.core.flows import FlowTable
from fwid_agent.core.handshakes.gathering import Gathering
from fwid_agent.core.handshakes.reading import HandshakeReader
from fwid_agent.core.handshakes.texts import TextBook
from fwid_agent.core.host_names import read_host_names
from fwid_agent.core.packets import count_undecoded, decode_packets
from fwid_agent.core.segments import find_unsplit, first_segments, split_segments
from fwid_agent.core.units import UnitAccumulator
from fwid_agent.errors import UnreadableInputError
from fwid_agent.pipeline.duplicates import Duplicates
from fwid_agent.pipeline.messages import OnNote, OnProgress, Progress
from fwid_agent.pipeline.oddities import Oddities
from fwid_agent.pipeline.sampling import FlowSampler, Followed, Samples
from fwid_agent.tables import merge_tables
from fwid_agent.types import (
    ContactTable,
    FlowMarks,
    FrameBlock,
    HandshakeText,
    PacketBatch,
    PacketValues,
    UnitTable,
)

SECOND_NS = 1_000_000_000
# Damaged time stamps can be any 64 bits; what is computed from them has to fit into as many.
_AHEAD_NS = 86_400 * SECOND_NS  # clocks differ, but nothing was captured the day after tomorrow


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How captures are read."""

    window_ns: int
    per_file: bool  # windows start with the file instead of at multiples of their length
    dedup: bool  # a source shows frames twice
    config: Config
    own: frozenset[int] = frozenset()  # MACs of the machine that watches
    several_sources: bool = False  # whose frames are the same in part
    flows: bool = False  # a sample of each device's flows is wanted


@dataclass(frozen=True, slots=True)
class Gain:
    """What was added up since the last time, by MAC."""

    windows: Mapping[int, UnitTable]
    contacts: Mapping[int, ContactTable]
    names: Mapping[int, str]  # that devices give themselves; none unless that is asked for
    texts: Mapping[int, tuple[HandshakeText, ...]]  # of their handshakes; the same holds
    flows: Samples  # none unless that is asked for


class Ingest:
    """The stages from packets to unit tables, with what they count; one session at a time."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self.devices = DeviceTracker(options.config.max_devices)
        self._accumulator = UnitAccumulator(options.window_ns, options.config.unit_s * SECOND_NS)
        self._contacts = ContactBook(options.window_ns, options.own)
        self._names: dict[int, str] = {}
        self._handshakes = HandshakeReader() if options.config.handshakes else None
        self._gathering = Gathering()
        self._sampler = _make_sampler(options)
        self.packets = 0
        self.bytes = 0
        self.merged: Counter[int] = Counter()  # by source: frames of packets that nobody can tell
        self.flows = 0
        self.evicted = 0  # of them: closed early, where there were more than are followed at once
        self.undecoded: dict[str, int] = {}
        self.latest_ns = 0  # latest time in the session
        self.typical_ns = 0  # latest time of all that is not a single frame's alone
        self._flow_table = self._new_flow_table()
        self._duplicates = Duplicates(mirrored=options.dedup, several=options.several_sources)
        self._fed = False
        self._ended = False

    def begin_session(
        self, session: int, first_ns: int, path: str | None = None, *, ended: bool = False
    ) -> None:
        """Begin a capture: no flow and no window spans two of them.

        Frames that an earlier capture of the run has too are left out, where `path` says which file
        this one is. `ended`: an earlier run has added up its end, where that was then.
        """
        first_ns = min(max(first_ns, 0), latest_believed_ns())
        self.flows += self._flow_table.flows_total
        self.evicted += self._flow_table.evicted
        self._flow_table = self._new_flow_table()
        self._duplicates.begin(path, first_ns)
        if self._handshakes:
            self._handshakes.begin_session()
        if self._sampler:
            self._sampler.begin_session(first_ns)
        origin_ns = first_ns if self._options.per_file else 0
        self._accumulator.begin_session(session, origin_ns)
        self._contacts.begin_session(origin_ns)
        self.latest_ns = first_ns
        self._fed = False
        self._ended = ended

    def prime(self, block: FrameBlock) -> None:
        """Take a block that an earlier run has added up: all goes on from it, nothing is added."""
        stages, said = self._stages(block, counted=True)
        self._accumulator.update(*stages, said)
        self._accumulator.drain(self.devices.macs)

    def feed(self, block: FrameBlock) -> None:
        """Take a block."""
        if self._ended:
            self._accumulator.reopen_session()
            if self._sampler:
                self._sampler.reopen_session()
            self._ended = False
        self._fed = True
        stages, said = self._stages(block)
        self._accumulator.update(*stages, said)
        self._contacts.update(*stages, self.devices.macs, self.devices.gateway)

    def _stages(
        self, block: FrameBlock, *, counted: bool = False
    ) -> tuple[tuple[PacketBatch, FlowMarks, Sides], PacketValues | None]:
        block = replace(block, ts_ns=block.ts_ns.clip(0, latest_believed_ns()))
        self.packets += len(block.ts_ns)
        self.bytes += int(block.wire_bytes.sum(dtype=np.int64))
        batch = decode_packets(block)
        for reason, count in count_undecoded(batch).items():
            self.undecoded[reason] = self.undecoded.get(reason, 0) + count
        block, batch = self._duplicates.take_out(block, batch)
        self.merged.update(block.source[find_unsplit(block)].tolist())
        said, first = None, first_segments(batch, block.segment_bytes)
        if self._handshakes:
            self._names.update(read_host_names(block, batch))
            said = self._handshakes.read(block, batch)
        whole, batch = batch, split_segments(batch, block.segment_bytes)
        if len(block.ts_ns):
            self.latest_ns = max(self.latest_ns, int(block.ts_ns.max()))
            self.typical_ns = max(self.typical_ns, int(np.median(block.ts_ns)))
        sides = self.devices.update(batch)
        if self._sampler is None:
            marks = self._flow_table.update(batch)
        else:
            domain = self._sampler.name(block, whole, first, len(batch))
            marks, number = self._flow_table.trace(batch)
            followed = Followed(batch, marks, number, sides, domain)
            self._sampler.update(followed, self._flow_table, self.devices, counted=counted)
        values = None if said is None else self._gathering.number(said, first, batch, sides)
        return (batch, marks, sides), values

    @property
    def copies(self) -> Counter[int]:
        """Frames that were left out because they counted already, by source."""
        return self._duplicates.copies

    def end_session(self) -> bool:
        """End the capture, unless an earlier run has: then it has added up the last window too.

        Returns:
            Whether it was ended now.

        """
        self._duplicates.end(self.latest_ns)
        fed, self._fed = self._fed, False
        if fed:
            self._accumulator.end_session()
            if self._sampler:
                self._sampler.end_session()
        return fed

    def drain(self) -> Gain:
        """Take out what was added up since the last time."""
        macs = self.devices.macs
        # As many as devices are followed: nobody grows the memory by made-up addresses.
        names = {mac: self._names[mac] for mac in macs.tolist() if mac in self._names}
        self._names = {}
        return Gain(
            self._accumulator.drain(macs),
            self._contacts.drain(macs),
            names,
            self._gathering.drain(macs),
            self._sampler.drain(self.devices) if self._sampler else {},
        )

    def forget(self, macs: Sequence[int]) -> None:
        """Forget devices; right after `drain`, so that nothing added up is of them."""
        self._accumulator.forget(self.devices.forget(np.array(macs, np.uint64)))

    def flows_so_far(self) -> int:
        """Flows of all sessions."""
        return self.flows + self._flow_table.flows_total

    def evicted_so_far(self) -> int:
        """Flows of all sessions that were closed early, for there were too many at once."""
        return self.evicted + self._flow_table.evicted

    def _new_flow_table(self) -> FlowTable:
        config = self._options.config
        return FlowTable(
            idle_timeout_s=config.idle_timeout_s,
            active_timeout_s=config.active_timeout_s,
            max_flows=config.max_flows,
        )


def _make_sampler(options: ReadOptions) -> FlowSampler | None:
    if not options.flows:
        return None
    config = options.config
    return FlowSampler(
        config.unit_s * SECOND_NS, per_file=options.per_file, domains=config.handshakes
    )


def latest_believed_ns() -> int:
    """The latest time that is believed: later ones are a damaged capture's."""
    return time.time_ns() + _AHEAD_NS


def list_captures(paths: Sequence[str], on_note: OnNote) -> tuple[CaptureFile, ...]:
    """Find the captures and pass on notes about files that are none."""
    found = find_captures(paths)
    for note in found.notes:
        on_note(note)
    return found.captures


def list_readable(
    paths: Sequence[str], on_note: OnNote
) -> tuple[list[CaptureFile], list[UnreadableInputError]]:
    """Find the captures, and the faults of what was named and is none.

    Raises:
        UnreadableInputError: nothing of it is a capture.

    """
    captures: list[CaptureFile] = []
    faults: list[UnreadableInputError] = []
    for path in paths:
        try:
            captures += list_captures([path], on_note)
        except UnreadableInputError as error:
            faults.append(error)
    if faults and not captures:
        for fault in faults[1:]:
            on_note(str(fault))
        raise faults[0]
    return in_order(captures), faults


def read_blocks(
    reader: CaptureReader, on_progress: OnProgress, on_note: OnNote
) -> Iterator[FrameBlock]:
    """Yield a capture's blocks; tell how far it has come, and what is odd about it."""
    oddities = Oddities(reader.path, on_note)
    try:
        for block in reader:
            oddities.look(block)
            yield block
            on_progress(
                Progress(reader.frames_read, reader.bytes_read, reader.total_bytes, reader.path)
            )
    except UnreadableInputError:
        oddities.end()
        raise
    oddities.end()


def read_gains(
    paths: Sequence[str],
    options: ReadOptions,
    faults: list[UnreadableInputError],
    *,
    on_progress: OnProgress,
    on_note: OnNote,
) -> Iterator[Gain]:
    """Read captures that nobody has stored, and yield what each adds up to; numbered from 1.

    Args:
        paths: captures, and folders of them.
        options: how they are read.
        faults: takes those of captures that are none or broke off; what came before counts.
        on_progress: told how far it has come.
        on_note: told what is odd about a capture.

    Raises:
        UnreadableInputError: nothing of it is a capture.

    """
    ingest = Ingest(options)
    captures, unreadable = list_readable(paths, on_note)
    faults += unreadable
    for session, capture in enumerate(captures, 1):
        ingest.begin_session(session, capture.first_ts_ns, capture.path)
        try:
            with open_capture(capture.path) as reader:
                for block in read_blocks(reader, on_progress, on_note):
                    ingest.feed(block)
        except UnreadableInputError as error:
            faults.append(error)
        ingest.end_session()
        yield ingest.drain()


def read_windows(
    paths: Sequence[str],
    options: ReadOptions,
    *,
    on_progress: OnProgress,
    on_note: OnNote,
    texts: dict[int, TextBook] | None = None,
) -> tuple[dict[int, UnitTable], list[UnreadableInputError]]:
    """Read captures into one table of windows a device; sessions are numbered from 1.

    Args:
        paths: captures, and folders of them.
        options: how they are read.
        on_progress: told how far it has come.
        on_note: told what is odd about a capture.
        texts: takes what each device said in handshakes, by MAC.

    Returns:
        The tables by MAC, and the faults of captures that are none or broke off: what was read
        before a fault is in the tables.

    Raises:
        UnreadableInputError: nothing of it is a capture.

    """
    tables: dict[int, list[UnitTable]] = {}
    faults: list[UnreadableInputError] = []
    for gain in read_gains(paths, options, faults, on_progress=on_progress, on_note=on_note):
        _collect(gain.windows, tables)
        if texts is not None:
            for mac, said in gain.texts.items():
                texts.setdefault(mac, TextBook()).add(said)
    return {mac: merge_tables(parts) for mac, parts in tables.items()}, faults


def _collect(drained: Mapping[int, UnitTable], tables: dict[int, list[UnitTable]]) -> None:
    for mac, table in drained.items():
        tables.setdefault(mac, []).append(table)

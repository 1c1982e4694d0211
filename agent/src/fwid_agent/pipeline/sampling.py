"""Samples of the flows of each device and unit, while packets pass; bounded whatever they are."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fwid_agent.core.devices import DeviceTracker, Sides
from fwid_agent.core.domains import DomainBook
from fwid_agent.core.flow_features import FlowBook
from fwid_agent.core.flow_sample import far_ends, sample_flows
from fwid_agent.core.flows import FlowTable
from fwid_agent.tables import merge_flow_samples
from fwid_agent.types import I8, U4, FlowMarks, FlowSample, FrameBlock, PacketBatch, Table

_AT_ONCE = 2048  # ended flows that wait: sampling many at once costs less than a few

Samples = Mapping[int, Mapping[int, FlowSample]]  # by MAC, and by when the unit starts


@dataclass(frozen=True, slots=True)
class Followed:
    """A block as its stages left it."""

    batch: PacketBatch
    marks: FlowMarks
    number: I8  # [n] the flow of each packet
    sides: Sides
    domain: U4 | None


class FlowSampler:
    """Follows the flows of a session, and samples those that have ended.

    Args:
        unit_ns: length of a unit.
        per_file: a session is one unit.
        domains: which domain a flow is with is read from answers of DNS.

    """

    def __init__(self, unit_ns: int, *, per_file: bool, domains: bool) -> None:
        self._unit_ns = unit_ns
        self._per_file = per_file
        self._domains = DomainBook() if domains else None
        self._book = FlowBook()
        self._origin_ns = 0
        self._waiting: list[Table] = []
        self._samples: dict[int, dict[int, FlowSample]] = {}

    def begin_session(self, first_ns: int) -> None:
        """Begin a capture; what was open in the one before was taken, or is in the store."""
        self._book = FlowBook()
        self._waiting.clear()
        self._origin_ns = first_ns

    def name(self, block: FrameBlock, batch: PacketBatch, first: I8, packets: int) -> U4 | None:
        """Say which domain each packet of the split batch is with; None: that is not asked for.

        Args:
            block, batch: the same frames, raw and decoded.
            first: [frames] which packet each frame begins with.
            packets: how many they are split into.

        """
        if self._domains is None:
            return None
        return np.repeat(self._domains.update(block, batch), np.diff(np.append(first, packets)))

    def update(
        self, followed: Followed, table: FlowTable, devices: DeviceTracker, *, counted: bool
    ) -> None:
        """Take a block.

        Args:
            followed: the block.
            table: which flows are open now.
            devices: whose flows are wanted.
            counted: an earlier run has it; flows that end in it are in the store.

        """
        batch = followed.batch
        far = far_ends(batch, followed.sides, devices.gateway)
        self._book.update(batch, followed.marks.forward, followed.number, followed.domain, far)
        ended = self._book.take_closed(table.open_numbers)
        if counted or not len(ended):
            return
        self._waiting.append(ended)
        if sum(len(each) for each in self._waiting) >= _AT_ONCE:
            self._sample(devices)

    def reopen_session(self) -> None:
        """Go on with a capture whose end an earlier run has counted: its open flows with it."""
        self._book.mark_taken()

    def end_session(self) -> None:
        """Take the flows that are still open."""
        self._waiting.append(self._book.take_ended())

    def drain(self, devices: DeviceTracker) -> Samples:
        """Take out what was sampled since the last time."""
        self._sample(devices)
        samples, self._samples = self._samples, {}
        return samples

    def _sample(self, devices: DeviceTracker) -> None:
        if not self._waiting:
            return
        ended = np.concatenate(self._waiting)
        self._waiting.clear()
        ended = ended[~ended["taken"]]
        start_ns = ended["start_ns"] // self._unit_ns * self._unit_ns
        if self._per_file:
            start_ns[:] = self._origin_ns
        for mac, unit, sample in sample_flows(ended, devices.macs, start_ns):
            units = self._samples.setdefault(mac, {})
            before = units.get(unit)
            units[unit] = sample if before is None else merge_flow_samples([before, sample])

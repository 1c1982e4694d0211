"""What devices said since it was taken out last: numbers for the tables, texts beside them."""

from collections.abc import Mapping

import numpy as np

from fwid_agent.core.devices import Sides
from fwid_agent.core.handshakes.reading import Said
from fwid_agent.core.handshakes.values import number_of
from fwid_agent.types import I8, U8, HandshakeText, PacketBatch, PacketValues

MOST_OF_A_KIND = 256  # of one device, between two times that they are taken out


class Gathering:
    """Gives sayings their numbers and gathers their texts, of each device no more than some."""

    def __init__(self) -> None:
        self._texts: dict[int, dict[tuple[int, int], HandshakeText]] = {}  # by index of the device
        self._counts: dict[tuple[int, int], int] = {}  # by device and kind
        self.dropped = 0  # sayings that found no room

    def number(self, said: Said, first: I8, batch: PacketBatch, sides: Sides) -> PacketValues:
        """Give a block's sayings their numbers; only what a device sends for itself counts.

        Args:
            said: by frames of the block.
            first: [frames] which packet of the batch each frame begins with.
            batch, sides: the packets, and whose they are.

        """
        packets: list[int] = []
        kinds: list[int] = []
        values: list[int] = []
        for packet, (kind, text) in zip(first[said.packet].tolist(), said.sayings, strict=True):
            device = int(sides.sender[packet])
            if device < 0:
                continue
            value = number_of(text)
            if self._keep(device, HandshakeText(kind, value, text, int(batch.ts_ns[packet]))):
                packets.append(packet)
                kinds.append(kind)
                values.append(value)
        return PacketValues(
            np.array(packets, np.int64), np.array(kinds, np.uint64), np.array(values, np.uint64)
        )

    def drain(self, macs: U8) -> Mapping[int, tuple[HandshakeText, ...]]:
        """Take the texts out, by MAC.

        Args:
            macs: MAC of each device index.

        """
        result = {int(macs[device]): tuple(kept.values()) for device, kept in self._texts.items()}
        self._texts, self._counts = {}, {}
        return result

    def _keep(self, device: int, said: HandshakeText) -> bool:
        kept = self._texts.setdefault(device, {})
        key = (said.kind, said.value)
        if key not in kept:
            count = self._counts.get((device, said.kind), 0)
            if count >= MOST_OF_A_KIND:
                self.dropped += 1
                return False
            self._counts[device, said.kind] = count + 1
        kept[key] = said
        return True

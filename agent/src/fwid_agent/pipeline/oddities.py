"""What a person has to know of a capture to read its figures right: one note each."""

from collections import Counter

import numpy as np

from fwid_agent.pipeline.messages import OnNote
from fwid_agent.types import FrameBlock, LinkType

SECOND_NS = 1_000_000_000
_JUMP_NS = 10 * SECOND_NS  # less is the disorder of several queues, not a clock that was set
_DECODED = frozenset(int(kind) for kind in LinkType)
_WITHOUT_MAC = frozenset({LinkType.RAW_OLD, LinkType.RAW, LinkType.IPV4, LinkType.IPV6})
# Names of the pcap registry, of what people capture by mistake.
_NAMES = {
    0: "NULL", 9: "PPP", 50: "PPP_HDLC", 105: "IEEE802_11", 108: "LOOP", 119: "IEEE802_11_PRISM",
    127: "IEEE802_11_RADIO", 163: "IEEE802_11_AVS", 187: "BLUETOOTH_HCI_H4", 189: "USB_LINUX",
    192: "PPI", 195: "IEEE802_15_4_WITHFCS", 220: "USB_LINUX_MMAPPED", 249: "USBPCAP",
    251: "BLUETOOTH_LE_LL", 266: "USB_DARWIN",
}  # fmt: skip
_WIRELESS = frozenset({105, 119, 127, 163, 192})


class Oddities:
    """Looks at the blocks of one capture as they are read."""

    def __init__(self, path: str, on_note: OnNote) -> None:
        self._path = path
        self._on_note = on_note
        self._links: Counter[int] = Counter()  # frames by link type
        self._latest_ns = 0
        self._frames = 0
        self._jumped = False

    def look(self, block: FrameBlock) -> None:
        """Look at the next block; tells once that the clock jumps back."""
        counts = np.bincount(block.link_type)
        self._links.update({kind: int(counts[kind]) for kind in np.flatnonzero(counts).tolist()})
        if len(block.ts_ns) and not self._jumped:
            self._look_at_clock(block)
        self._frames += len(block.ts_ns)

    def end(self) -> None:
        """Tell what is known when the capture has ended."""
        for kind, frames in sorted(self._links.items()):
            if kind not in _DECODED:
                self._tell(_describe_link(kind, frames))
        if self._links and set(self._links) <= _WITHOUT_MAC:
            self._tell("no MAC addresses in this capture, so no devices can be told apart")

    def _look_at_clock(self, block: FrameBlock) -> None:
        clock = np.maximum.accumulate(np.maximum(block.ts_ns, self._latest_ns))
        back = np.flatnonzero(clock - block.ts_ns > _JUMP_NS)
        if len(back):
            self._jumped = True
            seconds = int(clock[back[0]] - block.ts_ns[back[0]]) / SECOND_NS
            self._tell(
                f"frame {self._frames + int(back[0]) + 1}: the clock jumps back by {seconds:,.0f} "
                "s; frames are counted at the times they bear"
            )
        self._latest_ns = int(clock[-1])

    def _tell(self, text: str) -> None:
        self._on_note(f"{self._path}: {text}")


def _describe_link(kind: int, frames: int) -> str:
    name = f" ({_NAMES[kind]})" if kind in _NAMES else ""
    instead = "on the wired side" if kind in _WIRELESS else "on an Ethernet interface"
    return f"link type {kind}{name} is not decoded: {frames:,} frames; capture {instead}"

"""Live frames of one interface: a ring that the kernel fills and this process reads in blocks.

AF_PACKET with TPACKET_V3 (linux/if_packet.h, Documentation/networking/packet_mmap.rst). The kernel
hands over a block when it is full or old enough; each frame in it has the time, the lengths, the
VLAN tag that the card took off, and, in the virtio_net_hdr before it, the segment size of what was
merged. Needs CAP_NET_RAW to open, and nothing afterwards.
"""

import mmap
import socket
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from fwid_agent.capture.frames import rows_at
from fwid_agent.capture.kernel_filter import make_filter
from fwid_agent.errors import CaptureError
from fwid_agent.types import I8, FrameBlock, LinkType

SNAP_BYTES = 128
WHOLE_BYTES = 2048  # of handshakes, where they are read: the longest ClientHello in two segments
BLOCK_BYTES = 1 << 18
BLOCK_COUNT = 64
_ETH_P_ALL = 3
_FRAME_BYTES = 2048  # of a slot; only bounds what may be asked for
# After which the kernel hands over a block that is not full. The stages cost some 3 ms a block,
# however little is in it; after a tenth of a second that is a few frames, in most homes.
_TIMEOUT_MS = 500
_SOL_PACKET = 263
_ADD_MEMBERSHIP, _RX_RING, _STATISTICS, _VERSION, _VNET_HDR = 1, 5, 6, 10, 15
_TPACKET_V3, _PROMISCUOUS = 2, 1
_SO_ATTACH_FILTER = 26
_TO_USER = 1  # TP_STATUS_USER: the block is ours
_VLAN_VALID = 1 << 4
_BLOCK_HEADER = struct.Struct("=IIIIII")  # version, private, status, packets, first, length
_STATUS_AT = 8
_FRAME_HEADER_BYTES = 48
_FRAME_HEADER = np.dtype(  # struct tpacket3_hdr, in the machine's byte order
    [
        ("next", "u4"),
        ("sec", "u4"),
        ("nsec", "u4"),
        ("snaplen", "u4"),
        ("len", "u4"),
        ("status", "u4"),
        ("mac", "u2"),
        ("net", "u2"),
        ("hash", "u4"),
        ("tci", "u4"),
        ("tpid", "u2"),
        ("padding", "V10"),
    ]
)
_VNET = np.dtype(  # struct virtio_net_hdr
    [
        ("flags", "u1"),
        ("gso_type", "u1"),
        ("header", "u2"),
        ("gso_size", "u2"),
        ("checksum", "V4"),
    ]
)
# Interface types (ARPHRD_); the loopback's frames begin like Ethernet's.
_ETHERNET = 1
_LINK_TYPES = {_ETHERNET: LinkType.ETHERNET, 772: LinkType.ETHERNET, 65534: LinkType.RAW}


_NOTHING = struct.pack("=HBBI", 0x06, 0, 0, 0)  # a filter that keeps no byte of any frame


class PacketRing:
    """The frames that pass one interface, from when it is opened; use as a context manager.

    Args:
        interface: its name.
        own_port: where this machine's API listens, whose connections are left out; 0: nowhere.
        handshakes: keep those whole in which devices say what they are.
        promiscuous: also frames that are for others; a mirror port shows nothing else.

    Raises:
        CaptureError: there is no such interface, or no right to capture.

    """

    def __init__(
        self,
        interface: str,
        own_port: int = 0,
        *,
        promiscuous: bool = True,
        handshakes: bool = False,
    ) -> None:
        self.interface = interface
        self._dropped = 0  # frames that found the ring full, as far as was asked
        self._finished = False
        if interface not in (name for _, name in socket.if_nameindex()):
            raise CaptureError(f"{interface}: there is no such interface; waiting for it")
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        except PermissionError as error:
            raise CaptureError(
                f"{interface}: no right to capture; run as root, or give CAP_NET_RAW"
            ) from error
        try:
            # Other links have no Ethernet header to look into.
            ethernet = _read_hardware(self.interface) == _ETHERNET
            whole_bytes = WHOLE_BYTES if ethernet and handshakes else 0
            program = make_filter(SNAP_BYTES, own_port if ethernet else 0, whole_bytes)
            self._open(program, promiscuous=promiscuous)
        except OSError as error:
            self._socket.close()
            raise CaptureError(f"{interface}: {error.strerror or error}") from error
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop capturing."""
        _ = self.dropped
        while self._finished and (left := self._waiting()):
            self._dropped += left
        self._ring.close()
        self._socket.close()

    def fileno(self) -> int:
        """Readable when a block has been handed over, or the interface has gone."""
        return self._socket.fileno()

    @property
    def dropped(self) -> int:
        """Frames that found the ring full, so far."""
        if self._socket.fileno() >= 0:  # asking sets the kernel's count to 0
            answer = self._socket.getsockopt(_SOL_PACKET, _STATISTICS, 12)
            self._dropped += int(struct.unpack("=III", answer)[1])
        return self._dropped

    def finish(self) -> None:
        """Take in no more frames. What has come is to be read; what is not by the end is lost."""
        self._attach(_NOTHING)
        self._finished = True

    def read(self) -> FrameBlock | None:
        """Return the frames of the next block that was handed over; None where there is none."""
        start = self._next * BLOCK_BYTES
        header = _BLOCK_HEADER.unpack_from(self._ring, start)
        _, _, status, count, first, length = header
        if not status & _TO_USER:
            return None
        buffer = bytearray(self._ring[start : start + min(length, BLOCK_BYTES)])
        # The block is the kernel's again before its copy is looked at.
        self._hand_back(start)
        return _frames(buffer, _walk(buffer, count, first), self._link_type)

    def check(self) -> None:
        """Raise CaptureError where the interface has gone or was taken down."""
        error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise CaptureError(f"{self.interface}: the interface has gone or was taken down")

    def _waiting(self) -> int:
        """Leave out the next block that was handed over, and say how many frames it has."""
        start = self._next * BLOCK_BYTES
        _, _, status, count, _, _ = _BLOCK_HEADER.unpack_from(self._ring, start)
        if not status & _TO_USER:
            return 0
        self._hand_back(start)
        return int(count)

    def _hand_back(self, start: int) -> None:
        struct.pack_into("=I", self._ring, start + _STATUS_AT, 0)
        self._next = (self._next + 1) % BLOCK_COUNT

    def _attach(self, program: bytes) -> None:
        steps = np.frombuffer(program, np.uint8)
        self._socket.setsockopt(
            socket.SOL_SOCKET,
            _SO_ATTACH_FILTER,
            struct.pack("HxxxxxxP", len(program) // 8, steps.ctypes.data),
        )

    def _open(self, program: bytes, *, promiscuous: bool) -> None:
        index = socket.if_nametoindex(self.interface)
        options = self._socket.setsockopt
        options(_SOL_PACKET, _VERSION, _TPACKET_V3)
        options(_SOL_PACKET, _VNET_HDR, 1)
        self._attach(program)
        frames = BLOCK_BYTES // _FRAME_BYTES * BLOCK_COUNT
        request = (BLOCK_BYTES, BLOCK_COUNT, _FRAME_BYTES, frames, _TIMEOUT_MS, 0, 0)
        options(_SOL_PACKET, _RX_RING, struct.pack("=7I", *request))
        self._ring = mmap.mmap(self._socket.fileno(), BLOCK_BYTES * BLOCK_COUNT)
        if promiscuous:
            membership = struct.pack("=iHH8s", index, _PROMISCUOUS, 0, b"")
            options(_SOL_PACKET, _ADD_MEMBERSHIP, membership)
        # Only from here on do frames come, and of this interface only.
        self._socket.bind((self.interface, _ETH_P_ALL))
        hardware = self._socket.getsockname()[3]
        if hardware not in _LINK_TYPES:
            raise OSError(0, f"an interface of a kind that is not read (ARPHRD {hardware})")
        self._link_type = int(_LINK_TYPES[hardware])


def _read_hardware(interface: str) -> int:
    """Kind of the interface (ARPHRD_); 0 where the kernel does not tell."""
    try:
        return int(Path(f"/sys/class/net/{interface}/type").read_text("ascii"))
    except OSError:
        return 0


def _walk(buffer: bytearray, count: int, first: int) -> I8:
    """Offsets of the frames' headers; a chain that leads out of the block ends there."""
    found = []
    at = first
    for _ in range(count):
        if at + _FRAME_HEADER_BYTES > len(buffer):
            break
        found.append(at)
        (step,) = struct.unpack_from("=I", buffer, at)
        if step == 0:
            break
        at += step
    return np.array(found, np.int64)


def _frames(buffer: bytearray, headers: I8, link_type: int) -> FrameBlock:
    rows = rows_at(buffer, headers, _FRAME_HEADER_BYTES, _FRAME_HEADER)[:, 0]
    offsets = headers + rows["mac"]
    captured = np.clip(np.minimum(rows["snaplen"], len(buffer) - offsets), 0, None)
    tagged = rows["status"] & _VLAN_VALID != 0
    vnet = rows_at(buffer, np.maximum(offsets - _VNET.itemsize, 0), _VNET.itemsize, _VNET)[:, 0]
    count = len(headers)
    return FrameBlock(
        np.frombuffer(buffer, np.uint8),
        offsets,
        captured.astype(np.uint32),
        rows["len"].astype(np.uint32),
        rows["sec"].astype(np.int64) * 1_000_000_000 + rows["nsec"],
        np.full(count, link_type, np.uint16),
        np.zeros(count, np.uint16),
        np.where(tagged, rows["tci"] & 0x0FFF, 0).astype(np.uint16),
        np.where(vnet["gso_type"] != 0, vnet["gso_size"], 0).astype(np.uint16),
    )

"""Frames that one router sends by TZSP: a UDP socket that takes nothing from anybody else."""

import select
import socket
import struct
import time
from ipaddress import IPv4Address, IPv6Address
from types import TracebackType
from typing import Self

import numpy as np

from fwid_agent.capture.tzsp import PORT, unwrap
from fwid_agent.errors import CaptureError
from fwid_agent.types import FrameBlock, LinkType

_SLOT_BYTES = 512  # of a datagram that are kept: tags, and the headers of the frame
_SLOTS = 2048
_GATHER_S = 0.1  # that frames wait for each other: what a block costs is shared by its frames
_BUFFER_BYTES = 1 << 22  # as much as net.core.rmem_max allows
_SO_TIMESTAMPNS, _SO_MEMINFO = 35, 55
_MEMINFO = struct.Struct("=9I")
_MEMINFO_DROPS = 8
_TIMESPEC = struct.Struct("=qq")
_ANCILLARY_BYTES = socket.CMSG_SPACE(_TIMESPEC.size)


class TzspSocket:
    """The frames that one router sends; use as a context manager.

    Frames bear the time at which the kernel took their datagram: TZSP tells none.

    Args:
        sender: the router's address; datagrams of anybody else are passed over.
        port: where they are sent to.

    Raises:
        CaptureError: nobody can listen on the port.

    """

    def __init__(self, sender: IPv4Address | IPv6Address, port: int = PORT) -> None:
        self.notes: list[str] = []  # what is to be said once
        self.trouble = ""  # there is none that passes
        self.position = ""  # it cannot be read again
        self._told: set[str] = set()
        self._lost = 0
        family = socket.AF_INET if sender.version == 4 else socket.AF_INET6
        self._sender = socket.inet_ntop(family, sender.packed)  # as the kernel's are written
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            if sender.version == 6:  # leaves the port's other half to another router
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._socket.bind(("", port))
        except OSError as error:
            self._socket.close()
            raise CaptureError(f"UDP port {port}: {error.strerror or error}") from error
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _ = self.lost
        self._socket.close()

    def fileno(self) -> int:
        """Return the descriptor, to wait for."""
        return self._socket.fileno()

    @property
    def lost(self) -> int:
        """Datagrams, of whomever, that the kernel had no room for."""
        if self._socket.fileno() >= 0:
            raw = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
            self._lost = int(_MEMINFO.unpack(raw)[_MEMINFO_DROPS])
        return self._lost

    def finish(self) -> bool:
        """Say that whoever sends goes on."""
        return False

    def read(self, wait_s: float) -> FrameBlock | None:
        """Return the frames that come, waiting for them as long as this at the most."""
        buffer = bytearray(_SLOTS * _SLOT_BYTES)
        sizes: list[int] = []
        times_ns: list[int] = []
        until = time.monotonic() + wait_s
        while len(sizes) < _SLOTS and (left_s := until - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left_s)[0]:
                break
            if not sizes:
                until = min(until, time.monotonic() + _GATHER_S)
            self._take(memoryview(buffer), sizes, times_ns)
        if not sizes:
            return None
        starts = np.arange(len(sizes), dtype=np.int64) * _SLOT_BYTES
        size = np.array(sizes, np.int64)
        data = np.frombuffer(buffer, np.uint8, len(sizes) * _SLOT_BYTES)
        found = unwrap(data, starts, np.minimum(size, _SLOT_BYTES), size)
        if found.foreign:
            self._note("sends frames of another kind than Ethernet, which are passed over")
        if found.malformed:
            self._note("sends what is no TZSP, which is passed over")
        count = len(found.number)
        return FrameBlock(
            data,
            found.offsets,
            found.captured_bytes,
            found.wire_bytes,
            np.array(times_ns, np.int64)[found.number],
            np.full(count, LinkType.ETHERNET, np.uint16),
            np.zeros(count, np.uint16),
        )

    def _take(self, buffer: memoryview, sizes: list[int], times_ns: list[int]) -> None:
        """Take the datagrams that are there, as far as there is room for them."""
        receive = self._socket.recvmsg_into
        for _ in range(_SLOTS - len(sizes)):  # a flood of strangers does not hold it up either
            slot = buffer[len(sizes) * _SLOT_BYTES :][:_SLOT_BYTES]
            try:
                size, ancillary, _, address = receive([slot], _ANCILLARY_BYTES, socket.MSG_TRUNC)
            except BlockingIOError:
                return
            if address[0].partition("%")[0] != self._sender:
                continue
            sizes.append(size)
            times_ns.append(_time_ns(ancillary))

    def _note(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self.notes.append(f"{self._sender}: {what}")


def _time_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    for _, kind, data in ancillary:
        if kind == _SO_TIMESTAMPNS and len(data) == _TIMESPEC.size:
            seconds, ns = _TIMESPEC.unpack(data)
            return int(seconds) * 1_000_000_000 + int(ns)
    return time.time_ns()

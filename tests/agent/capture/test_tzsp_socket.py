"""The socket takes the router's frames, whole lengths and times, and nothing of anybody else."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

import pytest
from fwid_agent.capture.tzsp_socket import TzspSocket
from fwid_agent.errors import CaptureError
from fwid_agent.types import FrameBlock

from tests.made_captures import frames_of
from tests.made_tzsp import WIFI, tzsp

ROUTER, STRANGER = "127.0.0.2", "127.0.0.3"


@contextmanager
def sender(address: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as out:
        out.bind((address, 0))
        out.connect(("::1" if ":" in address else "127.0.0.1", port))
        yield out


def read_all(source: TzspSocket) -> list[FrameBlock]:
    blocks = []
    while (block := source.read(0.3)) is not None:
        blocks.append(block)
    return blocks


@pytest.mark.parametrize("router", [ROUTER, "::1"])
def test_every_frame_is_read_with_length_and_time(router: str) -> None:
    """Long frames too, of which only the start is kept; in the order in which they came."""
    sizes = [14, 60, 600, 1514, 9000] * 20
    frames = [bytes([n]) * size for n, size in enumerate(sizes)]
    with TzspSocket(ip_address(router), 0) as source, sender(router, source.port) as out:
        before_ns = time.time_ns()
        for frame in frames:
            out.send(tzsp(frame))
        read = [frame for block in read_all(source) for frame in frames_of(block)]
        assert source.lost == 0
    assert [frame.wire for frame in read] == sizes
    assert [frame.data for frame in read] == [
        f[: len(r.data)] for f, r in zip(frames, read, strict=True)
    ]
    assert min(len(frame.data) for frame in read if frame.wire > 128) > 128
    times = [frame.ts_ns for frame in read]
    assert before_ns <= times[0] <= times[-1] <= time.time_ns()
    assert times == sorted(times)


def test_only_the_router_is_listened_to() -> None:
    """What others send gives no frame, whatever it is."""
    with (
        TzspSocket(ip_address(ROUTER), 0) as source,
        sender(ROUTER, source.port) as router,
        sender(STRANGER, source.port) as stranger,
    ):
        for n in range(10):
            stranger.send(tzsp(b"stranger's frame"))
            router.send(tzsp(b"router's frame %d" % n))
        read = [frame for block in read_all(source) for frame in frames_of(block)]
        assert [frame.data for frame in read] == [b"router's frame %d" % n for n in range(10)]
        assert source.notes == []


def test_what_is_no_ethernet_frame_is_told_once() -> None:
    """A router that sends something else is noticed, not silently ignored."""
    with TzspSocket(ip_address(ROUTER), 0) as source, sender(ROUTER, source.port) as out:
        for _ in range(3):
            out.send(tzsp(b"frame", protocol=WIFI))
            out.send(b"\x09")
            assert sum(len(block.ts_ns) for block in read_all(source)) == 0
        assert source.notes == [
            f"{ROUTER}: sends frames of another kind than Ethernet, which are passed over",
            f"{ROUTER}: sends what is no TZSP, which is passed over",
        ]


def test_datagrams_without_room_are_counted() -> None:
    """What the kernel dropped because nobody read is lost, and told."""
    with TzspSocket(ip_address(ROUTER), 0) as source, sender(ROUTER, source.port) as out:
        sent = 20_000
        for _ in range(sent):
            out.send(tzsp(bytes(1500)))
        read = sum(len(block.ts_ns) for block in read_all(source))
        assert source.lost > 0
        assert read + source.lost == sent


def test_port_in_use_is_told() -> None:
    """Two programs cannot listen on one port; the message says which."""
    in_use = pytest.raises(CaptureError, match=r"UDP port \d+: Address already in use")
    with TzspSocket(ip_address(ROUTER), 0) as first, in_use:
        TzspSocket(ip_address(ROUTER), first.port)

"""Names in DHCP requests: only of the device itself, only what can be printed, whatever is sent."""

from collections.abc import Sequence

import numpy as np
import pytest
from fwid_agent.core.host_names import MOST_CHARACTERS, clean_name, read_host_names
from fwid_agent.core.packets import decode_packets
from fwid_agent.types import FrameBlock, parse_mac
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

MAC = "90:8d:78:a8:e1:43"
OTHER = "02:00:00:00:00:01"


def block_of(frames: Sequence[bytes]) -> FrameBlock:
    lengths = np.array([len(frame) for frame in frames], np.uint32)
    count = len(frames)
    return FrameBlock(
        np.frombuffer(b"".join(frames), np.uint8),
        np.cumsum([0, *lengths[:-1]]).astype(np.int64),
        lengths,
        lengths,
        np.zeros(count, np.int64),
        np.ones(count, np.uint16),
        np.zeros(count, np.uint16),
    )


def request(name: bytes, *, mac: str = MAC, of: str = MAC, op: int = 1, tag: bool = False) -> bytes:
    """A client's request with its name behind another option and padding."""
    head = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
    if tag:
        head = head / Dot1Q(vlan=7)
    message = BOOTP(op=op, chaddr=parse_mac(of).to_bytes(6, "big"))
    options = DHCP(options=[("message-type", "discover"), "pad", ("hostname", name), "end"])
    ports = UDP(sport=68, dport=67)
    return bytes(head / IP(src="0.0.0.0", dst="255.255.255.255") / ports / message / options)


def names(*frames: bytes) -> dict[int, str]:
    block = block_of(frames)
    return read_host_names(block, decode_packets(block))


@pytest.mark.parametrize("tag", [False, True])
def test_a_device_names_itself(tag: bool) -> None:
    """Also on a tagged port; the latest name is the one that holds."""
    assert names(request(b"plug", tag=tag), request(b"lamp", tag=tag)) == {parse_mac(MAC): "lamp"}


def test_nobody_names_another() -> None:
    """Neither by a relayed request nor by an answer."""
    assert names(request(b"x", of=OTHER)) == {}
    assert names(request(b"x", op=2)) == {}


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"ESP_12AB", "ESP_12AB"),
        ("Küche".encode(), "Küche"),
        (b"<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),  # a text like any other
        (b"a\x1b[31mred\nb\x00", "a[31mredb"),
        ("\u202egnp.exe\u2066\u200b".encode(), "gnp.exe"),
        (b"  \t ", ""),
        (b"\xff\xfe", ""),
        (b"x" * 255, "x" * MOST_CHARACTERS),
    ],
)
def test_of_a_name_only_what_can_be_printed_is_kept(raw: bytes, name: str) -> None:
    """No control characters, none that turn the text round, no more than fits on a line."""
    assert clean_name(raw) == name
    assert names(request(raw)) == ({parse_mac(MAC): name} if name else {})


@given(st.data())
def test_a_broken_request_is_read_as_far_as_it_is_whole(data: st.DataObject) -> None:
    """Cut anywhere, or with any byte changed: a printable name, or none, and never a fault."""
    whole = bytearray(request(b"lamp"))
    at = data.draw(st.integers(42, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    frame = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    block = block_of([frame, request(b"after", mac=OTHER, of=OTHER)])
    found = read_host_names(block, decode_packets(block))
    assert found.pop(parse_mac(OTHER)) == "after"
    assert all(name.isprintable() and len(name) <= MOST_CHARACTERS for name in found.values())
    assert set(found) <= {parse_mac(MAC)}


def test_a_flood_of_requests_costs_no_more_than_some() -> None:
    """Of thousands in a block only the first are read."""
    flood = [
        request(b"x", mac=f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}",
                of=f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}")
        for n in range(100)
    ]  # fmt: skip
    assert len(names(*flood)) == 64

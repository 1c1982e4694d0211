"""The ring gives what passes a real interface: every frame, whole lengths, true sizes, losses."""

import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from fwid_agent.capture.ring import SNAP_BYTES, PacketRing
from fwid_agent.core.packets import decode_packets
from fwid_agent.core.segments import find_unsplit, split_segments
from fwid_agent.errors import CaptureError
from fwid_agent.types import FrameBlock, PacketBatch
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from tests.agent.core.handshakes.frames import long_hello
from tests.agent.live.conftest import Lan, run

_FAR, _NEAR, _OTHER = b"\x02\x00\x00\x00\x00\x02", b"\x02\x00\x00\x00\x00\x01", b"\x02" * 6
_PROBE = b"\x88\xb5"  # an ethertype for local experiments (IEEE 802)
_SENDER = """
import socket, sys
sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sender.bind((sys.argv[1], 0))
for line in sys.stdin:
    sender.send(bytes.fromhex(line))
"""

# linux/ethtool.h: TSO, GSO and GRO
_OFFLOADS = (0x1F, 0x24, 0x2C)
_SWITCH = """
import array, fcntl, socket, struct, sys

def switch_off(interface, command):
    value = array.array("I", [command, 0])
    address = value.buffer_info()[0]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8946, struct.pack("16sP", interface.encode(), address))
"""


def switch_off(interface: str, command: int) -> None:
    """Switch one offload of an interface here off, as ethtool does."""
    code = f"{_SWITCH}\nswitch_off(sys.argv[1], {command})"
    run(sys.executable, "-c", code, interface)


def send(lan: Lan, frames: Sequence[bytes]) -> None:
    """Send frames from the far host, as they are."""
    command = lan.inside(sys.executable, "-c", _SENDER, lan.far)
    text = "\n".join(frame.hex() for frame in frames)
    subprocess.run(command, input=text, text=True, check=True, timeout=60)


def take(ring: PacketRing, seconds: float = 0.6) -> list[FrameBlock]:
    """Read all blocks that are handed over until nothing has come for a while."""
    blocks = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        select.select([ring], [], [], 0.05)
        while (block := ring.read()) is not None:
            blocks.append(block)
            until = time.monotonic() + seconds
    return blocks


def frames_of(blocks: Sequence[FrameBlock], ethertype: bytes = _PROBE) -> list[tuple[bytes, int]]:
    """Bytes and length on the wire of each frame of one ethertype."""
    return [
        (data, int(block.wire_bytes[n]))
        for block in blocks
        for n in range(len(block.offsets))
        if (data := block.buffer[block.offsets[n] :][: block.captured_bytes[n]].tobytes())[12:14]
        == ethertype
    ]


def test_every_frame_is_read_with_its_length(lan: Lan) -> None:
    """Also frames for others, as a mirror port shows them; of long ones the start."""
    sizes = [14, 60, 127, 128, 129, 600, 1514]
    sent = [
        (_OTHER if n % 2 else _NEAR) + _FAR + _PROBE + bytes([n]) + bytes(max(size - 15, 0))
        for n, size in enumerate(sizes * 30)
    ]
    before_ns = time.time_ns()
    with PacketRing(lan.near) as ring:
        send(lan, sent)
        blocks = take(ring)
        ring.check()
        assert ring.dropped == 0
    got = frames_of(blocks)
    assert [data for data, _ in got] == [frame[:SNAP_BYTES] for frame in sent]
    assert [wire for _, wire in got] == [len(frame) for frame in sent]
    times_ns = np.concatenate([block.ts_ns for block in blocks])
    assert before_ns <= times_ns.min() <= times_ns.max() <= time.time_ns()


def test_a_tag_that_the_card_took_off_is_known(lan: Lan) -> None:
    """The kernel keeps a VLAN tag beside the frame; the packet's VLAN is that of the wire."""
    tagged = _NEAR + _FAR + b"\x81\x00\x00\x2a" + _PROBE + bytes(60)
    with PacketRing(lan.near) as ring:
        send(lan, [tagged])
        blocks = take(ring)
    batches = [decode_packets(block) for block in blocks]
    vlans = [
        int(batch.vlan[n])
        for batch in batches
        for n in range(len(batch))
        if batch.ethertype[n] == 0x88B5
    ]
    assert vlans == [42]


def test_the_agents_own_connections_are_left_out(lan: Lan) -> None:
    """Those of this machine to its port, either way; the same port of others is a device's own."""
    port = 8127

    def tcp(to: bytes, sport: int, dport: int, version: int = 4) -> bytes:
        if version == 4:
            head = Ether() / IP(src=lan.far_ip, dst=lan.near_ip)
        else:
            head = Ether() / IPv6(src="fd00::2", dst="fd00::1")
        frame = bytes(head / TCP(sport=sport, dport=dport, flags="A"))
        return to + _FAR + frame[12:]

    ours = [
        tcp(near_address(lan), sport, dport, version)
        for sport, dport in ((5000, port), (port, 5000))
        for version in (4, 6)
    ]
    kept = [
        tcp(_OTHER, 5000, port),
        tcp(near_address(lan), 5000, 443),
        tcp(near_address(lan), 5000, 443, version=6),
    ]
    with PacketRing(lan.near, port) as ring:
        send(lan, [*ours, *kept])
        blocks = take(ring)
    got = [data for kind in (b"\x08\x00", b"\x86\xdd") for data, _ in frames_of(blocks, kind)]
    assert sorted(data for data in got if data[6:12] == _FAR) == sorted(kept)


def near_address(lan: Lan) -> bytes:
    """MAC of the cable's near end."""
    text = Path(f"/sys/class/net/{lan.near}/address").read_text().strip()
    return bytes.fromhex(text.replace(":", ""))


def test_merged_segments_are_counted_as_on_the_wire(lan: Lan) -> None:
    """A download over a virtual cable comes in frames of up to 64 KB; packets are 1500 bytes."""
    payload = 3_000_000
    blocks, port = download(lan, payload)
    merged = [decode_packets(block) for block in blocks]
    true = [
        split_segments(batch, block.segment_bytes)
        for batch, block in zip(merged, blocks, strict=True)
    ]
    assert max(int(batch.size_bytes.max()) for batch in merged) > 1500
    assert max(int(batch.size_bytes.max()) for batch in true) <= 1500
    sent = sum(_payload_from(batch, port) for batch in true)
    assert payload <= sent <= payload * 1.02  # what was lost in a full queue is sent again
    assert not any(find_unsplit(block).any() for block in blocks)


def test_split_sizes_are_those_without_offloads(lan: Lan) -> None:
    """The kernel's segment size is what it sends where it may not merge (ethtool, both ends)."""
    blocks, port = download(lan, 1_000_000)
    split = largest_share(blocks, port)
    for command in _OFFLOADS:
        switch_off(lan.near, command)
        code = f"{_SWITCH}\nswitch_off(sys.argv[1], {command})"
        run(*lan.inside(sys.executable, "-c", code, lan.far))
    blocks, port = download(lan, 1_000_000)
    assert all(int(block.wire_bytes.max()) <= 1514 for block in blocks)
    assert largest_share(blocks, port) == split


def largest_share(blocks: Sequence[FrameBlock], port: int) -> int:
    """The payload of most packets that a server sent."""
    payloads: list[int] = []
    for block in blocks:
        batch = split_segments(decode_packets(block), block.segment_bytes)
        chosen = (batch.src_port == port) & (batch.proto == 6) & (batch.payload_bytes > 0)
        payloads += batch.payload_bytes[chosen].tolist()
    return Counter(payloads).most_common(1)[0][0]


def download(lan: Lan, payload: int) -> tuple[list[FrameBlock], int]:
    """Let the far host load so many bytes from here; what the ring shows, and the server's port."""
    server = socket.create_server((lan.near_ip, 0))
    port = int(server.getsockname()[1])
    code = (
        "import socket,sys; s=socket.create_connection((sys.argv[1],int(sys.argv[2])));"
        "print(sum(len(d) for d in iter(lambda: s.recv(65536), b'')))"
    )
    with PacketRing(lan.near) as ring:
        command = lan.inside(sys.executable, "-c", code, lan.near_ip, str(port))
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        peer, _ = server.accept()
        with peer:
            for _ in range(10):
                peer.sendall(bytes(payload // 10))
        answer, _ = client.communicate(timeout=30)
        blocks = take(ring)
        ring.check()
        assert ring.dropped == 0
    server.close()
    assert int(answer) == payload
    return blocks, port


def _payload_from(batch: PacketBatch, port: int) -> int:
    return int(batch.payload_bytes[(batch.src_port == port) & (batch.proto == 6)].sum())


def test_what_finds_the_ring_full_is_counted(lan: Lan) -> None:
    """Nothing is lost silently: what was not read in time is told."""
    count = 120_000
    frame = _NEAR + _FAR + _PROBE + bytes(200)
    flood = (
        "import socket,sys; s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);"
        f"s.bind((sys.argv[1],0)); f=bytes.fromhex('{frame.hex()}');"
        f"[s.send(f) for _ in range({count})]"
    )
    with PacketRing(lan.near) as ring:
        run(*lan.inside(sys.executable, "-c", flood, lan.far))
        got = len(frames_of(take(ring)))
        ring.check()
        assert ring.dropped > 0
        assert count <= got + ring.dropped <= count + 50  # a few others are on every network


def test_what_came_before_the_end_is_read_or_counted(lan: Lan) -> None:
    """Finished, it takes in nothing more; what was in it is there still, or counts as lost."""
    frames = [_NEAR + _FAR + _PROBE + bytes(200)] * 3000  # more than a block
    with PacketRing(lan.near) as ring:
        send(lan, frames)
        ring.finish()
        send(lan, frames)
        time.sleep(0.7)  # the kernel hands over what is not full within half a second
        block = ring.read()
        assert block is not None
    got = len(frames_of([block]))
    assert 0 < got < 3000
    assert 3000 <= got + ring.dropped <= 3000 + 50


def test_an_interface_that_goes_is_told(lan: Lan) -> None:
    """Pulling out a network adapter is no silence."""
    with PacketRing(lan.near) as ring:
        ring.check()
        run("ip", "link", "del", lan.near)
        time.sleep(0.2)
        with pytest.raises(CaptureError, match=f"{lan.near}: the interface has gone"):
            ring.check()


def test_what_is_no_interface_is_named() -> None:
    """One line that names it."""
    with pytest.raises(CaptureError, match="no-such-0: there is no such interface; waiting"):
        PacketRing("no-such-0")


def test_handshakes_are_kept_whole_where_they_are_read(lan: Lan) -> None:
    """Of them all that is read, of the rest no more than before; nothing is left out for that."""
    hello, four = long_hello(), IP(src=lan.far_ip, dst=lan.near_ip)
    six = IPv6(src="fd00::2", dst="fd00::1")
    data = b"\x17\x03\x03" + bytes(1000)
    whole = [
        bytes(Ether() / network / layer)
        for network in (four, six)
        for layer in (
            UDP(sport=5000, dport=53) / bytes(400),
            UDP(sport=5353, dport=5353) / bytes(1000),
            UDP(sport=1900, dport=40_000) / bytes(300),
            TCP(sport=5000, dport=9443, flags="PA") / hello[:1400],
            TCP(sport=5000, dport=443, flags="A", options=[("NOP", None)] * 12) / hello[:1200],
            TCP(sport=5000, dport=443, flags="PA") / hello[1400:2700],
        )
    ]
    cut = [
        bytes(Ether() / network / layer)
        for network in (four, six)
        for layer in (
            UDP(sport=53, dport=5000) / bytes(400),
            TCP(sport=5000, dport=443, flags="PA") / data,
            TCP(sport=5000, dport=443, flags="A") / hello[1400:2700],
            TCP(sport=5000, dport=9443, flags="PA") / hello[1400:2700],
            TCP(sport=443, dport=5000, flags="PA") / hello[1400:2700],
            TCP(sport=5000, dport=443, flags="S"),
            TCP(sport=5000, dport=443, flags="PA") / b"\x16",
        )
    ]
    cut += [bytes(Ether() / IP(src=lan.far_ip, dst=lan.near_ip, frag=3, proto=17) / bytes(200))]
    sent = [_OTHER + _FAR + frame[12:] for frame in [*whole, *cut]]
    with PacketRing(lan.near, 8127, handshakes=True) as ring:
        send(lan, sent)
        blocks = take(ring)
        ring.check()
    got = [data for kind in (b"\x08\x00", b"\x86\xdd") for data, _ in frames_of(blocks, kind)]
    kept = sent[: len(whole)] + [frame[:SNAP_BYTES] for frame in sent[len(whole) :]]
    assert sorted(data for data in got if data[:12] == _OTHER + _FAR) == sorted(kept)


def test_the_agents_own_handshakes_are_left_out_too(lan: Lan) -> None:
    """Home Assistant on this machine greets the API like any client."""
    segment = TCP(sport=5000, dport=8127, flags="PA") / long_hello()[:1400]
    frame = bytes(Ether() / IP(src=lan.far_ip, dst=lan.near_ip) / segment)
    with PacketRing(lan.near, 8127, handshakes=True) as ring:
        send(lan, [near_address(lan) + _FAR + frame[12:], _OTHER + _FAR + frame[12:]])
        blocks = take(ring)
    got = [data for data, _ in frames_of(blocks, b"\x08\x00") if data[6:12] == _FAR]
    assert got == [_OTHER + _FAR + frame[12:]]

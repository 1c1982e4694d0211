"""Frames with handshakes in them, made by scapy and by the TLS library that Python comes with."""

import ssl
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from fwid_agent.types import FrameBlock
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

MAC = "90:8d:78:a8:e1:43"
ROUTER = "02:00:00:00:00:01"
HOME, CLOUD = "192.168.1.20", "52.1.2.3"
_PCAP = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")


def hello(
    name: str | None = "example.org",
    alpn: Sequence[str] = (),
    *,
    newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ciphers: str | None = None,
) -> bytes:
    """The first bytes that a client of the machine's own OpenSSL sends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = newest
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if ciphers:
        context.set_ciphers(ciphers)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def long_hello() -> bytes:
    """One that needs three segments."""
    return hello(alpn=[f"protocol-{number:03d}" for number in range(250)])


def udp(
    data: bytes, ports: tuple[int, int], *, mac: str = MAC, src: str = HOME, dst: str = ROUTER
) -> bytes:
    """A datagram of the device's own."""
    to = IP(src=src, dst="192.168.1.1")
    return bytes(Ether(src=mac, dst=dst) / to / UDP(sport=ports[0], dport=ports[1]) / data)


def segments(
    data: bytes,
    sizes: Sequence[int] = (),
    *,
    mac: str = MAC,
    seq: int = 1000,
    port: int = 40_000,
    src: str = HOME,
    dst: str = CLOUD,
) -> list[bytes]:
    """A stream's first bytes as TCP segments of these sizes, the rest in a last one."""
    frames = []
    for size in (*sizes, len(data)):
        part, data = data[:size], data[size:]
        if not part:
            break
        ports = TCP(sport=port, dport=443, seq=seq % 2**32, ack=1, flags="PA")
        frames.append(bytes(Ether(src=mac, dst=ROUTER) / IP(src=src, dst=dst) / ports / part))
        seq += len(part)
    return frames


def dhcp(options: Sequence[tuple[str, object] | str], *, mac: str = MAC) -> bytes:
    """A client's request for an address."""
    address = bytes.fromhex(mac.replace(":", ""))
    message: Packet = BOOTP(chaddr=address) / DHCP(options=[*options, "end"])
    head = Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255")
    return bytes(head / UDP(sport=68, dport=67) / message)


def block_of(frames: Sequence[bytes], *, captured: int = 65_535) -> FrameBlock:
    """A block of these frames, of each no more than so many bytes."""
    wire = np.array([len(frame) for frame in frames], np.uint32)
    kept = [frame[:captured] for frame in frames]
    lengths = np.array([len(frame) for frame in kept], np.uint32)
    count = len(frames)
    return FrameBlock(
        np.frombuffer(b"".join(kept) or b"\0", np.uint8),
        np.cumsum([0, *lengths[:-1]]).astype(np.int64)[:count],
        lengths,
        wire,
        np.arange(count, dtype=np.int64) * 1_000_000,
        np.ones(count, np.uint16),
        np.zeros(count, np.uint16),
    )


def write_pcap(path: Path, frames: Sequence[bytes]) -> Path:
    """A capture of these frames, a second apart."""
    content = _PCAP.pack(0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    for number, frame in enumerate(frames):
        content += _RECORD.pack(1_767_600_000 + number, 0, len(frame), len(frame)) + frame
    path.write_bytes(content)
    return path

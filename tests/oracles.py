"""What tshark and dpkt say of a capture, in terms that fwid's columns can be held against."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import dpkt

Row = dict[str, str]
Tuple5 = tuple[frozenset[tuple[str, str]], str]

_FIELDS = (
    "frame.len", "eth.type", "eth.len", "vlan.etype", "sll.etype", "llc.type",
    "ip.src", "ip.dst", "ip.proto", "ip.ttl", "ip.len", "ip.frag_offset",
    "ipv6.src", "ipv6.dst", "ipv6.nxt", "ipv6.fraghdr.offset",
    "tcp.srcport", "tcp.dstport", "tcp.window_size_value", "tcp.urgent_pointer",
    "udp.srcport", "udp.dstport", "udp.checksum",
)  # fmt: skip


def tshark_rows(path: Path) -> list[Row]:
    """Return the first value of each field of every frame; absent ones are empty."""
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f"]
    # What is asked for is each frame by itself, not what a conversation adds up to.
    for preference in ("ip.defragment", "ipv6.defragment", "tcp.desegment_tcp_streams"):
        command += ["-o", f"{preference}:FALSE"]
    for field in _FIELDS:
        command += ["-e", field]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [dict(zip(_FIELDS, line.split("\t"), strict=True)) for line in out.splitlines()]


def is_cut(row: Row) -> bool:
    """Say whether tshark found a header cut short or false: its last field is not there."""
    links = ("eth.type", "eth.len", "sll.etype", "ip.dst", "ipv6.dst")
    if not any(row[name] for name in links):
        return True
    types = (row["eth.type"], row["vlan.etype"], row["sll.etype"], row["llc.type"])
    if "0x0800" in types and not row["ip.dst"]:
        return True
    if "0x86dd" in types and not row["ipv6.dst"]:
        return True
    if row["ip.frag_offset"] not in ("", "0"):
        return False
    last = {"6": "tcp.urgent_pointer", "17": "udp.checksum"}.get(row["ip.proto"])
    return last is not None and not row[last]


def conversation(row: Row) -> Tuple5 | None:
    """Return the bidirectional 5-tuple of a frame; None where it has no network layer."""
    six = bool(row["ipv6.dst"])
    if not (six or row["ip.dst"]) or is_cut(row):
        return None
    name = "ipv6" if six else "ip"
    proto = row["ipv6.nxt" if six else "ip.proto"]
    ports = ["", ""]
    later = row["ip.frag_offset"] not in ("", "0") or row["ipv6.fraghdr.offset"] not in ("", "0")
    if proto in ("6", "17") and not later:
        layer = "tcp" if proto == "6" else "udp"
        ports = [row[f"{layer}.srcport"], row[f"{layer}.dstport"]]
    ends = frozenset([(row[f"{name}.src"], ports[0]), (row[f"{name}.dst"], ports[1])])
    return ends, proto


def dpkt_frames(path: Path) -> Iterator[tuple[int, bool]]:
    """Yield the wire length of each Ethernet frame, and whether dpkt made sense of its headers."""
    with path.open("rb") as file:
        reader = dpkt.pcap.UniversalReader(file)
        if reader.datalink() != dpkt.pcap.DLT_EN10MB:
            raise ValueError(f"{path}: not a capture of Ethernet")
        # dpkt's readers do not tell the length on the wire: these files are not cut.
        for _, data in reader:
            yield len(data), _makes_sense(data)


def _makes_sense(data: bytes) -> bool:
    try:
        frame = dpkt.ethernet.Ethernet(data)
    except dpkt.UnpackError:
        return False
    network = frame.data
    if frame.type in (dpkt.ethernet.ETH_TYPE_IP, dpkt.ethernet.ETH_TYPE_IP6):
        if not isinstance(network, dpkt.ip.IP | dpkt.ip6.IP6):
            return False
        layers = {dpkt.ip.IP_PROTO_TCP: dpkt.tcp.TCP, dpkt.ip.IP_PROTO_UDP: dpkt.udp.UDP}
        expected = layers.get(network.p)
        later = isinstance(network, dpkt.ip.IP) and network.offset > 0
        return later or expected is None or isinstance(network.data, expected)
    return True

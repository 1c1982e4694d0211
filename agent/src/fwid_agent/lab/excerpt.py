"""Cut captures down to headers: the excerpt that the demo and the tests read.

Each frame keeps its link, network and transport headers and loses every byte behind them; its
length on the wire stays in the record. Usage: python -m fwid_agent.lab.excerpt FROM TO DEVICE...
"""

import csv
import shutil
import struct
import sys
from pathlib import Path

import zstandard

_GLOBAL = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_ETHERNET_BYTES = 14
_LONGEST_HEADERS_BYTES = 128
_TRANSPORT_BYTES = {17: 8, 1: 8, 58: 8, 2: 8}


def header_length(frame: bytes) -> int:
    """Return how many bytes of an Ethernet frame are headers, at most 128."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == 0x0800:
        start = _ETHERNET_BYTES + (frame[14] & 15) * 4
        length = start + _transport_length(frame[23], frame[start:])
    elif kind == 0x86DD:
        protocol, start = frame[20], _ETHERNET_BYTES + 40
        while protocol in (0, 43, 60):
            protocol, start = frame[start], start + 8 + 8 * frame[start + 1]
        length = start + _transport_length(protocol, frame[start:])
    elif kind == 0x0806:
        length = _ETHERNET_BYTES + 28
    else:
        length = _ETHERNET_BYTES + 8
    return min(length, _LONGEST_HEADERS_BYTES, len(frame))


def _transport_length(protocol: int, rest: bytes) -> int:
    if protocol == 6 and len(rest) > 12:
        return (rest[12] >> 4) * 4
    return _TRANSPORT_BYTES.get(protocol, 8)


def cut_capture(data: bytes) -> bytes:
    """Cut every frame of a little-endian Ethernet pcap to its headers."""
    result = bytearray(data[: _GLOBAL.size])
    offset = _GLOBAL.size
    while offset + _RECORD.size <= len(data):
        seconds, fraction, captured, wire = _RECORD.unpack_from(data, offset)
        frame = data[offset + _RECORD.size : offset + _RECORD.size + captured]
        kept = frame[: header_length(frame)]
        result += _RECORD.pack(seconds, fraction, len(kept), wire) + kept
        offset += _RECORD.size + captured
    return bytes(result)


def make_excerpt(source: Path, target: Path, devices: set[str]) -> None:
    """Write the excerpt of these devices, compressed, with the labels that belong to it."""
    pack = zstandard.ZstdCompressor(level=19).compress
    with (source / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["device"] in devices]
    target.mkdir(parents=True, exist_ok=True)
    for row in rows:
        data = _read(source / row["device"] / row["file"])
        row["file"] = f"{row['file'].removesuffix('.zst')}.zst"
        path = target / row["device"] / row["file"]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pack(cut_capture(data)))
    with (target / "labels.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for name in ("LICENSE", "README.md", "software.json"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)


def _read(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    return data


if __name__ == "__main__":
    make_excerpt(Path(sys.argv[1]), Path(sys.argv[2]), set(sys.argv[3:]))

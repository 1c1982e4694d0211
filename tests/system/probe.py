"""python -m tests.system.probe CARD RATE FILE: send numbered frames, and keep in FILE how many.

A frame counts once the kernel has taken it; while the card is down or gone none does.
"""

import mmap
import socket
import struct
import sys
import time
from pathlib import Path

MAC = 0x0A0000000002
_HEAD = bytes.fromhex("020000000001" + f"{MAC:012x}" + "88b5")  # an ethertype for experiments


def read_count(path: Path) -> int:
    """How many frames have been sent so far."""
    data = path.read_bytes() if path.exists() else b""
    return int(struct.unpack("=Q", data)[0]) if len(data) == 8 else 0


def send(card: str, rate: float, path: Path) -> None:
    """Send until killed."""
    path.write_bytes(bytes(8))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8) as kept:
        count, sender = 0, None
        due = time.monotonic()
        while True:
            due = max(due + 1 / rate, time.monotonic() - 0.1)  # no burst after a pause
            time.sleep(max(due - time.monotonic(), 0))
            try:
                if sender is None:
                    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                    sender.bind((card, 0))
                sender.send(_HEAD + struct.pack("=Q", count) + bytes(42))
            except OSError:
                if sender is not None:
                    sender.close()
                sender = None
                continue
            count += 1
            kept[:] = struct.pack("=Q", count)


if __name__ == "__main__":
    send(sys.argv[1], float(sys.argv[2]), Path(sys.argv[3]))

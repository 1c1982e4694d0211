"""python -m tests.system.send CARD FILE: send frames, each with its length before it."""

import socket
import struct
import sys
import time
from pathlib import Path

_AT_ONCE = 200


def send(card: str, path: Path) -> None:
    """Send all, with a pause now and then: a queue that runs over would lose some on this side."""
    data, at, count = path.read_bytes(), 0, 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((card, 0))
        while at < len(data):
            (length,) = struct.unpack_from("=H", data, at)
            sender.send(data[at + 2 : at + 2 + length])
            at, count = at + 2 + length, count + 1
            if count % _AT_ONCE == 0:
                time.sleep(0.01)


if __name__ == "__main__":
    send(sys.argv[1], Path(sys.argv[2]))

"""python -m tests.system.flood_addresses CARD: a frame of each of 26 000 addresses."""

import socket
import sys
import time

COUNT = 26_000
_AT_ONCE = 130


def flood(card: str) -> None:
    """Send them."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((card, 0))
        for number in range(COUNT):
            source = b"\x0e" + number.to_bytes(5, "big")
            sender.send(b"\x02\0\0\0\0\x01" + source + b"\x88\xb5" + bytes(50))
            if number % _AT_ONCE == 0:
                time.sleep(0.01)


if __name__ == "__main__":
    flood(sys.argv[1])

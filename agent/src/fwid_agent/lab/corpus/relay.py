"""A Wi-Fi link in user space: frames between two cards, some late, some lost, in order.

Usage: python -m fwid_agent.lab.corpus.relay CARD CARD SEED. A frame that the air loses is sent
again by the radio, which shows as delay; a few are given up.
"""

import heapq
import random
import select
import socket
import sys
import time

_ALL_PROTOCOLS = 3
_OUTGOING = 4
_LONGEST_BYTES = 65536
_RETRIED, _LOST = 0.15, 0.02  # parts of all frames
_BASE_S, _RETRY_S = 0.0015, 0.02  # mean delays


def main() -> None:
    """Relay until the input ends: that of whoever started it."""
    first, second, seed = sys.argv[1:]
    cards = [_open(first), _open(second)]
    rng = random.Random(seed)  # noqa: S311 - to be repeated, no secret
    waiting: list[tuple[float, int, int, bytes]] = []  # due, number, to which card, frame
    last_s, number = [0.0, 0.0], 0
    while True:
        pause_s = max(waiting[0][0] - time.monotonic(), 0) if waiting else None
        ready, _, _ = select.select([sys.stdin, *cards], [], [], pause_s)
        if sys.stdin in ready:
            return
        for card in [card for card in cards if card in ready]:
            frame, address = card.recvfrom(_LONGEST_BYTES)
            if address[2] == _OUTGOING or rng.random() < _LOST:
                continue
            to = 1 - cards.index(card)
            delay_s = rng.expovariate(1 / _BASE_S)
            if rng.random() < _RETRIED:
                delay_s += rng.expovariate(1 / _RETRY_S)
            last_s[to] = max(time.monotonic() + delay_s, last_s[to])  # a radio keeps the order
            number += 1
            heapq.heappush(waiting, (last_s[to], number, to, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, to, frame = heapq.heappop(waiting)
            try:
                cards[to].send(frame)
            except OSError:
                continue  # the card is down


def _open(card: str) -> socket.socket:
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    opened.bind((card, 0))
    return opened


if __name__ == "__main__":
    main()

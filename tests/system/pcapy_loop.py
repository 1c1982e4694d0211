"""python pcapy_loop.py CARD SECONDS: take packets by pcapy-ng, for `tests.system.load`.

Prints how many came, how many the kernel dropped, and the seconds of CPU that took. It does the
least that a capture has to: 128 bytes of each packet, its time and its length are kept in a block.
"""

import sys
import time

import pcapy

_SNAP_BYTES, _WAIT_MS, _BLOCK = 128, 10, 4096


def main() -> None:
    """Take packets for so many seconds."""
    card, seconds = sys.argv[1], float(sys.argv[2])
    reader = pcapy.open_live(card, _SNAP_BYTES, 1, _WAIT_MS)
    print("ready", flush=True)
    frames: list[bytes] = []
    sizes: list[tuple[tuple[int, int], int]] = []
    count = 0

    def take(header: "pcapy.Pkthdr", frame: bytes) -> None:
        frames.append(frame)
        sizes.append((header.getts(), header.getlen()))

    began, used = time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds:
        reader.dispatch(_BLOCK, take)
        if len(frames) >= _BLOCK:
            count += len(frames)
            b"".join(frames)  # what is handed on
            frames.clear()
            sizes.clear()
    _, dropped, _ = reader.stats()
    print(count + len(frames), dropped, time.process_time() - used, flush=True)


if __name__ == "__main__":
    main()

"""How a capture begins: by that it is known again, whatever became of its name, size and format."""

import struct
from collections.abc import Iterable
from pathlib import Path

from fwid_agent.types import FrameBlock

OPENING_FRAMES = 64  # as many frames as are looked at
FIRST_BYTES = 8  # what an opening says of the first frame
_FRAME = struct.Struct("<qIIH")


def read_opening(blocks: Iterable[FrameBlock]) -> bytes:
    """Return digests of the first frame, of the first two, of the first three and so on.

    Of two openings of one capture, which may have grown, one is the beginning of the other.
    """
    import hashlib  # noqa: PLC0415 - only runs with a store need it

    running = hashlib.blake2b(digest_size=FIRST_BYTES)
    digests: list[bytes] = []
    for block in blocks:
        for index in range(min(len(block.ts_ns), OPENING_FRAMES - len(digests))):
            start, length = int(block.offsets[index]), int(block.captured_bytes[index])
            wire, link = int(block.wire_bytes[index]), int(block.link_type[index])
            running.update(_FRAME.pack(int(block.ts_ns[index]), wire, length, link))
            running.update(block.buffer[start : start + length].tobytes())
            digests.append(running.digest())
    return b"".join(digests)


def older_fingerprint(path: str) -> str:
    """Return by what stores of versions before 8 know a file: its size and its first bytes."""
    import hashlib  # noqa: PLC0415 - as above

    with Path(path).open("rb") as file:
        head = file.read(1 << 16)
    size = Path(path).stat().st_size
    return hashlib.sha256(struct.pack("<q", size) + head).hexdigest()

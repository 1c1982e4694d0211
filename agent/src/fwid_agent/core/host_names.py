"""Names that devices give themselves when they ask for an address (DHCP option 12, RFC 2132).

Whoever sends a frame chooses what stands in it: every length is checked, a device names itself and
no other, and of a name only what can be printed is kept. It stays a text that may say anything.
"""

import numpy as np

from fwid_agent.core.handshakes.dhcp import HOST_NAME, read_request
from fwid_agent.types import FrameBlock, PacketBatch

MOST_CHARACTERS = 64
_MOST_READ = 64  # of a block: a flood of requests costs no more
_UDP, _CLIENT, _SERVER = 17, 68, 67


def read_host_names(block: FrameBlock, batch: PacketBatch) -> dict[int, str]:
    """Read the names in a block's requests, by MAC.

    Args:
        block, batch: the same frames, raw and decoded.

    """
    asking = (batch.proto == _UDP) & (batch.src_port == _CLIENT) & (batch.dst_port == _SERVER)
    names = {}
    for index in np.flatnonzero(asking)[:_MOST_READ].tolist():
        begin = int(block.offsets[index])
        frame = block.buffer[begin : begin + int(block.captured_bytes[index])].tobytes()
        mac = int(batch.src_mac[index])
        name = clean_name(read_request(frame, mac).get(HOST_NAME, b""))
        if name:
            names[mac] = name
    return names


def clean_name(raw: bytes) -> str:
    """Keep what can be printed: neither control characters nor any that turn the text round."""
    text = raw.decode("utf-8", "ignore")
    return "".join(char for char in text if char.isprintable())[:MOST_CHARACTERS].strip()

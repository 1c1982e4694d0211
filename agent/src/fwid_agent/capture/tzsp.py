"""TZSP: frames that a router sends in UDP, as MikroTik's sniffer and its kin do.

Format: "TaZmen Sniffer Protocol" as Network Chemistry described it. A header of four bytes, tags up
to an end tag, then the frame. All datagrams of a batch are read at once; every length is checked.
"""

from dataclasses import dataclass

import numpy as np

from fwid_agent.types import I8, U1, U4, Bools

PORT = 37008
_VERSION = 1
_HEADER_BYTES = 4
_RECEIVED, _TO_TRANSMIT = 0, 1  # types that carry a frame; the others keep a connection alive
_ETHERNET = 1
_PADDING, _END, _ORIGINAL_LENGTH = 0, 1, 41
_MOST_TAGS = 64


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """The Ethernet frames in a batch of datagrams, and how many datagrams held none."""

    number: I8  # [n] which datagram a frame came in
    offsets: I8  # [n] of the frame in the buffer
    captured_bytes: U4  # [n] of the frame that are in the buffer
    wire_bytes: U4  # [n] of the frame when it was on the wire
    foreign: int  # datagrams with frames of another kind than Ethernet
    malformed: int  # datagrams that are no TZSP


def unwrap(buffer: U1, starts: I8, kept_bytes: I8, sizes: I8) -> Unwrapped:
    """Find the frames.

    Args:
        buffer: [bytes] what all datagrams lie in.
        starts: [n] where each begins in it.
        kept_bytes: [n] how much of each is there; the rest was not worth keeping.
        sizes: [n] how long each was.

    """
    whole = np.flatnonzero(kept_bytes >= _HEADER_BYTES)
    header = buffer[starts[whole, None] + np.arange(_HEADER_BYTES)].astype(np.int64)
    version, kind, protocol = header[:, 0], header[:, 1], header[:, 2] << 8 | header[:, 3]
    carries = np.isin(kind, (_RECEIVED, _TO_TRANSMIT)) & (version == _VERSION)
    ethernet = carries & (protocol == _ETHERNET)
    number = whole[ethernet]
    at, original, sound = _walk_tags(buffer, starts[number], kept_bytes[number])
    broken = len(starts) - len(whole) + int((version != _VERSION).sum()) + int((~sound).sum())
    number, at, original = number[sound], at[sound], original[sound]
    frame_bytes = sizes[number] - at
    return Unwrapped(
        number,
        starts[number] + at,
        (kept_bytes[number] - at).astype(np.uint32),
        np.maximum(frame_bytes, original).astype(np.uint32),
        int((carries & ~ethernet).sum()),
        broken,
    )


def _walk_tags(buffer: U1, starts: I8, kept_bytes: I8) -> tuple[I8, I8, Bools]:
    """Walk to the end tag of every datagram, tag by tag.

    Returns:
        Where the frame begins, counted from the datagram's start; its length on the wire, 0 where
        no tag tells; and whether there was an end tag.

    """
    at = np.full(len(starts), _HEADER_BYTES, np.int64)
    original = np.zeros(len(starts), np.int64)
    sound = np.zeros(len(starts), bool)
    walking = np.arange(len(starts))
    for _ in range(_MOST_TAGS):
        walking = walking[at[walking] < kept_bytes[walking]]
        tag = buffer[starts[walking] + at[walking]]
        at[walking] += 1
        sound[walking[tag == _END]] = True
        # What is neither the end nor padding has a length and as many bytes.
        walking, tag = walking[tag != _END], tag[tag != _END]
        long = (tag != _PADDING) & (at[walking] < kept_bytes[walking])
        sized, tag = walking[long], tag[long]
        length = buffer[starts[sized] + at[sized]].astype(np.int64)
        tells = (tag == _ORIGINAL_LENGTH) & (length == 2) & (at[sized] + 3 <= kept_bytes[sized])
        place = starts[sized[tells]] + at[sized[tells]]
        original[sized[tells]] = buffer[place + 1].astype(np.int64) << 8 | buffer[place + 2]
        at[sized] += 1 + length
    return at, original, sound

"""TCP options of SYN packets: the MSS, and which options in which order (RFC 9293, section 3.2).

The order of a SYN's options is a mark of the TCP stack. It is kept as one number: five bits an
option, first option highest, each holding kind + 1 so that no option is 0. Six options fit; kinds
above 29 are written as 31 ("other").
"""

import numpy as np

from fwid_agent.core.headers import OPTION, take
from fwid_agent.types import I8, U1, U2, U4, Bools

_SYN = 0x02
_END, _NOP, _MSS = 0, 1, 2
_LARGEST_KIND = 29
_OTHER = 31
_MOST_KEPT = 6
_MOST_BYTES = 40
_LAYOUT = np.dtype(f"V{_MOST_BYTES + 4}")  # an option that begins in the last byte stays inside
_NAMES = {0: "EOL", 1: "NOP", 2: "MSS", 3: "WS", 4: "SACK-OK", 5: "SACK", 8: "TS"}


def read_options(buffer: U1, at: I8, room: I8, tcp: Bools, flags: U1) -> tuple[U2, U4]:
    """Read the options of SYN packets.

    Args:
        buffer: bytes that all frames lie in.
        at: [n] where the options begin.
        room: [n] how many bytes of options were captured; less than 1 where there are none.
        tcp: [n] whether there is a whole TCP header at all.
        flags: [n] TCP flags.

    Returns:
        [n] MSS (0: none) and [n] option pattern (0: none, or no SYN).

    """
    mss = np.zeros(len(at), np.uint16)
    pattern = np.zeros(len(at), np.uint32)
    chosen = np.flatnonzero(tcp & (flags & _SYN != 0) & (room > 0))
    if not len(chosen):
        return mss, pattern
    end = np.minimum(room[chosen], _MOST_BYTES)
    rows = take(buffer, at[chosen], _LAYOUT).view(np.uint8).reshape(len(chosen), -1)
    rows[np.arange(_LAYOUT.itemsize) >= end[:, None]] = 0
    begin = np.arange(len(chosen)) * _LAYOUT.itemsize
    end += begin
    cursor, options = begin, rows.ravel()
    for depth in range(_MOST_BYTES):
        option = take(options, cursor, OPTION)
        kind, length = option["kind"], option["length"]
        if depth < _MOST_KEPT:
            code = np.where(kind > _LARGEST_KIND, _OTHER, kind + 1).astype(np.uint32)
            pattern[chosen] = pattern[chosen] << np.uint32(5) | code
        is_mss = (kind == _MSS) & (length == 4) & (cursor + 4 <= end)
        mss[chosen[is_mss]] = option["value"][is_mss]
        single = kind == _NOP
        cursor = cursor + np.where(single, 1, length)
        # A length below 2 cannot be; nothing behind it can be trusted.
        more = np.flatnonzero((kind != _END) & (single | (length >= 2)) & (cursor < end))
        if not len(more):
            break
        chosen, cursor, end = chosen[more], cursor[more], end[more]
    return mss, pattern


def describe_options(pattern: int) -> str:
    """Write an option pattern as a person reads it, such as "MSS,SACK-OK,TS,NOP,WS"."""
    kinds = []
    while pattern:
        code = pattern & 31
        kinds.append("other" if code == _OTHER else _NAMES.get(code - 1, str(code - 1)))
        pattern >>= 5
    return ",".join(reversed(kinds)) or "none"

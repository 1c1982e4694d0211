"""What the kernel leaves out of a ring, and how much it keeps: classic BPF (networking/filter.rst).

Left out is only what the agent itself causes: connections of this machine to its API, which would
else become part of what Home Assistant's machine usually does. The same port of another machine,
fragments, and every frame that is not plainly such a one are kept.
"""

import struct

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30
_LOAD_HALF_AT_X, _LOAD_X_HEADER = 0x48, 0xB1
_EQUAL, _ANY_BIT, _RETURN = 0x15, 0x45, 0x06
_PACKET_TYPE = 0xFFFFF000 + 4  # SKF_AD_OFF + SKF_AD_PKTTYPE
_TO_US, _FROM_US = 0, 4  # PACKET_HOST, PACKET_OUTGOING
_TCP, _UDP = 6, 17
_DHCP_SERVER = 67

_Step = tuple[int, str, str, int]  # code, where to go if true and if not ("": on), operand


def make_filter(snap_bytes: int, own_port: int, dhcp_bytes: int = 0) -> bytes:
    """Write the program that keeps so many bytes of each Ethernet frame.

    Args:
        snap_bytes: of each frame.
        own_port: where this machine's API listens; 0: nowhere.
        dhcp_bytes: of what is sent to DHCP servers by IPv4; 0: as of all.

    """
    keep: tuple[str, _Step] = ("keep", (_RETURN, "", "", snap_bytes))
    steps = _leave_out(own_port, keep) if own_port else [keep]
    if dhcp_bytes:
        steps = [*_ask_for_dhcp(steps[0][0]), *steps, ("whole", (_RETURN, "", "", dhcp_bytes))]
    return _assemble(steps)


def _ask_for_dhcp(rest: str) -> list[tuple[str, _Step]]:
    """Go to `whole` with what is sent to a DHCP server, and else to `rest`."""
    return [
        ("", (_LOAD_HALF, "", "", 12)),
        ("", (_EQUAL, "", rest, 0x0800)),
        ("", (_LOAD_BYTE, "", "", 23)),
        ("", (_EQUAL, "", rest, _UDP)),
        ("", (_LOAD_HALF, "", "", 20)),
        ("", (_ANY_BIT, rest, "", 0x1FFF)),
        ("", (_LOAD_X_HEADER, "", "", 14)),
        ("", (_LOAD_HALF_AT_X, "", "", 16)),
        ("", (_EQUAL, "whole", rest, _DHCP_SERVER)),
    ]


def _leave_out(own_port: int, keep: tuple[str, _Step]) -> list[tuple[str, _Step]]:
    """Drop this machine's own connections to its API, and keep the rest."""
    return [
        ("others", (_LOAD_HALF, "", "", 12)),
        ("", (_EQUAL, "", "six", 0x0800)),
        ("", (_LOAD_BYTE, "", "", 23)),
        ("", (_EQUAL, "", "keep", _TCP)),
        ("", (_LOAD_HALF, "", "", 20)),
        ("", (_ANY_BIT, "keep", "", 0x1FFF)),  # a later fragment has no ports
        ("", (_LOAD_X_HEADER, "", "", 14)),
        ("", (_LOAD_HALF_AT_X, "", "", 14)),
        ("", (_EQUAL, "ours", "", own_port)),
        ("", (_LOAD_HALF_AT_X, "", "", 16)),
        ("", (_EQUAL, "ours", "keep", own_port)),
        ("six", (_EQUAL, "", "keep", 0x86DD)),
        ("", (_LOAD_BYTE, "", "", 20)),
        ("", (_EQUAL, "", "keep", _TCP)),
        ("", (_LOAD_HALF, "", "", 54)),
        ("", (_EQUAL, "ours", "", own_port)),
        ("", (_LOAD_HALF, "", "", 56)),
        ("", (_EQUAL, "ours", "keep", own_port)),
        ("ours", (_LOAD_WORD, "", "", _PACKET_TYPE)),
        ("", (_EQUAL, "drop", "", _TO_US)),
        ("", (_EQUAL, "drop", "keep", _FROM_US)),
        keep,
        ("drop", (_RETURN, "", "", 0)),
    ]


def _assemble(steps: list[tuple[str, _Step]]) -> bytes:
    """Write struct sock_filter for each step; jumps count the steps that are passed over."""
    place = {name: at for at, (name, _) in enumerate(steps) if name}
    program = b""
    for at, (_, (code, true, false, operand)) in enumerate(steps):
        jumps = [place[name] - at - 1 if name else 0 for name in (true, false)]
        program += struct.pack("=HBBI", code, *jumps, operand)
    return program

"""What the kernel leaves out of a ring, and how much it keeps: classic BPF (networking/filter.rst).

Left out is only what the agent itself causes: connections of this machine to its API, which would
else become part of what Home Assistant's machine usually does. The same port of another machine,
fragments, and every frame that is not plainly such a one are kept.
"""

import struct

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30
_LOAD_HALF_AT_X, _LOAD_BYTE_AT_X = 0x48, 0x50
_LOAD_NUMBER, _LOAD_LENGTH, _LOAD_X_NUMBER, _LOAD_X_HEADER = 0x00, 0x80, 0x01, 0xB1
_STORE, _LOAD_STORED, _A_TO_X = 0x02, 0x60, 0x07
_AND, _SHIFT_RIGHT, _SHIFT_LEFT, _SUBTRACT, _ADD_X = 0x54, 0x74, 0x64, 0x14, 0x0C
_EQUAL, _ANY_BIT, _NOT_LESS_THAN_X, _RETURN = 0x15, 0x45, 0x3D, 0x06
_PACKET_TYPE = 0xFFFFF000 + 4  # SKF_AD_OFF + SKF_AD_PKTTYPE
_TO_US, _FROM_US = 0, 4  # PACKET_HOST, PACKET_OUTGOING
_TCP, _UDP = 6, 17
_TO_PORTS, _FROM_PORTS = (53, 67, 1900, 5353), (1900, 5353)  # DNS, DHCP, SSDP, multicast DNS
_TLS_PORTS = (443, 853, 8443, 8883)
_HANDSHAKE, _APPLICATION_DATA, _CLIENT_HELLO, _PUSH = 22, 23, 1, 0x08
_ETHERNET_BYTES, _IPV6_BYTES, _FLAGS_AT, _OFFSET_AT = 14, 40, 13, 12
_RECORD_BYTES = 5

_Step = tuple[int, str, str, int]  # code, where to go if true and if not ("": on), operand


def make_filter(snap_bytes: int, own_port: int, whole_bytes: int = 0) -> bytes:
    """Write the program that keeps so many bytes of each Ethernet frame.

    Args:
        snap_bytes: of each frame.
        own_port: where this machine's API listens; 0: nowhere.
        whole_bytes: of frames with handshakes in them; 0: as of all.

    """
    kept = "look" if whole_bytes else "keep"
    steps = _leave_out(own_port, kept) if own_port else []
    if whole_bytes:
        steps += _look_for_handshakes()
    steps += [
        ("keep", (_RETURN, "", "", snap_bytes)),
        ("whole", (_RETURN, "", "", whole_bytes)),
        ("drop", (_RETURN, "", "", 0)),
    ]
    return _assemble(steps)


def _look_for_handshakes() -> list[tuple[str, _Step]]:
    """Go to `whole` with what core.handshakes reads, and else to `keep`.

    A ClientHello is known by its beginning. What follows it in further segments cannot be known
    without a memory: it is a segment to a port of TLS that ends what was written at once, and does
    not begin as data do. Of a large upload that is one segment in ten.
    """
    return [
        ("look", (_LOAD_HALF, "", "", 12)),
        ("", (_EQUAL, "look four", "", 0x0800)),
        ("", (_EQUAL, "", "keep", 0x86DD)),
        ("", (_LOAD_X_NUMBER, "", "", _IPV6_BYTES)),
        ("", (_LOAD_BYTE, "", "", 20)),
        ("", (_EQUAL, "datagram", "segment?", _UDP)),
        ("look four", (_LOAD_HALF, "", "", 20)),
        ("", (_ANY_BIT, "keep", "", 0x1FFF)),  # a later fragment has no ports
        ("", (_LOAD_X_HEADER, "", "", _ETHERNET_BYTES)),
        ("", (_LOAD_BYTE, "", "", 23)),
        ("", (_EQUAL, "datagram", "segment?", _UDP)),
        ("datagram", (_LOAD_HALF_AT_X, "", "", _ETHERNET_BYTES + 2)),
        *(("", (_EQUAL, "whole", "", port)) for port in _TO_PORTS),
        ("", (_LOAD_HALF_AT_X, "", "", _ETHERNET_BYTES)),
        *(("", (_EQUAL, "whole", "", port)) for port in _FROM_PORTS),
        ("", (_EQUAL, "keep", "keep", 0)),
        ("segment?", (_EQUAL, "", "keep", _TCP)),
        ("", (_LOAD_HALF_AT_X, "", "", _ETHERNET_BYTES + 2)),
        *(("", (_EQUAL, "flags", "", port)) for port in _TLS_PORTS),
        ("", (_LOAD_NUMBER, "", "", 0)),
        ("", (_EQUAL, "known", "known", 0)),
        ("flags", (_LOAD_BYTE_AT_X, "", "", _ETHERNET_BYTES + _FLAGS_AT)),
        ("", (_AND, "", "", _PUSH)),
        ("known", (_STORE, "", "", 0)),  # whether it may be a further segment
        ("", (_LOAD_BYTE_AT_X, "", "", _ETHERNET_BYTES + _OFFSET_AT)),
        ("", (_SHIFT_RIGHT, "", "", 4)),
        ("", (_SHIFT_LEFT, "", "", 2)),
        ("", (_ADD_X, "", "", 0)),
        ("", (_A_TO_X, "", "", 0)),  # of the payload, from behind Ethernet's header
        ("", (_LOAD_LENGTH, "", "", 0)),
        ("", (_SUBTRACT, "", "", _ETHERNET_BYTES + _RECORD_BYTES + 1)),
        ("", (_NOT_LESS_THAN_X, "", "keep", 0)),  # whoever reads beyond the end drops the frame
        ("", (_LOAD_BYTE_AT_X, "", "", _ETHERNET_BYTES)),
        ("", (_EQUAL, "keep", "", _APPLICATION_DATA)),
        ("", (_EQUAL, "", "further", _HANDSHAKE)),
        ("", (_LOAD_BYTE_AT_X, "", "", _ETHERNET_BYTES + _RECORD_BYTES)),
        ("", (_EQUAL, "whole", "", _CLIENT_HELLO)),
        ("further", (_LOAD_STORED, "", "", 0)),
        ("", (_EQUAL, "keep", "whole", 0)),
    ]


def _leave_out(own_port: int, rest: str) -> list[tuple[str, _Step]]:
    """Drop this machine's own connections to its API, and go to `rest` with what is left."""
    return [
        ("others", (_LOAD_HALF, "", "", 12)),
        ("", (_EQUAL, "", "six", 0x0800)),
        ("", (_LOAD_BYTE, "", "", 23)),
        ("", (_EQUAL, "", rest, _TCP)),
        ("", (_LOAD_HALF, "", "", 20)),
        ("", (_ANY_BIT, rest, "", 0x1FFF)),  # a later fragment has no ports
        ("", (_LOAD_X_HEADER, "", "", 14)),
        ("", (_LOAD_HALF_AT_X, "", "", 14)),
        ("", (_EQUAL, "ours", "", own_port)),
        ("", (_LOAD_HALF_AT_X, "", "", 16)),
        ("", (_EQUAL, "ours", rest, own_port)),
        ("six", (_EQUAL, "", rest, 0x86DD)),
        ("", (_LOAD_BYTE, "", "", 20)),
        ("", (_EQUAL, "", rest, _TCP)),
        ("", (_LOAD_HALF, "", "", 54)),
        ("", (_EQUAL, "ours", "", own_port)),
        ("", (_LOAD_HALF, "", "", 56)),
        ("", (_EQUAL, "ours", rest, own_port)),
        ("ours", (_LOAD_WORD, "", "", _PACKET_TYPE)),
        ("", (_EQUAL, "drop", "", _TO_US)),
        ("", (_EQUAL, "drop", rest, _FROM_US)),
    ]


def _assemble(steps: list[tuple[str, _Step]]) -> bytes:
    """Write struct sock_filter for each step; jumps count the steps that are passed over."""
    place = {name: at for at, (name, _) in enumerate(steps) if name}
    program = b""
    for at, (_, (code, true, false, operand)) in enumerate(steps):
        jumps = [place[name] - at - 1 if name else 0 for name in (true, false)]
        program += struct.pack("=HBBI", code, *jumps, operand)
    return program

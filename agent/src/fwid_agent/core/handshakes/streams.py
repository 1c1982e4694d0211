"""ClientHellos that are split over several TCP segments, joined within bounds.

What is waited for is bounded in number, in bytes and by what comes in between: a client sends its
first message in one go, so segments that do not follow one another are not waited for. Segments
that come twice (sent again) are passed over.
"""

from collections import OrderedDict
from dataclasses import dataclass

from fwid_agent.core.handshakes.tls import (
    MOST_BYTES,
    begins_hello,
    bytes_lacking,
)

Flow = tuple[int, ...]  # sender's MAC, addresses and ports
MOST_OPEN = 256
_WRAP = 1 << 32


@dataclass(slots=True)
class _Begun:
    """A first message that is not whole yet."""

    data: bytes
    next_seq: int


class HelloStreams:
    """Joins segments of connections; holds no more than MOST_OPEN of MOST_BYTES each."""

    def __init__(self) -> None:
        self._begun: OrderedDict[Flow, _Begun] = OrderedDict()

    @property
    def source_ports(self) -> frozenset[int]:
        """Ports of the clients whose messages are not whole: whatever else comes is not theirs."""
        return frozenset(flow[-2] for flow in self._begun)

    def feed(self, flow: Flow, seq: int, payload: bytes, *, whole: bool) -> bytes | None:
        """Take a segment; returns the stream's beginning once its first message is whole.

        Args:
            flow: whose segment; the last two numbers are the ports.
            seq: its sequence number.
            payload: what of it was captured.
            whole: whether that is all of it: nothing can be joined behind a gap.

        """
        begun = self._begun.get(flow)
        if begins_hello(payload):
            begun = _Begun(b"", seq)  # also anew: the port may be another connection's by now
        elif begun is None or seq != begun.next_seq:
            return None
        begun.data += payload
        begun.next_seq = (seq + len(payload)) % _WRAP
        lacking = bytes_lacking(begun.data)
        if lacking <= 0 or not whole or len(begun.data) > MOST_BYTES:
            self._begun.pop(flow, None)
            return begun.data if lacking == 0 else None
        self._begun[flow] = begun
        if len(self._begun) > MOST_OPEN:
            self._begun.popitem(last=False)
        return None

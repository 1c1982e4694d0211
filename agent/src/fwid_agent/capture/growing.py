"""A capture that comes piece by piece: bytes in, blocks of frames out, without any I/O.

What a pipe, a growing file and an answer by HTTP have in common: nobody knows where the next piece
ends, and whatever is whole is wanted at once.
"""

from fwid_agent.capture.pcap import HEADER_BYTES, PcapParser, is_pcap
from fwid_agent.capture.pcapng import PcapngParser, is_pcapng
from fwid_agent.errors import UnreadableInputError
from fwid_agent.types import FrameBlock

_MAGIC_BYTES = 4


class GrowingCapture:
    """Parses a pcap or pcapng as it grows.

    Args:
        name: what the input is called in errors.

    """

    def __init__(self, name: str) -> None:
        self.bytes_used = 0  # up to the first frame that is not whole yet
        self._name = name
        self._parser: PcapParser | PcapngParser | None = None
        self._rest = bytearray()  # what belongs to a frame that is not whole yet
        self._fault: UnreadableInputError | None = None

    def feed(self, piece: bytes) -> FrameBlock | None:
        """Take the next piece and return the frames that are whole now.

        Raises:
            UnreadableInputError: it is no capture, or damaged. Frames before the damage are
                returned first; the error is raised by the next call.

        """
        if self._fault:
            raise self._fault
        buffer = self._rest + piece
        if self._parser is None:
            self._parser, begin = self._start(buffer)
            del buffer[:begin]
            self.bytes_used += begin
        if self._parser is None:
            self._rest = buffer
            return None
        parsed = self._parser.parse(buffer, len(buffer))
        if parsed.damage:
            at = self.bytes_used + parsed.damage.at
            self._fault = UnreadableInputError(self._name, parsed.damage.reason, at)
            if not len(parsed.frames.offsets):
                raise self._fault
        self._rest = buffer[parsed.end :]
        self.bytes_used += parsed.end
        return parsed.frames.block(buffer) if len(parsed.frames.offsets) else None

    def end(self) -> None:
        """Say that nothing more comes; raises UnreadableInputError where something is missing."""
        if self._fault:
            raise self._fault
        if self._parser is None and not self._rest:
            raise UnreadableInputError(self._name, "nothing came, not even the start of a capture")
        if self._parser is None or self._rest:
            reason = "the capture is cut off in the middle of a packet"
            raise UnreadableInputError(self._name, reason, self.bytes_used)

    def _start(self, head: bytearray) -> tuple[PcapParser | PcapngParser | None, int]:
        """Tell the format, once enough has come; with how many bytes the parser does not need."""
        if len(head) < _MAGIC_BYTES:
            return None, 0
        if is_pcapng(bytes(head[:_MAGIC_BYTES])):
            return PcapngParser(), 0
        if not is_pcap(bytes(head[:_MAGIC_BYTES])):
            self._fault = UnreadableInputError(self._name, "is no pcap or pcapng capture", 0)
            raise self._fault
        if len(head) < HEADER_BYTES:
            return None, 0
        return PcapParser.of(bytes(head[:HEADER_BYTES])), HEADER_BYTES

"""Reading bytes that somebody else has chosen: no length is believed before it is checked."""

from dataclasses import dataclass


class CutShortError(ValueError):
    """The bytes end before what they announce."""


@dataclass(slots=True)
class Reader:
    """Reads fields one after the other; every method raises CutShortError beyond the end."""

    data: bytes
    at: int = 0

    @property
    def left(self) -> int:
        """Bytes that have not been read."""
        return len(self.data) - self.at

    def take(self, count: int) -> bytes:
        """Read so many bytes."""
        if not 0 <= count <= self.left:
            raise CutShortError(f"{count} bytes announced, {self.left} there")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count: int) -> int:
        """Read a number of so many bytes in network order."""
        return int.from_bytes(self.take(count), "big")

    def block(self, count: int) -> "Reader":
        """Read what stands behind a length of so many bytes."""
        return Reader(self.take(self.number(count)))

"""What is kept of a handshake: a kind, a text that can be shown, and its number in the tables.

The texts are the devices' own words, so of each only what can be printed is kept, within bounds.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b

from fwid_agent.types import TokenKind

Saying = tuple[TokenKind, str]  # what a device says of itself
MOST_CHARACTERS = 128
_ACTIVE = str.maketrans(dict.fromkeys("<>[]`|{}", "?"))


def number_of(text: str) -> int:
    """Return the 32-bit number that stands for a text in the tables, the same everywhere."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big")


def clean(raw: bytes) -> str:
    """Keep what can be printed, and nothing that a reader could take for more than text.

    Neither control characters nor any that turn the text round; what Markdown or HTML would make a
    picture or a tag of becomes a question mark, for messages are shown in many ways.
    """
    text = raw[: 4 * MOST_CHARACTERS].decode("utf-8", "ignore").translate(_ACTIVE)
    return "".join(char for char in text if char.isprintable()).strip()[:MOST_CHARACTERS]


def join_labels(labels: Iterable[bytes]) -> str:
    """Write a domain name; names are alike in either case (RFC 4343)."""
    return clean(b".".join(labels)).lower()


def say(kind: TokenKind, text: str) -> Iterator[Saying]:
    """Yield what is said, unless it is nothing."""
    if text:
        yield kind, text

"""The texts behind the numbers in the tables: bounded, and put into reasons where they are told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fwid_agent.types import HandshakeText, JsonScalar, TokenKind

MOST_OF_A_KIND = 256  # of one device, between two times that they are taken out
MOST_KEPT = 2048  # of one device
_PLACES = ("old", "new", "value")
_KINDS = {kind.name.lower(): kind for kind in TokenKind if kind > TokenKind.ROW}


@dataclass(slots=True)
class _Kept:
    text: str
    last_ns: int


class TextBook:
    """The texts of one device, the oldest given up where they are too many."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: dict[tuple[int, int], _Kept] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def add(self, texts: Iterable[HandshakeText]) -> None:
        """Keep these too."""
        for each in texts:
            key = (each.kind, each.value)
            before = self._kept.pop(key, None)
            last_ns = max(each.last_ns, before.last_ns if before else each.last_ns)
            self._kept[key] = _Kept(each.text, last_ns)
        surplus = len(self._kept) - self._most
        if surplus > 0:
            oldest = sorted(self._kept, key=lambda key: self._kept[key].last_ns)[:surplus]
            for key in oldest:
                del self._kept[key]

    def write_out(self, params: Mapping[str, JsonScalar]) -> Mapping[str, JsonScalar]:
        """Return a reason's parameters with the texts of a handshake instead of their numbers.

        A number whose text is not kept any more is written in hexadecimal.
        """
        kind = _KINDS.get(str(params.get("kind")))
        if kind is None:
            return params
        written = dict(params)
        for place in _PLACES:
            value = params.get(place)
            if isinstance(value, int):
                kept = self._kept.get((kind, value))
                written[place] = kept.text if kept else f"#{value:08x}"
        return written

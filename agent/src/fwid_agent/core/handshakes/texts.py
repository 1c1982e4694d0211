"""The texts behind the numbers in the tables: bounded, and put into reasons where they are told."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from fwid_agent.tables import MOST_TEXTS
from fwid_agent.types import HANDSHAKE_KINDS, Decision, Event, HandshakeText

_PLACES = ("old", "new", "value")  # of a reason's parameters
_KINDS = {kind.name.lower(): kind for kind in HANDSHAKE_KINDS}


class TextBook:
    """The texts of one device, the oldest given up where they are too many."""

    def __init__(self, most: int = MOST_TEXTS) -> None:
        self._most = most
        self._kept: dict[tuple[int, int], HandshakeText] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._kept)

    def __iter__(self) -> Iterator[HandshakeText]:
        """Yield all of them."""
        return iter(self._kept.values())

    def add(self, texts: Iterable[HandshakeText]) -> None:
        """Keep these too."""
        for each in texts:
            key = (each.kind, each.value)
            before = self._kept.get(key)
            if before is None or each.last_ns > before.last_ns:
                self._kept[key] = each
        surplus = len(self._kept) - self._most
        if surplus > 0:
            oldest = sorted(self._kept, key=lambda key: self._kept[key].last_ns)[:surplus]
            for key in oldest:
                del self._kept[key]

    def write_out(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
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


def tell_texts(
    decision: Decision, events: tuple[Event, ...], texts: TextBook
) -> tuple[Decision, tuple[Event, ...]]:
    """Return what was decided, and what follows from it, with the texts in their reasons."""
    reasons = tuple(replace(each, params=texts.write_out(each.params)) for each in decision.reasons)
    told = tuple(
        replace(
            event,
            reasons=tuple(
                replace(each, params=texts.write_out(each.params)) for each in event.reasons
            ),
        )
        for event in events
    )
    return replace(decision, reasons=reasons), told

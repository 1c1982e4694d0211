"""What devices say of themselves: to be stored, and to be told where it is a reason."""

from collections.abc import Container, Iterable

from fwid_agent.core.handshakes.texts import TextBook, tell_texts
from fwid_agent.pipeline.ingest import Gain
from fwid_agent.pipeline.ledger import Ledger
from fwid_agent.store import Store
from fwid_agent.types import Decision, Event


class Sayings:
    """The names and the texts of handshakes of a home's devices, by MAC."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._books: dict[int, TextBook] = {}

    def add(self, gain: Gain, devices: Container[int]) -> None:
        """Take what these devices have said."""
        self._ledger.add_names({mac: gain.names[mac] for mac in gain.names if mac in devices})
        for mac, texts in gain.texts.items():
            if mac in devices:
                self._books.setdefault(mac, TextBook()).add(texts)
                self._ledger.add_texts(mac, texts)

    def tell(
        self, mac: int, decision: Decision, events: tuple[Event, ...]
    ) -> tuple[Decision, tuple[Event, ...]]:
        """Put the texts into the reasons."""
        return tell_texts(decision, events, self._books.get(mac) or TextBook())

    def restore(self, store: Store) -> None:
        """Go on with what an earlier run has left."""
        for mac, texts in store.texts().items():
            self._books.setdefault(mac, TextBook()).add(texts)

    def forget(self, macs: Iterable[int]) -> None:
        """Forget devices."""
        for mac in macs:
            self._books.pop(mac, None)

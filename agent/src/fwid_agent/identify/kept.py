"""Which model identifies: the home's own that was accepted last, or what came with the agent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fwid_agent.errors import ModelError
from fwid_agent.identify.bases import SHIPPED, read_shipped_file
from fwid_agent.identify.identifier import Identifier
from fwid_agent.model.shelf import Kept, Shelf

_KEPT = Kept(
    kind="identifier",
    folder="identifiers",
    noun="model",
    command="fwid retrain",
    doing="models are being retrained",
    most_bytes=16 << 20,
)


@dataclass(frozen=True, slots=True)
class InUse:
    """The model that identifies."""

    identifier: Identifier
    number: int | None  # of the home's own; None: what came with the agent
    note: str = ""  # why the home's own is not used

    @property
    def model(self) -> Literal["home", "shipped"]:
        """Where it is from."""
        return "shipped" if self.number is None else "home"


class Identifiers(Shelf):
    """The models of one store."""

    def __init__(self, store: Path) -> None:
        super().__init__(store, _KEPT)

    def read(self, number: int) -> Identifier:
        """Read a model; raises ModelError."""
        return Identifier.load(*self.read_file(number))

    def keep(self, identifier: Identifier) -> int:
        """Write a model and use it from now on; gives its number."""
        return self.keep_file(identifier.dump())


def read_shipped() -> Identifier:
    """Read the model that came with the agent; raises ModelError."""
    content, _ = read_shipped_file(SHIPPED)
    return Identifier.load(content, SHIPPED)


def in_use(store: Path | None) -> InUse:
    """Load the model that identifies a store's devices.

    A home's own that is damaged, or was trained by another version of the agent, is passed over
    with a note: an agent that cannot read it still watches.

    Raises:
        ModelError: what came with the agent cannot be used.

    """
    if store is None:
        return InUse(read_shipped(), None)
    try:
        kept = Identifiers(store)
        number = kept.current()
        if number is None:
            return InUse(read_shipped(), None)
        return InUse(kept.read(number), number)
    except ModelError as error:
        return InUse(read_shipped(), None, str(error))

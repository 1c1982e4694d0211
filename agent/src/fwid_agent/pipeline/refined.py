"""Which network judges: the one that came with the agent, or the one that was refined at home."""

from dataclasses import dataclass
from pathlib import Path

from fwid_agent.errors import ModelError
from fwid_agent.model.history import History, Refined
from fwid_agent.model.manifest import TRAINABLE, Logistic, model_folder, read_file, read_manifest
from fwid_agent.model.trainable import Trainable, TrainedEncoder
from fwid_agent.pipeline.models import RowTwin, read_row_twin


@dataclass(frozen=True, slots=True)
class Base:
    """What is refined: the trainable twin that came with the agent, and its digest."""

    content: bytes
    digest: str

    def network(self) -> Trainable:
        """Load it; each call gives one of its own."""
        return Trainable(self.content, TRAINABLE)


@dataclass(frozen=True, slots=True)
class InUse:
    """The network that judges."""

    twin: RowTwin
    number: int | None  # of the history; None: the one that came with the agent
    note: str = ""  # why a refined one is not used


def read_base() -> Base:
    """Read the trainable twin that came with the agent; raises ModelError."""
    folder = model_folder()
    manifest = read_manifest(folder)
    return Base(read_file(folder, manifest, TRAINABLE), manifest.sha256[TRAINABLE])


def refined_twin(refined: Refined, base: Base) -> RowTwin:
    """Load a refined network; raises ModelError."""
    encoder = TrainedEncoder(base.network(), refined.weights, "the refined network")
    return RowTwin(encoder, Logistic(refined.slope, refined.offset))


def load_twin(store: Path | None) -> InUse:
    """Load the network that judges a store's devices.

    One that was refined from another network than the agent's, or is damaged, is passed over, with
    a note: an agent that cannot read it still watches.

    Raises:
        ModelError: what came with the agent cannot be used.

    """
    shipped = read_row_twin(model_folder())
    if store is None:
        return InUse(shipped, None)
    try:
        history = History(store)
        number = history.current()
        if number is None:
            return InUse(shipped, None)
        refined, base = history.read(number), read_base()
        if refined.base != base.digest:
            return InUse(shipped, None, "the network was refined for another version of the agent")
        return InUse(refined_twin(refined, base), number)
    except ModelError as error:
        return InUse(shipped, None, str(error))

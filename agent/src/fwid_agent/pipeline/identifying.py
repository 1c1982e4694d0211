"""What each device's ended units behave like, by the model in use."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fwid_agent.core.kinship import Answered, find_stranger
from fwid_agent.errors import ModelError
from fwid_agent.identify.kept import InUse
from fwid_agent.pipeline.messages import OnNote
from fwid_agent.store import IdentificationRow, Store
from fwid_agent.types import FlowSample, Kind, Reason

_DAY_NS = 86_400 * 1_000_000_000
_LOOKED_BACK_NS = 28 * _DAY_NS

SampleOf = Callable[[int, int], FlowSample | None]  # of a device and when its unit starts


@dataclass(frozen=True, slots=True)
class EndedUnit:
    """One device's unit that was judged."""

    device: int  # MAC
    start_ns: int  # as samples of flows have it
    end_ns: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What is new of one device."""

    unit: EndedUnit
    row: IdentificationRow
    news: bool  # it is another answer than before
    kind: Kind | None  # what the device is said to be
    suspicion: Reason | None  # it has ceased to behave like itself


class Identifying:
    """Asks the model that is in use.

    Args:
        store: what was answered before, and what devices are said to be.
        in_use: the model.
        on_note: told once that the model fails.

    """

    def __init__(self, store: Store, in_use: InUse, on_note: OnNote) -> None:
        self._store = store
        self._in_use = in_use
        self._on_note = on_note
        self._failed = False

    def use(self, in_use: InUse) -> None:
        """Ask another model from now on."""
        self._in_use, self._failed = in_use, False

    def answer(self, units: Sequence[EndedUnit], sample: SampleOf) -> Iterator[Answer]:
        """Yield what these units behave like, those that had any flow.

        Args:
            units: in the order of time, those of one device.
            sample: gives the flows of a device's unit.

        Raises:
            StoreError: the store cannot be read.

        """
        since_ns = min((unit.start_ns for unit in units), default=0) - _LOOKED_BACK_NS
        kinds = self._store.kinds() if units else {}
        rows: dict[int, list[IdentificationRow]] = {}
        for unit in units:
            row = self._ask(unit, sample(unit.device, unit.start_ns))
            if row is None:
                continue
            if unit.device not in rows:
                rows[unit.device] = list(self._store.identifications(unit.device, since_ns))
            before = [each for each in rows[unit.device] if each.start_ns < unit.start_ns]
            news = not before or before[-1].answer.label != row.answer.label
            rows[unit.device] = [*before, row]
            suspicion = find_stranger([_answered(each) for each in rows[unit.device]])
            yield Answer(unit, row, news, kinds.get(unit.device), suspicion)

    def _ask(self, unit: EndedUnit, day: FlowSample | None) -> IdentificationRow | None:
        if day is None or not len(day):
            return None
        identifier = self._in_use.identifier
        try:
            answer = identifier.identify(day.values)
        except ModelError as error:
            if not self._failed:
                self._on_note(f"devices are not identified: {error}")
            self._failed = True
            return None
        learnt = identifier.class_of(unit.device)
        return IdentificationRow(
            unit.device,
            unit.start_ns,
            answer,
            self._in_use.model,
            self._in_use.number,
            learnt.label if learnt else None,
        )


def agrees(row: IdentificationRow, kind: Kind | None) -> bool | None:
    """Say whether an answer is what the device is said to be.

    None: nobody said it, or the model did not learn this device as that.
    """
    if kind is None:
        return None
    if row.answer.label == kind.label:
        return True
    return False if row.learnt_as == kind.label else None


def _answered(row: IdentificationRow) -> Answered:
    return Answered(row.answer, row.learnt_as if row.model == "home" else None)
